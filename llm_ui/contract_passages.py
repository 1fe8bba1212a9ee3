"""What the pages and the LLM API say to each other about how documents are cut into passages, and these are found."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict


class _Wire(BaseModel):
    """Base of all messages: unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class CutRequest(_Wire):
    """Show how a document would be cut into passages."""

    document_id: UUID
    by: Literal["structure", "pages"] = "structure"
    passage_tokens: int = 350
    overlap_tokens: int = 50


class CutPassage(_Wire):
    """A passage as it would be."""

    headings: tuple[str, ...]
    text: str
    page_from: int
    page_to: int
    tokens: int


class CutPreview(_Wire):
    """The first passages of a document as it would be cut."""

    passages: tuple[CutPassage, ...]
    count: int
    """Of all that were cut."""
    mean_tokens: int
    is_all: bool
    """Whether all of the document was cut, and not its first pages only."""
