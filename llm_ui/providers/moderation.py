"""What a provider's moderation endpoint flags: https://platform.openai.com/docs/api-reference/moderations (2026-11)."""

from collections.abc import Sequence

import httpx2

from llm_ui.errors import ProviderError, ProviderFault
from llm_ui.providers.base import Endpoint, Timeouts, WireRequest
from llm_ui.providers.fields import array, obj
from llm_ui.providers.openai import headers
from llm_ui.providers.wire import fetch

TIMEOUTS = Timeouts(connect_s=3, first_byte_s=8, idle_s=5, total_s=10)


async def moderate(
    http: httpx2.AsyncClient, endpoint: Endpoint, model: str, texts: Sequence[str]
) -> tuple[frozenset[str], ...]:
    """Return of each text the categories that are flagged; empty where none is. Raises `ProviderError`."""
    body: dict[str, object] = {"input": list(texts), **({"model": model} if model else {})}
    wire = WireRequest(f"{endpoint.base_url}/moderations", headers(endpoint), body)
    results = array(obj(await fetch(http, wire, endpoint, TIMEOUTS)), "results")
    if len(results) != len(texts):
        raise ProviderError("The provider did not judge each text.", ProviderFault.PROTOCOL_BROKEN)
    return tuple(_flagged(obj(result)) for result in results)


def _flagged(result: dict[str, object]) -> frozenset[str]:
    if result.get("flagged") is not True:
        return frozenset()
    categories = (name for name, is_so in obj(result.get("categories")).items() if is_so is True)
    return frozenset(categories) or frozenset({"flagged"})
