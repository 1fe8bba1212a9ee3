"""Personal data: e-mail addresses, telephone and account numbers. Where a number has a check digit, it has to be right.

Sources: IBAN ISO 13616 with mod 97-10 of ISO 7064; cards ISO/IEC 7812 (Luhn); German tax id ISO 7064 mod 11,10
(Bundeszentralamt für Steuern, "Steuerliche Identifikationsnummer"); US social security numbers SSA POMS RM 10201.
"""

import ipaddress
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from llm_ui.models import FilterKind
from llm_ui.runs.filters.base import Finding, open_token

EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[^\W_][\w-]{0,62}\.){1,4}[^\W\d_]{2,24}(?![\w-])")
INTERNATIONAL = re.compile(r"(?<![\w+.])(?:\+|00)[1-9](?:[ ()/.-]{0,2}\d){6,14}(?![\w])")
GERMAN = re.compile(r"(?<![\w.,/+-])(?:\(0[1-9]\d{1,4}\)|0[1-9]\d{1,4})[ /-]{1,3}\d{2,8}(?:[ -]\d{2,6}){0,3}(?![\w/-])")
AMERICAN = re.compile(r"(?<![\w.-])(?:\([2-9]\d\d\) ?|[2-9]\d\d[-.])\d{3}[-.]\d{4}(?![\w-])")
IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?=[ A-Z0-9])")
CARD = re.compile(r"(?<![\w.-])[3-6]\d{3}(?:[ -]?\d){9,15}(?![\w-])|(?<![\w.-])2[2-7]\d\d(?:[ -]?\d){12}(?![\w-])")
TAX_ID = re.compile(r"(?<![\w.+-])[1-9]\d(?: ?\d{3}){3}(?![\w-])")
SSN = re.compile(r"(?<![\w-])(?!000|666|9)\d{3}-(?!00)\d\d-(?!0000)\d{4}(?![\w-])")
IPV4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w]|\.\d)")
IPV6 = re.compile(r"(?<![\w:.])(?=[0-9A-Fa-f:]{0,4}:)[0-9A-Fa-f:]{6,39}(?![\w:.])")
VERSION = re.compile(r"(?:version|release|v|ver\.|oid)[ :=]{0,2}$", re.IGNORECASE)
IBAN_CHARS = {
    "AD": 24, "AE": 23, "AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20,
    "ES": 24, "FI": 18, "FR": 27, "GB": 22, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IS": 26, "IT": 27,
    "LI": 21, "LT": 20, "LU": 20, "LV": 21, "MC": 27, "MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "RO": 24,
    "SA": 24, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "TR": 26, "UA": 29,
}  # fmt: skip
"""Characters of an account number in each country."""
MIN_OCTET = 20
"""Of the largest part of an address: four small numbers are the version of something, or a chapter."""
PHONE_DIGITS = range(9, 16)
TYPES = ("email", "phone", "iban", "card", "tax_id", "ssn", "ip")


def _digits(text: str) -> str:
    return "".join(filter(str.isdecimal, text))


def has_luhn(digits: str) -> bool:
    """Return whether the last digit is the Luhn check digit of the others."""
    doubled = (int(digit) * (1 + at % 2) for at, digit in enumerate(reversed(digits)))
    return sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0


def is_iban(compact: str) -> bool:
    """Return whether this, without spaces, is an account number of its country with the right check digits."""
    if IBAN_CHARS.get(compact[:2]) != len(compact):
        return False
    return int("".join(str(int(char, 36)) for char in compact[4:] + compact[:4])) % 97 == 1


def is_tax_id(digits: str) -> bool:
    """Return whether these eleven digits are a German tax id: one of the first ten comes twice or three times."""
    counts = sorted(digits[:10].count(digit) for digit in set(digits[:10]))
    if counts[-1] not in (2, 3) or (len(counts) > 1 and counts[-2] != 1):
        return False
    product = 10
    for digit in digits[:10]:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == int(digits[10])


def _is_global(address: str) -> bool:
    """Return whether this is the address of one host of the internet; others say nothing of anybody."""
    try:
        return ipaddress.ip_address(address).is_global
    except ValueError:
        return False


def _ibans(text: str) -> Iterator[tuple[int, int]]:
    for match in IBAN.finditer(text):
        chars, at = IBAN_CHARS.get(match[0][:2], 0), match.start()
        compact = ""
        while len(compact) < chars and at < len(text):
            char = text[at]
            if char.isascii() and (char.isdigit() or char.isupper()):
                compact += char
            elif char != " " or text[at - 1] == " ":
                break
            at += 1
        if chars and len(compact) == chars and not text[at : at + 1].isalnum() and is_iban(compact):
            yield match.start(), at


def _matching(pattern: re.Pattern[str], is_one: Callable[[str], bool]) -> Callable[[str], Iterator[tuple[int, int]]]:
    def find(text: str) -> Iterator[tuple[int, int]]:
        return (match.span() for match in pattern.finditer(text) if is_one(match[0]))

    return find


def _phones(text: str) -> Iterator[tuple[int, int]]:
    for pattern in (INTERNATIONAL, GERMAN, AMERICAN):
        for match in pattern.finditer(text):
            if len(_digits(match[0])) in PHONE_DIGITS:
                yield match.span()


def _addresses(text: str) -> Iterator[tuple[int, int]]:
    for match in IPV4.finditer(text) if text.count(".") >= 3 else ():
        is_small = all(int(part) < MIN_OCTET for part in match[0].split("."))
        if (
            not is_small
            and _is_global(match[0])
            and not VERSION.search(text, max(0, match.start() - 10), match.start())
        ):
            yield match.span()
    for match in IPV6.finditer(text) if text.count(":") >= 2 else ():
        if _is_global(match[0]):
            yield match.span()


def _emails(text: str) -> Iterator[tuple[int, int]]:
    return (match.span() for match in EMAIL.finditer(text)) if "@" in text else iter(())


FINDERS: dict[str, Callable[[str], Iterator[tuple[int, int]]]] = {
    "email": _emails,
    "iban": _ibans,
    "card": _matching(CARD, lambda said: has_luhn(_digits(said))),
    "tax_id": _matching(TAX_ID, lambda said: is_tax_id(_digits(said))),
    "ssn": _matching(SSN, bool),
    "phone": _phones,
    "ip": _addresses,
}


@dataclass(frozen=True, slots=True)
class PersonalData:
    """Finds the chosen sorts of personal data."""

    types: Collection[str] = TYPES

    def find(self, text: str) -> Iterator[Finding]:
        """Yield what is found."""
        has_digit = any(map(text.__contains__, "0123456789"))
        for what, finder in FINDERS.items():
            if what in self.types and (has_digit or what == "email"):
                for start, end in finder(text):
                    yield Finding(FilterKind.PII, what, start, end)

    def open_from(self, text: str) -> int:
        """Return where the last word or number begins."""
        return open_token(text)
