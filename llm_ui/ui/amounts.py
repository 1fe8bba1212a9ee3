"""Amounts of money on pages, in the currency that an administrator has chosen."""

from decimal import ROUND_HALF_EVEN, Decimal

from llm_ui.kit.currency import DOLLARS, Currency
from llm_ui.kit.i18n import ngettext, number

_shown = DOLLARS


def show_in(currency: Currency) -> None:
    """Show amounts in this currency from now on, in this process: whoever watches the settings says so."""
    global _shown
    _shown = currency


def in_currency(usd: Decimal) -> Decimal:
    """Return dollars as the amount that is shown, for charts."""
    return _shown.of(usd)


def money(usd: Decimal, rounding: str = ROUND_HALF_EVEN) -> str:
    """Return an amount to the hundredth; below that to two significant digits."""
    return _shown.amount(usd, rounding)


def used(tokens: int, calls: int, usd: Decimal) -> str:
    """Return what somebody used, as a sentence."""
    said = ngettext("{tokens} tokens in {calls} call, {cost}", "{tokens} tokens in {calls} calls, {cost}", calls)
    return said.format(tokens=number(tokens), calls=number(calls), cost=money(usd))


def price(usd: Decimal) -> str:
    """Return what a call costs: two significant digits below one."""
    return _shown.price(usd)
