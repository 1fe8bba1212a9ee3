"""Full text over a person's titles and messages: FTS5 on SQLite, expression indexes on PostgreSQL (0003, 0021, 0055).

Only letters and digits of what was typed reach the index: words are quoted, all must occur, the last may be begun only.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, bindparam, column, exists, func, literal_column, select, table, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import aliased

from llm_ui.db import ReadSession
from llm_ui.kit.ids import ChatId, MessageId, ModelId, ProjectId
from llm_ui.kit.snippet import Piece, search_words, snippet
from llm_ui.models import Attachment, ChatHistory, ChatMessage, ChatTag, MessageRole, Run
from llm_ui.services.access import Actor, readable

MAX_WORDS = 12
PAGE_SIZE = 20
INDEXED_CHARS = 200_000
"""On PostgreSQL; the same number as in the index, or it is not used."""

NEWEST, NEWEST_MESSAGES = 10_000, 3_000
"""On SQLite so many of the texts that hold the words, those that were stored last, are looked at for titles, and so
many are put in order as messages. A word can be in nearly every text of a million; to sort them all took minutes."""

LOOKED_THROUGH = ((40, 3), (400, 20))
"""On PostgreSQL the newest messages are looked through first, without the index: of so many chats, and so many for each
one that is to be found; again where some but too few hold the words. The index gives all that do, of any age: of a word
in most of 400,000 messages that took half a second, to put them in order."""

NO_PHRASES = "phrase queries are not supported"
"""What SQLite says of a word in which it sees several, at a letter that it does not know: no text holds such a word."""

AnySelect = Select[*tuple[Any, ...]]

PLANNED_WELL = text("SET LOCAL enable_seqscan = off; SET LOCAL cpu_operator_cost = 0.05")
"""To PostgreSQL's planner splitting a text into words costs nothing, so for a word that many messages hold it read them
all, and split them: 560 ms for 6,000 messages, with the index 32. It costs twenty times what the planner takes for it:
whoever had few messages had them all split for a word that nobody wrote, 225 ms for 4,000."""

ENTRIES = table("search_entries", column("id"), column("message_id"), column("chat_id"))
TEXT = table("search_text", column("rowid"))
IS_ENTRY = ENTRIES.c.message_id == ChatMessage.id


@dataclass(frozen=True, slots=True)
class Found:
    """A chat or a message that holds what was searched for."""

    chat_id: ChatId
    title: str
    message_id: MessageId | None
    """None when it is the title that matches."""
    role: MessageRole | None
    at: datetime
    snippet: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Filters:
    """Which chats are searched; None leaves out none."""

    model_id: ModelId | None = None
    """A model that answered in the chat."""
    project_id: ProjectId | None = None
    tag: str | None = None
    since: datetime | None = None
    """The chat was written to then or later."""
    has_file: bool = False
    """A question of the chat came with a file."""

    @property
    def is_empty(self) -> bool:
        """Return whether all chats are searched."""
        return self == Filters()


@dataclass(frozen=True, slots=True)
class FoundPage:
    """Some of what was found: titles first, then messages, newest first."""

    items: tuple[Found, ...]
    has_more: bool


async def search(
    session: ReadSession, actor: Actor, typed: str, filters: Filters = Filters(), *, offset: int = 0
) -> FoundPage:
    """Return what holds all the words that were typed, in chats that pass the filters.

    Nothing is an error: what has no word finds all chats that pass, and nothing where all would.
    """
    words = search_words(typed, MAX_WORDS)
    if not words and filters.is_empty:
        return FoundPage((), has_more=False)
    limit = offset + PAGE_SIZE + 1
    titles = (
        readable(ChatHistory, actor)
        .with_only_columns(ChatHistory.id, ChatHistory.title, ChatHistory.last_message_at)
        .where(*_passing(ChatHistory, filters))
        .order_by(ChatHistory.last_message_at.desc(), ChatHistory.id)
    )
    hits: Sequence[int] | None = None
    if words and session.get_bind().dialect.name == "sqlite":
        hits = await _newest_hits(session, actor, words)
        titles = _among(titles, ENTRIES.c.chat_id == ChatHistory.id, hits)
    elif words:
        await session.execute(PLANNED_WELL)
        titles = titles.where(_holds(ChatHistory.title, words))
    found = [
        Found(chat_id, title, None, None, at, tuple(snippet(title, words)))
        for chat_id, title, at in await session.execute(titles.limit(limit))
    ]
    if words and len(found) < limit:
        rows = await _matching(session, actor, words, filters, hits, limit - len(found))
        found += [
            Found(chat_id, title, message_id, role, at, tuple(snippet(said, words)))
            for chat_id, title, message_id, role, at, said in rows
        ]
    return FoundPage(tuple(found[offset : offset + PAGE_SIZE]), has_more=len(found) > offset + PAGE_SIZE)


async def _matching(
    session: ReadSession,
    actor: Actor,
    words: Sequence[str],
    filters: Filters,
    hits: Sequence[int] | None,
    limit: int,
) -> Sequence[Row[*tuple[Any, ...]]]:
    """Return the messages that hold the words; on SQLite those among the hits, or all where these are too few."""
    messages = _messages(actor, filters).limit(limit)
    if hits is None:
        newest = await _among_newest(session, actor, words, filters, limit)
        return newest or (await session.execute(messages.where(_holds(ChatMessage.text, words)))).all()
    rows = (await session.execute(_among(messages, IS_ENTRY, hits[:NEWEST_MESSAGES]))).all()
    if len(rows) == limit or len(hits) <= NEWEST_MESSAGES:
        return rows
    return (await session.execute(_in_passing(messages, actor, words, filters))).all()


async def _among_newest(
    session: ReadSession, actor: Actor, words: Sequence[str], filters: Filters, limit: int
) -> Sequence[Row[*tuple[Any, ...]]]:
    """Return the newest messages that hold the words; none where there are not enough among the newest of all.

    All messages that are newer than the last chat that is looked at are in those that are.
    """
    last = ChatHistory.last_message_at
    mine = readable(ChatHistory, actor).where(*_passing(ChatHistory, filters))
    passing = mine.with_only_columns(ChatHistory.id, last)
    for chats, each in LOOKED_THROUGH:
        written = (await session.execute(passing.order_by(last.desc()).limit(chats))).all()
        newest = _messages(actor, filters).where(ChatMessage.chat_id.in_([chat_id for chat_id, _ in written]))
        if len(written) == chats:
            newest = newest.where(ChatMessage.created_at > written[-1][1])
        looked_at = list(await session.scalars(newest.with_only_columns(ChatMessage.id).limit(each * limit)))
        holding = _messages(actor, filters).where(
            ChatMessage.id.in_(looked_at), _holds(func.concat(ChatMessage.text, ""), words)
        )
        found = (await session.execute(holding.limit(limit))).all()
        if len(found) == limit:
            return found
        if not found:
            break
    return ()


def _messages(actor: Actor, filters: Filters) -> AnySelect:
    chat = aliased(ChatHistory)
    columns = chat.id, chat.title, ChatMessage.id, ChatMessage.role, ChatMessage.created_at, ChatMessage.text
    return (
        readable(ChatMessage, actor)
        .join(chat, chat.id == ChatMessage.chat_id)
        .with_only_columns(*columns)
        .where(ChatMessage.role != MessageRole.NOTE, *_passing(chat, filters))
        .order_by(ChatMessage.created_at.desc(), ChatMessage.id)
    )


def _passing(chat: type[ChatHistory], filters: Filters) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    # rights: the chats are those of a query that was asked for them
    if filters.model_id is not None:
        conditions.append(exists().where(Run.chat_id == chat.id, Run.model_id == filters.model_id))
    if filters.project_id is not None:
        conditions.append(chat.project_id == filters.project_id)
    if filters.tag is not None:
        conditions.append(exists().where(ChatTag.chat_id == chat.id, ChatTag.name == filters.tag))
    if filters.since is not None:
        conditions.append(chat.last_message_at >= filters.since)
    if filters.has_file:
        asked = aliased(ChatMessage)
        of_chat = asked.chat_id == chat.id, asked.deleted_at.is_(None)
        conditions.append(exists().where(Attachment.message_id == asked.id, *of_chat))
    return conditions


async def _newest_hits(session: ReadSession, actor: Actor, words: Sequence[str]) -> list[int]:
    """Return the numbers of the texts in SQLite's index that hold the words, the one stored last first.

    The last word counts as whole where enough of them hold it so: all words that begin with it cost 0.1 µs a text.
    """
    hits: list[int] = []
    for is_begun in (False, True):
        if len(hits) <= NEWEST_MESSAGES:
            newest = _hits(actor, words, is_begun=is_begun).order_by(TEXT.c.rowid.desc()).limit(NEWEST)
            try:
                hits = [number for (number,) in await session.execute(newest)]
            except OperationalError as error:
                if NO_PHRASES not in str(error):
                    raise
    return hits


def _hits(actor: Actor, words: Sequence[str], *, is_begun: bool) -> AnySelect:
    # The owner is a word of the index too: what somebody else wrote is never even a candidate.
    # To the index an underscore ends a word.
    parts = [part for word in words for part in word.split("_") if part] or [""]
    terms = " AND ".join(f'"{part}"' for part in parts) + ("*" if is_begun else "")
    match = f'owner: "u{actor.user_id.hex}" AND text: ({terms})'
    return select(TEXT.c.rowid).where(text("search_text MATCH :match").bindparams(match=match))


def _among(query: AnySelect, is_entry: ColumnElement[bool], hits: Sequence[int]) -> AnySelect:
    """Return what the query finds among some hits.

    They are joined: the numbers of an `IN` SQLite also goes through once for each chat, which took minutes.
    """
    some = func.json_each(json.dumps(hits)).table_valued("value")
    return query.join(ENTRIES, is_entry).join(some, some.c.value == ENTRIES.c.id)


def _in_passing(messages: AnySelect, actor: Actor, words: Sequence[str], filters: Filters) -> AnySelect:
    """Return what the query finds among all hits in the chats that pass, which are few.

    Each text of these chats is looked up among the hits; the sum keeps SQLite from looking up each hit in the chats.
    """
    passing = readable(ChatHistory, actor).with_only_columns(ChatHistory.id).where(*_passing(ChatHistory, filters))
    of_them = messages.join(ENTRIES, IS_ENTRY).where(ChatMessage.chat_id.in_(passing))
    return of_them.where((ENTRIES.c.id + 0).in_(_hits(actor, words, is_begun=True)))


def _holds(indexed: Any, words: Sequence[str]) -> ColumnElement[bool]:
    """Return whether a column of PostgreSQL holds the words."""
    terms = " & ".join([f"'{word}'" for word in words[:-1]] + [f"'{words[-1]}':*"])
    config: ColumnElement[Any] = literal_column("'simple'")
    vector = func.to_tsvector(config, func.left(indexed, literal_column(str(INDEXED_CHARS))))
    return vector.op("@@")(func.to_tsquery(config, bindparam("terms", terms, unique=True)))
