"""What is told when an *Auto* model is tried."""

from uuid import UUID

from pydantic import Field

from llm_ui.contract.base import Wire

MAX_TRIED_CHARS = 20_000


class AutoTryRequest(Wire):
    """A question that nobody is asked."""

    model_id: UUID
    """The Auto model."""
    text: str = Field(min_length=1, max_length=MAX_TRIED_CHARS)
    has_images: bool = False
    needs_tools: bool = False
    needs_form: bool = False


class AutoTry(Wire):
    """What would be picked."""

    choice: dict[str, object]
    """As a run keeps it (services/auto_rules.py)."""
