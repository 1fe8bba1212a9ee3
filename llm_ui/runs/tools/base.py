"""What every tool is told, is given and gives back. Tools read; none changes anything."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from llm_ui.contract import Source
from llm_ui.db import Database
from llm_ui.errors import InvalidInput
from llm_ui.kit.text import storable
from llm_ui.providers.base import ToolSpec
from llm_ui.runs.embeddings import Embeddings
from llm_ui.runs.files import Room
from llm_ui.runs.reranking import Reranker
from llm_ui.services.access import Actor
from llm_ui.services.agents import Knowledge

MAX_TEXT_CHARS = 1_000
"""Of an argument that is a text."""
MAX_NUMBER = 1_000_000


@dataclass(frozen=True, slots=True)
class Around:
    """Where a tool is used, and for whom: it may what that person may, and read what an agent lets them know of."""

    database: Database
    embeddings: Embeddings
    reranker: Reranker
    actor: Actor
    known: Knowledge | None
    """Where documents are looked for; None: there are none."""
    time_zone: str
    """As the person's browser names it; may be empty or unknown."""
    room: Room
    """How the model's tokens are counted."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a result may be."""

    most_tokens: int
    next_number: int
    """What the next passage that can be cited is numbered with."""


@dataclass(frozen=True, slots=True)
class Given:
    """What a tool gave."""

    text: str
    """As the model is told it."""
    sources: tuple[Source, ...] = ()
    """What may be cited from now on."""
    is_error: bool = False


class Tool(Protocol):
    """A tool. Raises our errors: the model and the person are told the sentence."""

    spec: ToolSpec
    needs_documents: bool
    """Whether it is of use only in a project with documents."""

    async def use(self, around: Around, limits: Limits, arguments: Mapping[str, object]) -> Given:
        """Return what it gives for these arguments, which are whatever a model wrote."""
        ...


@dataclass(frozen=True, slots=True)
class Field:
    """One argument."""

    kind: str
    about: str
    is_required: bool = False
    more: Mapping[str, object] = field(default_factory=dict)


def schema(**fields: Field) -> dict[str, object]:
    """Return the JSON Schema of a tool's arguments."""
    return {
        "type": "object",
        "properties": {
            name: {"type": each.kind, "description": each.about, **each.more} for name, each in fields.items()
        },
        "required": [name for name, each in fields.items() if each.is_required],
    }


def text_of(arguments: Mapping[str, object], name: str) -> str:
    """Return an argument that is a text. Raises `InvalidInput`."""
    found = arguments.get(name)
    text = storable(found).strip() if isinstance(found, str) else ""
    if not text or len(text) > MAX_TEXT_CHARS:
        raise InvalidInput(
            'The tool needs "{name}": a text of at most {most} characters.', name=name, most=MAX_TEXT_CHARS
        )
    return text


def number_of(arguments: Mapping[str, object], name: str) -> int | None:
    """Return an argument that is a whole number from 1; None where there is none. Raises `InvalidInput`."""
    found = arguments.get(name)
    if found is None:
        return None
    if isinstance(found, bool) or not isinstance(found, int | float) or not 1 <= found <= MAX_NUMBER or found % 1:
        raise InvalidInput('"{name}" is a whole number, at least 1.', name=name)
    return int(found)
