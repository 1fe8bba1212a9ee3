"""Texts in the order in which they answer a question, from servers that have `POST /rerank` beside OpenAI's protocol.

The protocol is Cohere's (https://docs.cohere.com/reference/rerank), which Jina, vLLM and LiteLLM speak too, as OpenVINO
describes it (https://docs.openvino.ai/2025/model-server/ovms_docs_rest_api_rerank.html, read 2026-11-22):
`{model, query, documents, top_n}` in, `{results: [{index, relevance_score}]}` out. Scores are comparable within one
answer; they need not be probabilities and may be negative. What was used stands in `usage.total_tokens` or
`meta.tokens.input_tokens`, or nowhere.
"""

import math
from dataclasses import dataclass

import httpx2

from llm_ui.errors import ProviderError, ProviderFault
from llm_ui.providers.base import Endpoint, Timeouts, WireRequest
from llm_ui.providers.fields import array, count, obj
from llm_ui.providers.openai import headers
from llm_ui.providers.wire import fetch


@dataclass(frozen=True, slots=True)
class Reranked:
    """The places of texts, the best one first, and what was used."""

    order: tuple[int, ...]
    input_tokens: int | None = None
    """As the provider counts them; None where it does not say."""


async def rerank(
    http: httpx2.AsyncClient, endpoint: Endpoint, model: str, query: str, texts: tuple[str, ...], timeouts: Timeouts
) -> Reranked:
    """Return the order of the texts, all of them. Raises `ProviderError` and nothing else."""
    body: dict[str, object] = {"model": model, "query": query, "documents": list(texts), "top_n": len(texts)}
    request = WireRequest(f"{endpoint.base_url}/rerank", headers(endpoint), body)
    found = parse_reranked(await fetch(http, request, endpoint, timeouts))
    if sorted(found.order) != list(range(len(texts))):
        raise ProviderError(
            "The provider did not put the texts in order. Check that this model is a reranker.",
            ProviderFault.PROTOCOL_BROKEN,
        )
    return found


def parse_reranked(body: object) -> Reranked:
    """Return the order that an answer tells; an empty one for whatever is none."""
    answer = obj(body)
    scores: dict[int, float] = {}
    for entry in map(obj, array(answer, "results")):
        place, score = count(entry, "index"), entry.get("relevance_score")
        if place is None or not isinstance(score, int | float) or not math.isfinite(score):
            return Reranked(())
        scores[place] = float(score)
    of_cohere = count(obj(obj(answer.get("meta")).get("tokens")), "input_tokens")
    used = count(obj(answer.get("usage")), "total_tokens")
    return Reranked(tuple(sorted(scores, key=lambda place: -scores[place])), of_cohere if used is None else used)
