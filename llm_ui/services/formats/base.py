"""What every format of chats is read into, and how values that somebody else wrote are taken."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from llm_ui.contract import MAX_PROMPT_CHARS
from llm_ui.contract import Source as Cited
from llm_ui.contract.steps import Step
from llm_ui.errors import Value, filled
from llm_ui.kit.text import one_line, storable
from llm_ui.models import MessageRole, MessageStatus, Strategy
from llm_ui.services.agents import AgentSettings
from llm_ui.services.cutting import AS_CUT, CuttingInfo
from llm_ui.services.feedback import Feedback
from llm_ui.services.projects import AS_NEW, MAX_NAME_CHARS, ProjectSettings
from llm_ui.services.tags import MAX_TAGS

MAX_MESSAGES = 50_000
"""Of one chat."""
MAX_ID_CHARS = 200
FIRST_S, LAST_S = 0, 4_102_444_800
"""From 1970 to 2100: anything else is no time of a chat."""
MS_FROM = 10**11
"""Larger numbers count milliseconds."""


class Source(StrEnum):
    """Where a chat comes from."""

    LLM_UI = "llm-ui"
    CHATGPT = "chatgpt"
    OPEN_WEBUI = "open-webui"
    LIBRECHAT = "librechat"


class BadEntry(Exception):
    """An entry of a file that cannot be taken over; `why` is one sentence."""

    def __init__(self, sentence: str, **values: Value) -> None:
        self.why = filled(sentence, values)
        super().__init__(self.why)


@dataclass(frozen=True, slots=True)
class ImportedFile:
    """A file of a message; what it holds lies beside the chats, under `sha256`, or nowhere."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class ImportedMessage:
    """A message; `id` and `parent_id` are those of where it comes from."""

    id: str
    parent_id: str | None
    role: MessageRole
    text: str
    created_at: datetime | None
    reasoning: str = ""
    model_name: str = ""
    status: MessageStatus = MessageStatus.COMPLETE
    feedback: Feedback | None = None
    files: tuple[ImportedFile, ...] = ()
    citations: tuple[Cited, ...] | None = None
    """What an answer cites; None: it was given nothing to cite."""
    steps: tuple[Step, ...] = ()
    """Tools that were used for an answer."""


@dataclass(frozen=True, slots=True)
class ImportedMemory:
    """A fact that models were to know."""

    text: str
    is_on: bool


@dataclass(frozen=True, slots=True)
class ImportedProject:
    """What chats were kept in; `id` is that of where it comes from."""

    source: Source
    id: str
    name: str
    instructions: str = ""
    facts: tuple[ImportedMemory, ...] = ()
    settings: ProjectSettings = AS_NEW
    """Of the model only the name is known."""
    cutting: CuttingInfo = AS_CUT
    strategy: Strategy | None = None
    lets_memory_in: bool = False
    is_archived: bool = False


@dataclass(frozen=True, slots=True)
class ImportedCase:
    """What the test set of a project says of a document: that a question is to find a passage of it, or not to."""

    question: str
    passage: str
    is_wanted: bool


@dataclass(frozen=True, slots=True)
class ImportedDocument:
    """A document of a project; what it holds lies in the archive, under `path`."""

    project: ImportedProject
    name: str
    path: str
    source_url: str | None
    cases: tuple[ImportedCase, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a chat lay, and what it was found by."""

    is_archived: bool = False
    is_pinned: bool = False
    tags: tuple[str, ...] = ()
    project: ImportedProject | None = None


@dataclass(frozen=True, slots=True)
class ImportedSummary:
    """What was said up to a message; empty once its person had removed it."""

    upto_id: str
    text: str
    model_name: str
    is_edited: bool


@dataclass(frozen=True, slots=True)
class ImportedChat:
    """A chat; each message comes after the one it follows."""

    source: Source
    id: str
    title: str
    created_at: datetime | None
    messages: tuple[ImportedMessage, ...]
    leaf_id: str | None
    """The last message of the branch that was shown there."""
    place: Place = Place()
    summaries: tuple[ImportedSummary, ...] = ()
    temperature: float | None = None
    max_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class ImportedAgent:
    """An agent; of its model only the name is known."""

    settings: AgentSettings
    project: ImportedProject | None
    """Whose documents it knew."""
    documents: tuple[str, ...]
    """The names of those that it knew; none: all."""


@dataclass(frozen=True, slots=True)
class ImportedPrompt:
    """A text that was kept to ask with."""

    name: str
    text: str


def text(value: object) -> str:
    """Return a text as it can be stored; empty when it is none."""
    return storable(value) if isinstance(value, str) else ""


def mapping(value: object) -> dict[str, Any]:
    """Return an object; empty when it is none."""
    return value if isinstance(value, dict) else {}


def sequence(value: object) -> list[Any]:
    """Return a list; empty when it is none."""
    return value if isinstance(value, list) else []


def identifier(value: object) -> str | None:
    """Return an id, None when it is none."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    found = storable(str(value)) if not isinstance(value, int) or abs(value) < 10**18 else ""
    return found if 0 < len(found) <= MAX_ID_CHARS else None


def uuid_of(told: str) -> UUID | None:
    """Return the UUID that an id is, None when it is none."""
    try:
        return UUID(told)
    except ValueError:
        return None


def texts(value: object) -> tuple[str, ...]:
    """Return the first texts of a list, as many as a chat has tags; empty when it is none."""
    return tuple(found for one in sequence(value)[:MAX_TAGS] if (found := text(one)))


def project(source: Source, project_id: object, name: object) -> ImportedProject | None:
    """Return a project, None when it has no id or no name."""
    found, called = identifier(project_id), one_line(text(name), MAX_NAME_CHARS)
    return ImportedProject(source, found, called) if found and called else None


def instant(value: object) -> datetime | None:
    """Return a time, from seconds or milliseconds since 1970 or ISO 8601; None when it is none."""
    if isinstance(value, str):
        try:
            found = datetime.fromisoformat(value)
            seconds = (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            return None
        return datetime.fromtimestamp(seconds, UTC) if FIRST_S <= seconds < LAST_S else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    seconds = value / 1000 if value > MS_FROM else value
    return datetime.fromtimestamp(seconds, UTC) if FIRST_S < seconds < LAST_S else None


def by_time(messages: Sequence[ImportedMessage]) -> list[ImportedMessage]:
    """Return the messages in the order they were written, as far as that is known."""
    order: dict[str, datetime] = {}
    latest = datetime.fromtimestamp(0, UTC)
    for message in messages:
        latest = message.created_at or latest
        order[message.id] = latest
    return sorted(messages, key=lambda message: order[message.id])


def join_answers(messages: Sequence[ImportedMessage]) -> tuple[list[ImportedMessage], dict[str, str]]:
    """Return the messages with an answer that goes on in a second one made one; and which became part of which.

    A model that used a tool in between answered in several messages, but the person read one.
    """
    following = Counter(message.parent_id for message in messages)
    joined: dict[str, ImportedMessage] = {}
    parts: dict[str, str] = {}
    for message in _parents_first(messages):
        above = parts.get(message.parent_id or "", message.parent_id or "")
        before = joined.get(above)
        is_answer = message.role is MessageRole.ASSISTANT and before is not None and before.role is message.role
        if is_answer and before is not None and following[message.parent_id] == 1:
            parts[message.id] = above
            said = "\n\n".join(one for one in (before.text, message.text) if one)
            thought = "\n\n".join(one for one in (before.reasoning, message.reasoning) if one)
            joined[above] = replace(before, text=said, reasoning=thought, status=message.status)
        else:
            joined[message.id] = replace(message, parent_id=above or None)
    return list(joined.values()), parts


def chat(
    source: Source,
    chat_id: str | None,
    title: object,
    created_at: datetime | None,
    messages: Sequence[ImportedMessage],
    leaf_id: str | None,
    place: Place,
) -> ImportedChat:
    """Return a chat whose messages make a tree. Raises `BadEntry`."""
    if chat_id is None:
        raise BadEntry("It has no id, so it could not be told from others when it is imported again.")
    if not messages:
        raise BadEntry("It holds no message of a person or a model.")
    if len(messages) > MAX_MESSAGES:
        raise BadEntry("It has {count} messages; {most} are the most.", count=len(messages), most=MAX_MESSAGES)
    ordered = _parents_first(messages)
    ids = {message.id for message in ordered}
    leaf = leaf_id if leaf_id in ids else ordered[-1].id
    words = one_line(title if isinstance(title, str) else "", 200) or one_line(ordered[0].text, 60)
    return ImportedChat(source, chat_id, words, created_at, tuple(ordered), leaf, place)


def _parents_first(messages: Sequence[ImportedMessage]) -> list[ImportedMessage]:
    """Return the messages, each after the one it follows; what follows one that is not there begins anew."""
    by_id = {message.id: message for message in messages}
    if len(by_id) < len(messages):
        raise BadEntry("Two of its messages have the same id.")
    ordered: dict[str, ImportedMessage] = {}
    for message in messages:
        _require_short(message)
        above: dict[str, ImportedMessage] = {}
        at: ImportedMessage | None = message
        while at is not None and at.id not in ordered:
            if at.id in above:
                raise BadEntry("Its messages follow each other in a circle.")
            above[at.id] = at
            at = by_id.get(at.parent_id) if at.parent_id is not None else None
        for each in reversed(above.values()):
            ordered[each.id] = each if each.parent_id in by_id else replace(each, parent_id=None)
    return list(ordered.values())


def _require_short(message: ImportedMessage) -> None:
    length = max(len(message.text), len(message.reasoning))
    if length > MAX_PROMPT_CHARS:
        raise BadEntry("A message has {count} characters; {most} are the most.", count=length, most=MAX_PROMPT_CHARS)
