"""The currency in which people read amounts. Prices, budgets and what was spent are kept in US dollars."""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from llm_ui.kit.i18n import DECIMAL_COMMA, language, number
from llm_ui.kit.i18n import gettext as _

SYMBOLS = {
    "USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹", "KRW": "₩", "ILS": "₪", "CNY": "CN¥", "BRL": "R$",
    "AUD": "A$", "CAD": "CA$", "HKD": "HK$", "MXN": "MX$", "NZD": "NZ$", "TWD": "NT$",
}  # fmt: skip
"""Those of the Unicode CLDR for English; the others are written as their code of ISO 4217."""
CODES = (
    "USD", "EUR", "GBP", "CHF", "JPY", "CNY", "INR", "AUD", "CAD", "NZD", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF",
    "RON", "TRY", "ILS", "AED", "SAR", "ZAR", "BRL", "MXN", "KRW", "SGD", "HKD", "TWD", "THB", "IDR",
)  # fmt: skip
CENT, LEAST = Decimal("0.01"), Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Currency:
    """A currency, and how many of it one US dollar is."""

    code: str = "USD"
    rate: Decimal = Decimal(1)

    def of(self, usd: Decimal) -> Decimal:
        """Return an amount of dollars in it."""
        return usd * self.rate

    def amount(self, usd: Decimal, rounding: str = ROUND_HALF_EVEN) -> str:
        """Return an amount to the hundredth; below that to two significant digits."""
        value = self.of(usd)
        if value == 0 or value >= CENT:
            return self._written(number(value.quantize(CENT, rounding), ","))
        return self._small(value)

    def price(self, usd: Decimal) -> str:
        """Return what a call costs: two significant digits below one."""
        value = self.of(usd)
        if value == 0:
            return _("free")
        return self._written(number(value, ",.2f")) if value >= 1 else self._small(value)

    def _small(self, value: Decimal) -> str:
        if value < LEAST:
            return _("under {amount}").format(amount=self._written(number(LEAST, "f")))
        return self._written(number(value, ".2g"))

    def _written(self, digits: str) -> str:
        symbol = SYMBOLS.get(self.code, self.code)
        if language() in DECIMAL_COMMA:
            return f"{digits}\N{NO-BREAK SPACE}{symbol}"
        return f"{symbol}\N{NO-BREAK SPACE}{digits}" if symbol.isalpha() else f"{symbol}{digits}"


DOLLARS = Currency()
