"""Arithmetic: exact where it can be, bounded in size, and never Python's own evaluation."""

import ast
import operator
import re
from collections.abc import Callable
from decimal import Decimal, localcontext
from fractions import Fraction

from llm_ui.kit.i18n import DECIMAL_COMMA, language, number
from llm_ui.kit.i18n import gettext as _

MAX_EXPRESSION_CHARS = 200
MAX_DIGITS = 200
"""Larger results help nobody and cost time that grows with their square."""
MAX_DEPTH = 50

EXPRESSION = re.compile(r"[(\-+]*\s*\d[\d\s.,+\-*/×·÷:^()%]*[\d)]")
NEEDS_OPERATOR = re.compile(r"\d[\d\s.,()]*(?:[+\-*/×·÷:^%]|\*\*)\s*[\d(\-]")

THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}\b)")
THOUSANDS_WITH_POINTS = re.compile(r"(?<![\d.,])[1-9]\d{0,2}(?:\.\d{3})+(?![\d.])")
COMMA = re.compile(r"(?<=\d),(?=\d)")

OPERATORS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
    ast.FloorDiv: lambda a, b: Fraction(a // b),
}


class ArithmeticRefused(ValueError):
    """The expression cannot be evaluated; the message says why."""


def find_expression(text: str) -> str | None:
    """Return the first thing in a short text that looks like an expression to calculate."""
    for found in EXPRESSION.finditer(text[:MAX_EXPRESSION_CHARS]):
        candidate = found.group().strip()
        if NEEDS_OPERATOR.search(candidate):
            return candidate
    return None


def evaluate(expression: str) -> str:
    """Return the value as the language writes it: exact if whole or a short decimal, else rounded to twelve digits."""
    return _shown(_worked_out(_with_points(expression)))


def calculate(expression: str) -> str:
    """Return the value of what a program wrote: exact as a whole number, decimal or fraction, and rounded beside it."""
    if len(expression) > MAX_EXPRESSION_CHARS:
        raise ArithmeticRefused(_("it has more than {most} characters.").format(most=MAX_EXPRESSION_CHARS))
    value = _worked_out(THOUSANDS.sub("", expression))
    if value.denominator == 1:
        return str(value.numerator)
    decimal = _decimal(value)
    return decimal if decimal is not None else f"{value} ≈ {_rounded(value)}"


def _worked_out(python: str) -> Fraction:
    """Return the value of an expression whose numbers are written as Python reads them."""
    try:
        tree = ast.parse(_with_signs(python).strip(), mode="eval")
        return _value(tree.body, 0)
    except (SyntaxError, MemoryError, RecursionError):
        raise ArithmeticRefused(_("it is not an expression I understand.")) from None
    except ZeroDivisionError:
        raise ArithmeticRefused(_("it divides by zero.")) from None


def in_plain(expression: str) -> str:
    """Return an expression as `calculate` reads it, with its numbers as the language does not write them."""
    return _with_signs(_with_points(expression)).strip()


def _with_signs(expression: str) -> str:
    for sign, ours in (("×", "*"), ("·", "*"), ("÷", "/"), (":", "/"), ("^", "**")):
        expression = expression.replace(sign, ours)
    return expression


def _with_points(expression: str) -> str:
    """Return the expression with its numbers as Python reads them: 1.234,5 is 1,234.5 where one writes it so."""
    if language() not in DECIMAL_COMMA:
        return THOUSANDS.sub("", expression)
    plain = THOUSANDS_WITH_POINTS.sub(lambda found: found.group().replace(".", ""), expression)
    return COMMA.sub(".", plain)


def _value(node: ast.expr, depth: int) -> Fraction:
    if depth > MAX_DEPTH:
        raise ArithmeticRefused(_("it is nested too deeply."))
    match node:
        case ast.Constant(value=int() | float() as found) if not isinstance(found, bool):
            return _bounded(Fraction(str(found)))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, depth + 1)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _value(operand, depth + 1)
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return _power(_value(left, depth + 1), _value(right, depth + 1))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
            return _bounded(OPERATORS[type(op)](_value(left, depth + 1), _value(right, depth + 1)))
        case _:
            raise ArithmeticRefused(_("I know only + - * / ^ % and brackets."))


def _too_long() -> str:
    return _("the result would have more than {most} digits.").format(most=MAX_DIGITS)


def _power(base: Fraction, exponent: Fraction) -> Fraction:
    if exponent.denominator != 1:
        raise ArithmeticRefused(_("I know only whole exponents."))
    digits = max(len(str(base.numerator)), len(str(base.denominator)))
    if digits * abs(exponent.numerator) > MAX_DIGITS:
        raise ArithmeticRefused(_too_long())
    return base**exponent.numerator


def _bounded(value: Fraction) -> Fraction:
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > MAX_DIGITS * 4:
        raise ArithmeticRefused(_too_long())
    return value


def _shown(value: Fraction) -> str:
    if value.denominator == 1:
        return number(value.numerator)
    return number(float(value), ",.12g")


def _decimal(value: Fraction) -> str | None:
    """Return a fraction as a decimal where that is exact, else None."""
    rest, digits = value.denominator, 0
    while rest % 10 == 0:
        rest, digits = rest // 10, digits + 1
    for prime in (2, 5):
        while rest % prime == 0:
            rest, digits = rest // prime, digits + 1
    if rest != 1 or digits > MAX_DIGITS:
        return None
    scaled = abs(value.numerator) * 10**digits // value.denominator
    whole, part = divmod(scaled, 10**digits)
    return f"{'-' if value < 0 else ''}{whole}.{str(part).zfill(digits).rstrip('0')}"


def _rounded(value: Fraction) -> str:
    """Return a fraction to twelve digits; floats end at 308 digits, these numbers do not."""
    with localcontext(prec=12):
        return str(Decimal(value.numerator) / Decimal(value.denominator))
