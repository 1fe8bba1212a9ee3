from decimal import Decimal

import pytest

from llm_ui.models import ProviderKind
from llm_ui.services.prices import FREE, Prices, Tier, cost, listed

OPENAI = "https://api.openai.com/v1"


def usd(text: str) -> Decimal:
    return Decimal(text)


def test_cost_is_exact_to_the_last_picodollar() -> None:
    prices = Prices(usd("0.15"), usd("0.075"), usd("0.60"))

    assert cost(prices, input_tokens=1_001, cached_tokens=1_000, output_tokens=7) == usd("0.00007935")


def test_cached_tokens_cost_the_full_price_where_they_have_none_of_their_own() -> None:
    prices = Prices(usd("3"), None, usd("15"))

    assert cost(prices, input_tokens=10, cached_tokens=4, output_tokens=0) == usd("0.00003")


def test_more_cached_than_sent_tokens_never_make_a_negative_cost() -> None:
    prices = Prices(usd("3"), usd("0"), usd("15"))

    assert cost(prices, input_tokens=10, cached_tokens=4_000, output_tokens=0) == 0


@pytest.mark.parametrize("prices", [Prices(), Prices(usd("1"), None, None), Prices(None, None, usd("1"))])
def test_an_unknown_price_gives_an_unknown_cost(prices: Prices) -> None:
    assert cost(prices, input_tokens=1, cached_tokens=0, output_tokens=1) is None


def test_a_price_of_zero_gives_a_cost_of_zero() -> None:
    assert cost(FREE, input_tokens=1, cached_tokens=1, output_tokens=1) == 0


def test_a_known_model_has_its_list_price_and_window() -> None:
    found = listed(ProviderKind.OPENAI, OPENAI, "gpt-4o-mini")

    assert found is not None
    assert found.prices == Prices(usd("0.15"), usd("0.075"), usd("0.6"))
    assert found.context_window == 128_000


def test_a_reseller_is_found_by_its_address() -> None:
    found = listed(ProviderKind.OPENAI, "https://openrouter.ai/api/v1", "openai/gpt-4o-mini")

    assert found is not None
    assert found.prices.input_usd_per_mtok == usd("0.15")


def test_a_server_that_speaks_openais_protocol_does_not_get_openais_prices() -> None:
    assert listed(ProviderKind.OPENAI, "http://127.0.0.1:1234/v1", "gpt-4o-mini") is None


def test_a_proxy_of_anthropic_has_anthropics_prices() -> None:
    found = listed(ProviderKind.ANTHROPIC, "https://proxy.example.org", "claude-sonnet-4-5")

    assert found is not None
    assert found.prices.output_usd_per_mtok == usd("15")


@pytest.mark.parametrize("kind", [ProviderKind.OLLAMA, ProviderKind.DEMO])
def test_models_on_own_machines_are_free(kind: ProviderKind) -> None:
    found = listed(kind, "http://127.0.0.1:11434", "llama3")

    assert found is not None
    assert found.prices == FREE


def test_every_listed_price_is_whole_or_absent() -> None:
    for name in ("gpt-4o", "whisper-1", "dall-e-3", "tts-1", "text-embedding-3-small", "no-such-model"):
        found = listed(ProviderKind.OPENAI, OPENAI, name)
        if found is not None:
            assert (found.prices.input_usd_per_mtok is None) == (found.prices.output_usd_per_mtok is None)


def test_all_tokens_of_a_long_prompt_cost_what_its_tier_says_and_reasoning_its_own_price() -> None:
    tiers = Tier(usd("2"), usd("0.2"), usd("20"), usd("30"), 100), Tier(usd("4"), None, usd("40"), None, 200)
    prices = Prices(usd("1"), None, usd("10"), usd("5"), tiers)

    def paid(sent: int) -> Decimal | None:
        found = cost(prices, input_tokens=sent, cached_tokens=50, output_tokens=10, reasoning_tokens=4)
        return None if found is None else found * 1_000_000

    assert paid(100) == 100 * 1 + 6 * 10 + 4 * 5
    assert paid(101) == 51 * 2 + 50 * usd("0.2") + 6 * 20 + 4 * 30
    assert paid(201) == 201 * 4 + 10 * 40


def test_the_lists_tiers_and_prices_of_reasoning_are_taken_over() -> None:
    claude = listed(ProviderKind.ANTHROPIC, "https://api.anthropic.com", "claude-sonnet-4-5")
    research = listed(ProviderKind.OPENAI, "https://api.perplexity.ai", "sonar-deep-research")

    assert claude is not None
    assert claude.prices.tiers == (Tier(usd("6"), usd("0.6"), usd("22.5"), None, 200_000),)
    assert cost(claude.prices, input_tokens=200_001, cached_tokens=0, output_tokens=0) == usd("1.200006")
    assert research is not None
    assert research.prices == Prices(usd("2"), None, usd("8"), usd("3"))
