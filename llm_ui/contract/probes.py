"""What trying out providers gives, and whether the LLM API can work."""

from typing import Literal

from llm_ui.contract import Usage
from llm_ui.contract.base import Wire


class FoundModel(Wire):
    """A model that a provider says it serves."""

    name: str
    display_name: str
    context_window: int | None = None
    max_output_tokens: int | None = None


class ProviderTest(Wire):
    """What testing a provider's connection gave."""

    is_ok: bool
    message: str
    """One sentence: what works, or what failed and what to do."""
    latency_ms: float | None = None
    models: tuple[FoundModel, ...] = ()


class EmbeddingTest(Wire):
    """What a try of an embedding or a reranking model gave."""

    is_ok: bool
    message: str
    """One sentence: what works, or what failed and what to do."""
    dimensions: int | None = None
    """Numbers of a vector, where it makes any."""
    first: tuple[float, ...] = ()
    """The first of them."""
    took_ms: float | None = None
    usage: Usage | None = None
    cost_usd: str | None = None
    """Exact decimal, or None where the model has no price."""


class FoundServer(Wire):
    """A model server that runs on this host."""

    name: str
    kind: str
    base_url: str
    models: tuple[FoundModel, ...]


class Health(Wire):
    """State of the LLM API."""

    status: Literal["ok", "draining", "unavailable"]
    message: str = ""
    level: Literal["", "full", "degraded", "cached", "static"] = ""
    """How much of the models' service there is; empty: not known."""


class AlertTest(Wire):
    """How telling an alert as a test ended."""

    problem: str = ""
    """Why nobody was told; empty: somebody was."""
