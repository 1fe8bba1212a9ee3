"""Vectors of texts, from the providers whose protocol has them. The reading is that of wire.py."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import httpx2

from llm_ui.errors import ProviderError, ProviderFault
from llm_ui.models import ProviderKind
from llm_ui.providers.base import Embedded, Embedder, Endpoint, Texts, Timeouts, WireRequest
from llm_ui.providers.google import GoogleProtocol
from llm_ui.providers.ollama import OllamaProtocol
from llm_ui.providers.openai import OpenAIProtocol
from llm_ui.providers.wire import fetch

MAX_DIMENSIONS = 8_192
"""Twice what the longest vectors have that a provider offers."""


class EmbeddingProtocol(Protocol):
    """The pure part of an embedder."""

    def embed(self, endpoint: Endpoint, texts: Texts) -> WireRequest:
        """Return the request for vectors."""
        ...

    def parse_embedded(self, body: object) -> Embedded:
        """Return the vectors of the answer; an empty one for whatever is none."""
        ...


@dataclass(frozen=True, slots=True)
class WireEmbedder:
    """An embedder made of a protocol and the wire's reading."""

    protocol: EmbeddingProtocol

    async def embed(self, http: httpx2.AsyncClient, endpoint: Endpoint, texts: Texts, timeouts: Timeouts) -> Embedded:
        """Return the vectors."""
        body = await fetch(http, self.protocol.embed(endpoint, texts), endpoint, timeouts)
        # Ten thousands of numbers.
        found = await asyncio.to_thread(self.protocol.parse_embedded, body)
        lengths = {len(vector) for vector in found.vectors}
        is_whole = len(found.vectors) == len(texts.texts) and len(lengths) == 1
        if not is_whole or not 1 <= lengths.pop() <= MAX_DIMENSIONS:
            raise ProviderError(
                "The provider did not send a vector for each text. Check that this model makes embeddings.",
                ProviderFault.PROTOCOL_BROKEN,
            )
        return found


EMBEDDERS: Mapping[ProviderKind, Embedder] = {
    ProviderKind.OPENAI: WireEmbedder(OpenAIProtocol()),
    ProviderKind.GOOGLE: WireEmbedder(GoogleProtocol()),
    ProviderKind.OLLAMA: WireEmbedder(OllamaProtocol()),
}
"""Anthropic has no embeddings, and the demo is no language model."""


def embedder(kind: ProviderKind) -> Embedder:
    """Return what makes vectors with a kind of provider. Raises `ProviderError` where there is none."""
    try:
        return EMBEDDERS[kind]
    except KeyError:
        raise ProviderError(
            "This provider offers no embeddings. An administrator has to choose a model of another one.",
            ProviderFault.BAD_REQUEST,
        ) from None
