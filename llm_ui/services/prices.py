"""What a model costs: list prices from the bundled `genai-prices`, and the exact cost of a run."""

from dataclasses import dataclass
from decimal import Decimal

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
class Prices:
    """Dollars per million tokens; None where unknown."""

    input_usd_per_mtok: Decimal | None = None
    cached_input_usd_per_mtok: Decimal | None = None
    output_usd_per_mtok: Decimal | None = None


MAX_PRICE_USD_PER_MTOK = Decimal(100_000)
WRITING = Decimal("0.25")
"""What tokens cost beside their price that a provider keeps: of those we speak to only Anthropic charges it, see
https://platform.claude.com/docs/en/build-with-claude/prompt-caching, *Pricing*, read 2026-11-22."""
FREE = Prices(Decimal(0), Decimal(0), Decimal(0))


def check(prices: Prices) -> None:
    """Raise `InvalidInput` unless a model may have these prices."""
    for price in (prices.input_usd_per_mtok, prices.cached_input_usd_per_mtok, prices.output_usd_per_mtok):
        if price is not None and not (price.is_finite() and 0 <= price <= MAX_PRICE_USD_PER_MTOK):
            raise InvalidInput("A price must be between 0 and 100,000 dollars per million tokens.")
    has_input = prices.input_usd_per_mtok is not None
    if has_input != (prices.output_usd_per_mtok is not None):
        raise InvalidInput("Give both prices, for input and output, or leave both empty.")
    if prices.cached_input_usd_per_mtok is not None and not has_input:
        raise InvalidInput("A price for cached input needs the prices for input and output too.")


def cost(
    prices: Prices, *, input_tokens: int, cached_tokens: int, output_tokens: int, written_tokens: int = 0
) -> Decimal | None:
    """Return the exact price in USD, or None when the model has no price.

    `cached_tokens` are part of `input_tokens` and cost their own price where there is one; so are `written_tokens`,
    which cost a quarter more than others.
    """
    if prices.input_usd_per_mtok is None or prices.output_usd_per_mtok is None:
        return None
    cached_tokens = min(cached_tokens, input_tokens)
    cached_price = prices.cached_input_usd_per_mtok
    if cached_price is None:
        cached_price = prices.input_usd_per_mtok
    fresh = (input_tokens - cached_tokens) * prices.input_usd_per_mtok
    fresh += min(written_tokens, input_tokens - cached_tokens) * prices.input_usd_per_mtok * WRITING
    return (fresh + cached_tokens * cached_price + output_tokens * prices.output_usd_per_mtok) / TOKENS_PER_MTOK


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
        prices = Prices(
            *(_base(getattr(found, name, None)) for name in ("input_mtok", "cache_read_mtok", "output_mtok"))
        )
        return ListedModel(prices if _is_whole(prices) else Prices(), model.context_window)
    return None


def _is_whole(prices: Prices) -> bool:
    """Return whether text can be priced: models that are paid by image or by minute have no such price."""
    return prices.input_usd_per_mtok is not None and prices.output_usd_per_mtok is not None


def _base(price: Decimal | TieredPrices | None) -> Decimal | None:
    """Return the price of short prompts, where long ones cost more."""
    return price.base if isinstance(price, TieredPrices) else price
