"""What a model costs: list prices from the bundled `genai-prices`, and the exact cost of a run."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from genai_prices import data_snapshot
from genai_prices.types import TieredPrices

from llm_ui.errors import InvalidInput
from llm_ui.kit.clock import now
from llm_ui.kit.money import TOKENS_PER_MTOK
from llm_ui.models import ProviderKind

PROVIDER_OF_KIND = {ProviderKind.ANTHROPIC: "anthropic", ProviderKind.GOOGLE: "google", ProviderKind.OPENAI: "openai"}
FREE_KINDS = frozenset({ProviderKind.DEMO, ProviderKind.OLLAMA})
"""Kinds that run on own machines and charge nothing."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Dollars per million tokens; None where unknown."""

    input_usd_per_mtok: Decimal | None = None
    cached_input_usd_per_mtok: Decimal | None = None
    """None: as other input."""
    output_usd_per_mtok: Decimal | None = None
    reasoning_usd_per_mtok: Decimal | None = None
    """Of the part of the output that is reasoning; None: as other output."""


@dataclass(frozen=True, slots=True)
class Tier(Rates):
    """The rates of all tokens of a call that sends more than so many."""

    above_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Prices(Rates):
    """What a model costs: the rates of all calls, but for those that are so long that a tier's hold."""

    tiers: tuple[Tier, ...] = ()
    """From the shortest prompts to the longest."""

    def of_prompt(self, input_tokens: int) -> Rates:
        """Return the rates of a call that sends so many tokens: those of the longest tier that it is above."""
        return next((tier for tier in reversed(self.tiers) if input_tokens > tier.above_tokens), self)


RATES = ("input_usd_per_mtok", "cached_input_usd_per_mtok", "output_usd_per_mtok", "reasoning_usd_per_mtok")
LISTED = ("input_mtok", "cache_read_mtok", "output_mtok", "output_reasoning_mtok")
"""What the public list calls them."""
MAX_PRICE_USD_PER_MTOK = Decimal(100_000)
WRITING = Decimal("0.25")
"""What tokens cost beside their price that a provider keeps: of those we speak to only Anthropic charges it, see
https://platform.claude.com/docs/en/build-with-claude/prompt-caching, *Pricing*, read 2026-11-22."""
FREE = Prices(Decimal(0), Decimal(0), Decimal(0))


def check(prices: Prices) -> None:
    """Raise `InvalidInput` unless a model may have these prices."""
    for rates in (prices, *prices.tiers):
        _check_rates(rates)


def _check_rates(prices: Rates) -> None:
    for price in (getattr(prices, rate) for rate in RATES):
        if price is not None and not (price.is_finite() and 0 <= price <= MAX_PRICE_USD_PER_MTOK):
            raise InvalidInput("A price must be between 0 and 100,000 dollars per million tokens.")
    has_input = prices.input_usd_per_mtok is not None
    if has_input != (prices.output_usd_per_mtok is not None):
        raise InvalidInput("Give both prices, for input and output, or leave both empty.")
    if prices.cached_input_usd_per_mtok is not None and not has_input:
        raise InvalidInput("A price for cached input needs the prices for input and output too.")
    if prices.reasoning_usd_per_mtok is not None and not has_input:
        raise InvalidInput("A price for reasoning needs the prices for input and output too.")


def cost(
    prices: Prices,
    *,
    input_tokens: int,
    output_tokens: int,
    cached_tokens: int = 0,
    reasoning_tokens: int = 0,
    written_tokens: int = 0,
) -> Decimal | None:
    """Return the exact price in USD of one call, or None when the model has no price.

    `cached_tokens` are part of `input_tokens`, `reasoning_tokens` of `output_tokens`; each cost their own price where
    there is one. `written_tokens` are part of `input_tokens` too, and cost a quarter more than others. Where long
    prompts cost more, all tokens of a long one do, as the price list says of its tiers.
    """
    rates = prices.of_prompt(input_tokens)
    if rates.input_usd_per_mtok is None or rates.output_usd_per_mtok is None:
        return None
    cached_tokens, reasoning_tokens = min(cached_tokens, input_tokens), min(reasoning_tokens, output_tokens)
    written_tokens = min(written_tokens, input_tokens - cached_tokens)
    shares = (
        (input_tokens - cached_tokens + written_tokens * WRITING, rates.input_usd_per_mtok),
        (cached_tokens, _or(rates.cached_input_usd_per_mtok, rates.input_usd_per_mtok)),
        (output_tokens - reasoning_tokens, rates.output_usd_per_mtok),
        (reasoning_tokens, _or(rates.reasoning_usd_per_mtok, rates.output_usd_per_mtok)),
    )
    return sum((tokens * price for tokens, price in shares), Decimal(0)) / TOKENS_PER_MTOK


def _or(price: Decimal | None, otherwise: Decimal) -> Decimal:
    return otherwise if price is None else price


@dataclass(frozen=True, slots=True)
class ListedModel:
    """What the bundled list knows of a model."""

    prices: Prices
    context_window: int | None


def listed(kind: ProviderKind, base_url: str, model_name: str) -> ListedModel | None:
    """Return the public list's entry of a model, or None when the bundled list does not know it.

    The address is tried first, so that a reseller's own prices are found; nothing is asked over the network.
    """
    if kind in FREE_KINDS:
        return ListedModel(FREE, None)
    snapshot = data_snapshot.get_snapshot()
    by_address: tuple[str | None, str | None] = (None, base_url)
    by_kind: tuple[str | None, str | None] = (PROVIDER_OF_KIND[kind], None)
    # Any server may speak OpenAI's protocol: its models are not OpenAI's for that.
    tries = (by_address,) if kind is ProviderKind.OPENAI else (by_address, by_kind)
    for provider_id, url in tries:
        try:
            _, model = snapshot.find_provider_model(model_name, None, provider_id, url)
        except LookupError:
            continue
        found = model.get_prices(now())
        prices = _prices([getattr(found, name, None) for name in LISTED])
        return ListedModel(prices if _is_whole(prices) else Prices(), model.context_window)
    return None


def _is_whole(prices: Prices) -> bool:
    """Return whether text can be priced: models that are paid by image or by minute have no such price."""
    return prices.input_usd_per_mtok is not None and prices.output_usd_per_mtok is not None


def _prices(listed_rates: list[Decimal | TieredPrices | None]) -> Prices:
    """Return a model's prices; where long prompts cost more the list says so of each rate on its own."""
    begins = {tier.start for rate in listed_rates if isinstance(rate, TieredPrices) for tier in rate.tiers}
    tiers = tuple(Tier(**_rates(listed_rates, begin), above_tokens=begin) for begin in sorted(begins))
    return Prices(**_rates(listed_rates, -1), tiers=tiers)


def _rates(listed_rates: list[Decimal | TieredPrices | None], tokens: int) -> dict[str, Any]:
    return {name: _above(rate, tokens) for name, rate in zip(RATES, listed_rates, strict=True)}


def _above(price: Decimal | TieredPrices | None, tokens: int) -> Decimal | None:
    """Return the rate of prompts that are longer than so many tokens, and no longer than the next tier's."""
    if not isinstance(price, TieredPrices):
        return price
    tiers = (tier.price for tier in reversed(price.tiers) if tier.start <= tokens)
    found: Decimal = next(tiers, price.base)
    return found
