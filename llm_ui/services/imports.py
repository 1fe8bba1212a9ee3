"""Chats from a file that somebody brings: read entry by entry, stored in small steps, never twice.

Ids are made of the person, the source and the id it had there, so that the same file again adds nothing, and what was
said there since is added to where it belongs.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update

from llm_ui.db import Database, ReadSession, Session
from llm_ui.errors import InvalidInput, LLMUIError
from llm_ui.kit.clock import now
from llm_ui.kit.ids import ChatId, JobId, MessageId, uuid8
from llm_ui.models import ChatHistory, ChatMessage, MessageOrigin
from llm_ui.services import library
from llm_ui.services.access import Actor, Permission, require
from llm_ui.services.formats.base import BadEntry, ImportedChat, ImportedMessage, ImportedPrompt, Source
from llm_ui.services.formats.files import Entry, Upload

BATCH_MESSAGES = 300
"""Of one transaction, unless one chat alone has more: some 50 ms, for which everybody else's writes wait."""
BATCH_CHATS = 30
BATCH_S = 0.5
"""Longest reading between two transactions, so that the bar moves."""
PAUSE = 0.5
"""Of a transaction's time: how long others have the database for themselves before the next."""
MAX_SKIPPED_TOLD = 200


@dataclass(slots=True)
class Progress:
    """What has come in so far, and where to go on."""

    entries: int = 0
    """Of the file, that are dealt with."""
    chats_added: int = 0
    chats_extended: int = 0
    chats_same: int = 0
    messages_added: int = 0
    prompts_added: int = 0
    skipped: int = 0
    skipped_told: list[dict[str, str]] = field(default_factory=list)
    """The first of them: `what` it was and `why`."""

    @classmethod
    def of(cls, stored: dict[str, Any]) -> "Progress":
        """Return the progress that was written down."""
        return cls(**stored)

    def stored(self) -> dict[str, Any]:
        """Return it as it is written down."""
        return asdict(self)

    def skip(self, what: str, why: str) -> None:
        """Note what is left out."""
        self.skipped += 1
        if len(self.skipped_told) < MAX_SKIPPED_TOLD:
            self.skipped_told.append({"what": what, "why": why})


Note = Callable[[Session, Progress, int, int], Awaitable[bool]]
"""Writes down, with what came in, how far it is: progress, bytes done, bytes in all; returns whether to go on."""


def upload_path(folder: Path, job_id: JobId) -> Path:
    """Return where the file of an import lies until it is brought in."""
    return folder / "imports" / job_id.hex


async def import_file(database: Database, actor: Actor, path: Path, progress: Progress, note: Note) -> bool:
    """Bring in what a file holds from where `progress` is; return whether the end was reached.

    Raises `InvalidInput` where the file is damaged; what came before is in.
    """
    upload = await asyncio.to_thread(Upload, path)
    entries = _Entries(upload)
    try:
        to_skip = progress.entries
        while batch := await asyncio.to_thread(entries.take, to_skip):
            new = batch[min(to_skip, len(batch)) :]
            to_skip -= len(batch) - len(new)
            began = time.monotonic()
            async with database.writing() as session:
                await store(session, actor, new, progress)
                may_go_on = await note(session, progress, batch[-1].done_bytes, upload.total_bytes)
            if not may_go_on:
                return False
            await asyncio.sleep(PAUSE * (time.monotonic() - began))
        return True
    finally:
        await asyncio.to_thread(entries.close)


class _Entries:
    """The entries of a file in batches. Used by one thread at a time."""

    def __init__(self, upload: Upload) -> None:
        self._upload = upload
        self._entries: Iterator[Entry] = upload.entries()
        self._error: LLMUIError | None = None

    def take(self, to_skip: int) -> list[Entry]:
        """Return the next entries, none at the end. Those to skip count as nothing."""
        if self._error is not None:
            raise self._error
        batch: list[Entry] = []
        messages = chats = 0
        deadline = time.monotonic() + BATCH_S
        try:
            for entry in self._entries:
                batch.append(entry)
                if isinstance(entry.what, ImportedChat) and len(batch) > to_skip:
                    chats += 1
                    messages += len(entry.what.messages)
                if chats >= BATCH_CHATS or messages >= BATCH_MESSAGES or time.monotonic() > deadline:
                    break
        except InvalidInput as error:
            # First what came before it.
            self._error = error
            if not batch:
                raise
        return batch

    def close(self) -> None:
        """Close the file."""
        self._upload.close()


async def store(session: Session, actor: Actor, entries: Sequence[Entry], progress: Progress) -> None:
    """Store what is new in some entries, and count it."""
    require(actor, Permission.CHAT)
    waiting: list[ImportedChat] = []
    for entry in entries:
        match entry.what:
            case BadEntry():
                progress.skip(entry.name, entry.what.why)
            case ImportedPrompt():
                await _store_prompt(session, actor, entry.what, progress)
            case ImportedChat():
                waiting.append(entry.what)
    while waiting:
        # A chat that a file holds twice is first stored, then compared.
        distinct = {(one.source, one.id): one for one in reversed(waiting)}
        waiting = [one for one in waiting if one is not distinct[one.source, one.id]]
        await _store_chats(session, actor, list(distinct.values()), progress)
    progress.entries += len(entries)


async def _store_prompt(session: Session, actor: Actor, prompt: ImportedPrompt, progress: Progress) -> None:
    mine = {one.name: one.text for one in await library.list_prompts(session, actor) if one.is_mine}
    if mine.get(prompt.name) == prompt.text:
        return
    try:
        await library.save(session, actor, None, prompt.name, prompt.text, is_shared=False)
    except InvalidInput as refusal:
        progress.skip(f"/{prompt.name}", refusal.message)
    else:
        progress.prompts_added += 1


async def _store_chats(session: Session, actor: Actor, chats: Sequence[ImportedChat], progress: Progress) -> None:
    rows = await _present(session, actor, chats)
    texts = await _messages_of(session, [row.id for row in rows.values()])
    new_chats: list[dict[str, Any]] = []
    new_messages: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    for chat in chats:
        row = next((rows[chat_id] for chat_id in _ids(actor, chat) if chat_id in rows), None)
        if row is None:
            made = _Placed(chat, _ids(actor, chat)[0], {})
            new_chats.append(_new_chat(actor, chat, made))
            new_messages += made.missing
            progress.chats_added += 1
            progress.messages_added += len(made.missing)
        elif row.deleted_at is not None:
            progress.chats_same += 1
        else:
            there = _Placed(chat, row.id, texts.get(row.id, {}), row.next_position)
            _extend(row, there)
            new_messages += there.missing
            changed += there.changed
            has_more = bool(there.missing or there.changed)
            progress.chats_extended += has_more
            progress.chats_same += not has_more
            progress.messages_added += len(there.missing)
    await session.flush()
    if new_chats:
        await session.execute(insert(ChatHistory), new_chats)
    if new_messages:
        await session.execute(insert(ChatMessage), new_messages)
    if changed:
        await session.execute(update(ChatMessage), changed)


def _ids(actor: Actor, chat: ImportedChat) -> list[ChatId]:
    """Return the ids under which a chat may be stored: of a copy; and of the original, should this be its owner's."""
    ids = [uuid8(str(actor.user_id), chat.source.value, chat.id)]
    if chat.source is Source.LLM_UI and (original := _uuid(chat.id)) is not None:
        ids.append(original)
    return [ChatId(one) for one in ids]


def _uuid(told: str) -> UUID | None:
    try:
        return UUID(told)
    except ValueError:
        return None


async def _present(session: Session, actor: Actor, chats: Sequence[ImportedChat]) -> dict[ChatId, ChatHistory]:
    """Return the rows of those chats that are there already, also in the bin."""
    # rights: the actor's own only
    wanted = [chat_id for chat in chats for chat_id in _ids(actor, chat)]
    mine = select(ChatHistory).where(ChatHistory.id.in_(wanted), ChatHistory.user_id == actor.user_id)
    return {row.id: row for row in await session.scalars(mine.with_for_update())}


Stored = dict[MessageId, str | None]
"""The messages of a chat: the text of each that was imported, None for those that were written here."""


async def _messages_of(session: ReadSession, chat_ids: Sequence[ChatId]) -> dict[ChatId, Stored]:
    if not chat_ids:
        return {}
    # rights: the chats are the actor's own; deleted messages too, which do not come back
    columns = select(ChatMessage.id, ChatMessage.chat_id, ChatMessage.text, ChatMessage.origin)
    found: dict[ChatId, Stored] = {}
    for row in await session.execute(columns.where(ChatMessage.chat_id.in_(chat_ids))):
        is_imported = row.origin is MessageOrigin.IMPORT
        found.setdefault(row.chat_id, {})[row.id] = row.text if is_imported else None
    return found


class _Placed:
    """The messages of a chat beside those that are stored of it already."""

    def __init__(self, chat: ImportedChat, chat_id: ChatId, stored: Stored, position: int = 0) -> None:
        self.chat_id = chat_id
        self.stored = stored
        self.position = position
        self.missing: list[dict[str, Any]] = []
        self.changed: list[dict[str, Any]] = []
        self.last_at = chat.created_at or next((one.created_at for one in chat.messages if one.created_at), now())
        self._ids: dict[str, MessageId] = {}
        for message in chat.messages:
            self._place(message)
        self.leaf_id = self._ids.get(chat.leaf_id or "")

    def _place(self, message: ImportedMessage) -> None:
        derived = MessageId(uuid8(self.chat_id.hex, message.id))
        original = _uuid(message.id)
        if original is not None and MessageId(original) in self.stored:
            self._ids[message.id] = MessageId(original)
            return
        self._ids[message.id] = derived
        if derived not in self.stored:
            self.missing.append(self._row(derived, message))
        elif self.stored[derived] not in (None, message.text):
            self.changed.append({"id": derived, "text": message.text, "reasoning": message.reasoning})

    def _row(self, message_id: MessageId, message: ImportedMessage) -> dict[str, Any]:
        at = message.created_at or self.last_at
        self.last_at = max(at, self.last_at)
        self.position += 1
        return {
            "id": message_id,
            "chat_id": self.chat_id,
            "parent_id": None if message.parent_id is None else self._ids[message.parent_id],
            "position": self.position - 1,
            "role": message.role,
            "status": message.status,
            "text": message.text,
            "reasoning": message.reasoning,
            "model_name": message.model_name,
            "origin": MessageOrigin.IMPORT,
            "created_at": at,
            "updated_at": at,
        }


def _new_chat(actor: Actor, chat: ImportedChat, placed: _Placed) -> dict[str, Any]:
    first_at: datetime = placed.missing[0]["created_at"]
    return {
        "id": placed.chat_id,
        "user_id": actor.user_id,
        "title": chat.title,
        "is_title_automatic": False,
        "active_leaf_id": placed.leaf_id,
        "next_position": placed.position,
        "last_message_at": placed.last_at,
        "archived_at": now() if chat.is_archived else None,
        "created_at": chat.created_at or first_at,
        "updated_at": now(),
    }


def _extend(row: ChatHistory, placed: _Placed) -> None:
    """Let a chat show what has come to it, unless the person has gone on with it here."""
    if not placed.missing:
        return
    was_last = None if row.active_leaf_id is None else placed.stored.get(row.active_leaf_id)
    if row.active_leaf_id is None or was_last is not None:
        row.active_leaf_id = placed.leaf_id
    row.next_position = placed.position
    row.last_message_at = max(row.last_message_at, placed.last_at)
