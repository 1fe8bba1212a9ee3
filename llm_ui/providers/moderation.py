"""What a provider's moderation endpoint flags: https://platform.openai.com/docs/api-reference/moderations (2026-11)."""

from collections.abc import Sequence

import httpx2

from llm_ui.errors import ProviderError, ProviderFault
from llm_ui.providers.base import Endpoint, Image, Timeouts, WireRequest
from llm_ui.providers.fields import array, obj
from llm_ui.providers.openai import headers
from llm_ui.providers.wire import fetch

TIMEOUTS = Timeouts(connect_s=3, first_byte_s=8, idle_s=5, total_s=10)


async def moderate(
    http: httpx2.AsyncClient, endpoint: Endpoint, model: str, asked: Sequence[str | Image]
) -> tuple[frozenset[str], ...]:
    """Return of each text, or of one picture, the categories that are flagged; empty where none is.

    A picture is asked for alone: what is sent with it is judged as one. Raises `ProviderError`.
    """
    told = [_picture(one) if isinstance(one, Image) else one for one in asked]
    body: dict[str, object] = {"input": told, **({"model": model} if model else {})}
    wire = WireRequest(f"{endpoint.base_url}/moderations", headers(endpoint), body)
    results = array(obj(await fetch(http, wire, endpoint, TIMEOUTS)), "results")
    if len(results) != len(asked):
        raise ProviderError("The provider did not judge each text.", ProviderFault.PROTOCOL_BROKEN)
    return tuple(_flagged(obj(result)) for result in results)


def _picture(image: Image) -> dict[str, object]:
    return {"type": "image_url", "image_url": {"url": f"data:{image.media_type};base64,{image.data}"}}


def _flagged(result: dict[str, object]) -> frozenset[str]:
    if result.get("flagged") is not True:
        return frozenset()
    categories = (name for name, is_so in obj(result.get("categories")).items() if is_so is True)
    return frozenset(categories) or frozenset({"flagged"})
