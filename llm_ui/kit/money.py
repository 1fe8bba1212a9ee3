"""Exact amounts of money in US dollars."""

from decimal import ROUND_HALF_EVEN, Decimal

PICODOLLARS_PER_USD = 10**12
"""One token at $0.01 per million costs 10,000 picodollars: whole numbers stay exact and SQL can add them up."""

TOKENS_PER_MTOK = 1_000_000


def to_picodollars(amount: Decimal) -> int:
    """Return the amount in picodollars (10⁻¹² USD), rounded half to even."""
    return int((amount * PICODOLLARS_PER_USD).to_integral_value(rounding=ROUND_HALF_EVEN))


def from_picodollars(value: int) -> Decimal:
    """Return the amount in USD, without trailing zeros."""
    amount = Decimal(value) / PICODOLLARS_PER_USD
    return amount.normalize() if amount else Decimal(0)


def plain(amount: Decimal) -> str:
    """Return the amount as digits without an exponent, for JSON and forms."""
    return f"{amount:f}"
