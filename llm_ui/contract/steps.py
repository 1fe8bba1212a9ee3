"""Tools that models use for their answers."""

from typing import Any, Literal

from llm_ui.contract.base import Wire

ToolName = Literal["search_documents", "read_document", "calculate", "current_time"]
"""Tools that models can use."""

MAX_TIME_ZONE_CHARS = 64
"""Of the name of a time zone, such as Europe/Berlin."""


class Step(Wire):
    """A tool that a model used for an answer, and what came of it."""

    number: int
    """From 1, within one answer."""
    round: int
    """The request to the model whose answer called it, from 1; 0: it was used for the answer that this one goes on."""
    at: int
    """Where it stands in the answer's text, in characters."""
    name: str
    """What the model called; there may be no such tool."""
    arguments: dict[str, Any] | None
    """None: what came was no JSON object."""
    state: Literal["running", "done", "failed", "stopped"] = "running"
    """`stopped`: the run ended before it did."""
    result: str = ""
    """What the model was told; of one that failed why, in a sentence."""
    ms: float | None = None
    """How long it took."""
