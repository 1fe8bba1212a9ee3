"""What a page may ask of the retrieval bench of a project, checked."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from llm_ui.chat.op import Reply
from llm_ui.chat.reply_ops import Cut, OfProject
from llm_ui.contract.passages import MAX_QUERY_CHARS
from llm_ui.models import Strategy
from llm_ui.services.retrieval import MAX_PASSAGE_CHARS

Question = Annotated[str, Field(max_length=MAX_QUERY_CHARS)]
PassageText = Annotated[str, Field(max_length=20 * MAX_PASSAGE_CHARS)]


class OfBench(Reply):
    """What is done on the retrieval bench."""


class ReadBench(OfBench, OfProject):
    """Tell the test set of a project, and how its passages are found."""

    op: Literal["read_bench"]


class TrySearch(OfBench, OfProject):
    """Tell what a question finds. `number` counts what was asked for, so that an answer that is late is known."""

    op: Literal["try_search"]
    number: int
    query: Question


class JudgePassage(OfBench, OfProject):
    """Make a case of what was found."""

    op: Literal["judge_passage"]
    document: UUID
    question: Question
    passage: PassageText
    is_wanted: bool


class ChangeCase(OfBench):
    """Put a case in other words."""

    op: Literal["change_case"]
    case: UUID
    question: Question
    passage: PassageText
    is_wanted: bool


class DeleteCase(OfBench):
    """Delete one."""

    op: Literal["delete_case"]
    case: UUID


class MeasureCases(OfBench, OfProject):
    """Measure how well the test set is answered, also as if the documents were cut otherwise."""

    op: Literal["measure_cases"]
    other: Cut | None = None


class Promote(Cut, OfBench, OfProject):
    """Search and cut this way from now on."""

    op: Literal["promote"]
    strategy: Strategy | None
    """None: the best there is, put in order anew where a model is set for that."""
    measured: Strategy | Literal["reranked"]
    """The way whose figures were compared."""


Bench = ReadBench | TrySearch | JudgePassage | ChangeCase | DeleteCase | MeasureCases | Promote
"""What is done on the retrieval bench."""
