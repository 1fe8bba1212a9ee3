"""What the pages and the LLM API say to each other about how documents are cut into passages, and these are found."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from llm_ui.contract.base import Wire

MAX_QUERY_CHARS = 1_000


class Cut(Wire):
    """How documents are cut into passages."""

    by: Literal["structure", "pages"] = "structure"
    passage_tokens: int = 350
    overlap_tokens: int = 50


class CutRequest(Cut):
    """Show how a document would be cut."""

    document_id: UUID


class CutPassage(Wire):
    """A passage as it would be."""

    headings: tuple[str, ...]
    text: str
    page_from: int
    page_to: int
    tokens: int


class CutPreview(Wire):
    """The first passages of a document as it would be cut."""

    passages: tuple[CutPassage, ...]
    count: int
    """Of all that were cut."""
    mean_tokens: int
    is_all: bool
    """Whether all of the document was cut, and not its first pages only."""


StrategyName = Literal["lexical", "vector", "hybrid"]
"""By words, by what they mean, or by both."""
WayName = StrategyName | Literal["reranked"]
"""Also the best of these that there is, put in order by the reranking model."""


class BenchRequest(Wire):
    """Look for passages of a project in each way there is."""

    project_id: UUID
    query: Annotated[str, Field(max_length=MAX_QUERY_CHARS)]
    most: Annotated[int, Field(ge=1, le=20)] = 10


class RankedPassage(Wire):
    """A passage that was found."""

    document_id: UUID
    name: str
    """The document's."""
    passage: int
    """The id of the passage."""
    headings: tuple[str, ...]
    text: str
    page: int
    has_pages: bool
    """Whether its page is one that a person counts."""
    score: float
    """Comparable within one way only."""


class Ranked(Wire):
    """What was found in one way, best first."""

    strategy: StrategyName
    passages: tuple[RankedPassage, ...]
    took_ms: float


class SentPassage(RankedPassage):
    """A passage that would be sent, or that would not."""

    number: int | None
    """What it would be cited by; None: it would not be sent."""
    is_beside: bool
    """Whether it was not found but stands around what was."""
    left_out: Literal["weak", "alike", "room"] | None
    """Why it would not be sent: it barely matches, it says nearly the same as another one, or the model takes no
    more."""


class AsInAnswers(Wire):
    """What a question in a new chat would be answered from."""

    passages: tuple[SentPassage, ...]
    """Those that would be sent, best first, then those that would not."""
    took_ms: float
    strategy: StrategyName
    model: str
    """Whose window decides how many there is room for; empty: no model can be asked."""
    reranked_by: str
    """The model that put them in order; empty: none."""
    not_reranked: str
    """Why none did, although one is set."""
    reranking_ms: float


class BenchFound(Wire):
    """What was found in each way."""

    words: tuple[str, ...]
    """The words of the question that are searched for."""
    rankings: tuple[Ranked, ...]
    answers: AsInAnswers
    vector_ms: float | None
    """How long the vector of the question took; None: there is none."""
    problem: str | None
    """Why there is none, although there is an embedding model."""


class MeasureRequest(Wire):
    """Measure how well the test set of a project is answered."""

    project_id: UUID
    other: Cut | None = None
    """Also as if its documents were cut this way."""


class MeasuredWay(Wire):
    """How well one way answers."""

    cut: Cut
    strategy: WayName
    ndcg: float
    recall: float
    reciprocal_rank: float
    """These three of the first ten that are found."""
    unwanted: int
    """So many unwanted passages are among the first ten of all questions."""
    p50_ms: float


class MeasureReport(Wire):
    """How well each way answers."""

    rows: tuple[MeasuredWay, ...]
    questions: int
    documents: int
    is_all: bool
    """Whether these are all documents of the project."""
    problem: str | None
    not_reranked: str
    """Why nothing is said of passages put in order, although a model is set for that."""
