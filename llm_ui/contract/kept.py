"""What is told of an answer that was there already."""

from datetime import datetime

from llm_ui.contract.base import Wire


class KeptAnswer(Wire):
    """Where an answer comes from that no model was asked for."""

    cached_at: datetime | None = None
    """When it was made; None: for this very question."""
    similarity: float | None = None
    """The cosine with the question that it was the answer to; None: it was the very same."""
    similar_to: str = ""
    """That question, where the same person asked it in the same project."""
