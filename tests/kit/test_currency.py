"""Amounts as people read them, in the workspace's currency and their own language."""

from decimal import Decimal

import pytest

from llm_ui.kit.currency import DOLLARS, Currency
from llm_ui.kit.i18n import speak

EURO, FRANC = Currency("EUR", Decimal("0.5")), Currency("CHF", Decimal("0.8"))
N = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("currency", "usd", "amount", "price"),
    [
        (DOLLARS, "0", "$0.00", "free"),
        (DOLLARS, "1234.5", "$1,234.50", "$1,234.50"),
        (DOLLARS, "0.256", "$0.26", "$0.26"),
        (DOLLARS, "0.00123", "$0.0012", "$0.0012"),
        (DOLLARS, "0.0000001", "under $0.0001", "under $0.0001"),
        (EURO, "0.00123", "€0.00062", "€0.00062"),
        (EURO, "0.00019", "under €0.0001", "under €0.0001"),
        (EURO, "2469", "€1,234.50", "€1,234.50"),
        (FRANC, "10", f"CHF{N}8.00", f"CHF{N}8.00"),
    ],
)
def test_amounts_in_english(currency: Currency, usd: str, amount: str, price: str) -> None:
    assert (currency.amount(Decimal(usd)), currency.price(Decimal(usd))) == (amount, price)


@pytest.mark.parametrize(
    ("currency", "usd", "amount"),
    [
        (DOLLARS, "1234.5", f"1.234,50{N}$"),
        (EURO, "0.00123", f"0,00062{N}€"),
        (EURO, "0.00019", f"unter 0,0001{N}€"),
        (FRANC, "10", f"8,00{N}CHF"),
    ],
)
def test_amounts_in_german(currency: Currency, usd: str, amount: str) -> None:
    speak("de")
    found = currency.amount(Decimal(usd))
    speak("en")

    assert found == amount
