"""Full text over a person's titles and messages: FTS5 on SQLite, expression indexes on PostgreSQL (migration 0003).

Only letters and digits of what was typed reach the index: words are quoted, all must occur, the last may be begun only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, column, exists, func, literal_column, select, table, text
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

AnySelect = Select[*tuple[Any, ...]]

ENTRIES = table("search_entries", column("id"), column("message_id"), column("chat_id"))
TEXT = table("search_text", column("rowid"))


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
    chat = aliased(ChatHistory)
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    titles = (
        readable(ChatHistory, actor)
        .with_only_columns(ChatHistory.id, ChatHistory.title, ChatHistory.last_message_at)
        .order_by(ChatHistory.last_message_at.desc(), ChatHistory.id)
    )
    messages = (
        readable(ChatMessage, actor)
        .join(chat, chat.id == ChatMessage.chat_id)
        .with_only_columns(
            chat.id,
            chat.title,
            ChatMessage.id,
            ChatMessage.role,
            ChatMessage.created_at,
            ChatMessage.text,
        )
        .where(ChatMessage.role != MessageRole.NOTE)
        .order_by(ChatMessage.created_at.desc(), ChatMessage.id)
    )
    matching = _matching_sqlite if is_sqlite else _matching_postgresql
    by_title = titles.where(*_passing(ChatHistory, filters))
    by_text = messages.where(*_passing(chat, filters))
    if words:
        by_title = matching(by_title, actor, words, ChatHistory.id, ChatHistory.title, ENTRIES.c.chat_id)
        by_text = matching(by_text, actor, words, ChatMessage.id, ChatMessage.text, ENTRIES.c.message_id)
    limit = offset + PAGE_SIZE + 1
    found = [
        Found(chat_id, title, None, None, at, tuple(snippet(title, words)))
        for chat_id, title, at in await session.execute(by_title.limit(limit))
    ]
    if words and len(found) < limit:
        rows = await session.execute(by_text.limit(limit - len(found)))
        found += [
            Found(chat_id, title, message_id, role, at, tuple(snippet(said, words)))
            for chat_id, title, message_id, role, at, said in rows
        ]
    return FoundPage(tuple(found[offset : offset + PAGE_SIZE]), has_more=len(found) > offset + PAGE_SIZE)


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


def _matching_sqlite(
    query: AnySelect, actor: Actor, words: Sequence[str], key: Any, _text: Any, entry_key: Any
) -> AnySelect:
    # The owner is a word of the index too: what somebody else wrote is never even a candidate.
    terms = [f'"{word}"' for word in words[:-1]] + [f'"{words[-1]}"*']
    match = f'owner: "u{actor.user_id.hex}" AND text: ({" AND ".join(terms)})'
    hits = select(TEXT.c.rowid).where(text("search_text MATCH :match").bindparams(match=match))
    return query.join(ENTRIES, entry_key == key).where(ENTRIES.c.id.in_(hits))


def _matching_postgresql(
    query: AnySelect, _actor: Actor, words: Sequence[str], _key: Any, indexed: Any, _entry_key: Any
) -> AnySelect:
    terms = " & ".join([f"'{word}'" for word in words[:-1]] + [f"'{words[-1]}':*"])
    config: ColumnElement[Any] = literal_column("'simple'")
    vector = func.to_tsvector(config, func.left(indexed, literal_column(str(INDEXED_CHARS))))
    return query.where(vector.op("@@")(func.to_tsquery(config, bindparam("terms", terms, unique=True))))
