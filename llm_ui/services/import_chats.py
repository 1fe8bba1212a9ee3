"""Chats that come in, stored beside those that are there, with what belongs to them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Insert, insert, inspect, select, update

from llm_ui.db import ReadSession, Session
from llm_ui.errors import TooLarge
from llm_ui.kit.clock import now
from llm_ui.kit.i18n import later
from llm_ui.kit.ids import ChatId, MessageId, uuid8
from llm_ui.kit.token_count import estimate
from llm_ui.models import Attachment, ChatHistory, ChatMessage, ChatSummary, ChatTag, MessageFeedback, MessageOrigin
from llm_ui.models.base import Base
from llm_ui.services import quotas
from llm_ui.services.access import Actor
from llm_ui.services.attachments import Received, file_name
from llm_ui.services.feedback import Feedback
from llm_ui.services.formats.base import (
    ImportedChat,
    ImportedFile,
    ImportedMessage,
    ImportedSummary,
    Source,
    uuid_of,
)
from llm_ui.services.import_places import Places
from llm_ui.services.import_progress import Progress
from llm_ui.services.quotas import FileRoom
from llm_ui.services.tags import cleaned

NOT_THERE = later("The chat came in without this file. Only the archive of everything holds files.")

Unpacked = Mapping[str, Received | None]
"""Files that came along, by the names they had; None for those that were refused, which was told."""


class Arrivals:
    """Chats of a person that come in, with their files."""

    def __init__(self, session: Session, actor: Actor, received: Unpacked, progress: Progress) -> None:
        self.places = Places(session, actor, progress)
        self._session = session
        self._actor = actor
        self._received = received
        self._progress = progress
        self._room = FileRoom()

    async def store(self, chats: Sequence[ImportedChat]) -> None:
        """Store what is new in some chats, each of which comes once, and count it."""
        came = [one.sha256 for one in self._received.values() if one is not None]
        self._room = await quotas.room_for_files(self._session, self._actor, came)
        rows = await _present(self._session, self._actor, chats)
        texts = await _messages_of(self._session, [row.id for row in rows.values()])
        new = _NewRows()
        for chat in chats:
            row = next((rows[chat_id] for chat_id in _ids(self._actor, chat) if chat_id in rows), None)
            if row is None:
                await self._begin(chat, new)
            elif row.deleted_at is not None:
                self._progress.chats_same += 1
            else:
                placed = _Placed(chat, row.id, texts.get(row.id, {}), row.next_position)
                _extend(row, placed)
                self._take(placed, new)
                has_more = bool(placed.missing or placed.changed)
                self._progress.chats_extended += has_more
                self._progress.chats_same += not has_more
        await self._session.flush()
        await new.store(self._session)

    async def _begin(self, chat: ImportedChat, new: "_NewRows") -> None:
        placed = _Placed(chat, _ids(self._actor, chat)[0], {})
        self._take(placed, new)
        new.chats.append(_new_chat(self._actor, chat, placed) | await self.places.columns(chat))
        new.tags += [{"chat_id": placed.chat_id, "name": name} for name in cleaned(chat.place.tags)]
        self._progress.chats_added += 1

    def _take(self, placed: "_Placed", new: "_NewRows") -> None:
        """Take what is new in a chat."""
        new.messages += placed.missing
        new.changed += placed.changed
        new.summaries += placed.summaries
        new.feedback += [
            {"message_id": answer_id, "user_id": self._actor.user_id, **asdict(given)}
            for answer_id, given in placed.feedback.items()
        ]
        for message_id, files in placed.files.items():
            for position, file in enumerate(files):
                found = self._received.get(file.sha256)
                if file.sha256 not in self._received:
                    self._progress.skip(file_name(file.name), NOT_THERE)
                if found is not None and self._fits(file, found):
                    new.files.append(self._attachment(message_id, position, file, found))
        self._progress.messages_added += len(placed.missing)

    def _fits(self, file: ImportedFile, found: Received) -> bool:
        """Count a file into the person's room; note it where it does not fit."""
        try:
            self._room.put(file_name(file.name), found.sha256, found.size_bytes)
        except TooLarge as refusal:
            self._progress.skip(file_name(file.name), refusal.message)
            return False
        return True

    def _attachment(self, message_id: MessageId, position: int, file: ImportedFile, found: Received) -> dict[str, Any]:
        return {
            "user_id": self._actor.user_id,
            "message_id": message_id,
            "position": position,
            "name": file_name(file.name),
            "media_type": found.media.media_type,
            "size_bytes": found.size_bytes,
            "sha256": found.sha256,
            "width": found.media.width,
            "height": found.media.height,
            "tokens": estimate(found.media.text),
        }


@dataclass(slots=True)
class _NewRows:
    """What is to be stored of some chats, by table."""

    chats: list[dict[str, Any]] = field(default_factory=list)
    tags: list[dict[str, Any]] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    changed: list[dict[str, Any]] = field(default_factory=list)
    feedback: list[dict[str, Any]] = field(default_factory=list)
    summaries: list[dict[str, Any]] = field(default_factory=list)
    files: list[dict[str, Any]] = field(default_factory=list)

    async def store(self, session: Session) -> None:
        """Store it; what refers to something comes after it."""
        for table, rows in (
            (ChatHistory, self.chats),
            (ChatTag, self.tags),
            (ChatMessage, self.messages),
            (MessageFeedback, self.feedback),
            (ChatSummary, self.summaries),
            (Attachment, self.files),
        ):
            if rows:
                await session.execute(_insert(table), rows)
        if self.changed:
            await session.execute(update(ChatMessage), self.changed)


def _insert(table: type[Base]) -> Insert:
    """Return the statement that many rows go in with at once.

    That takes something that is returned, and what is None not left out. With a statement for each row SQLite's
    full-text index writes itself to the disk after every one: 200 µs a message instead of 35.
    """
    return insert(table).returning(*inspect(table).primary_key).execution_options(render_nulls=True)


def _ids(actor: Actor, chat: ImportedChat) -> list[ChatId]:
    """Return the ids under which a chat may be stored: of a copy; and of the original, should this be its owner's."""
    ids = [uuid8(str(actor.user_id), chat.source.value, chat.id)]
    if chat.source is Source.LLM_UI and (original := uuid_of(chat.id)) is not None:
        ids.append(original)
    return [ChatId(one) for one in ids]


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
        self.feedback: dict[MessageId, Feedback] = {}
        self.files: dict[MessageId, tuple[ImportedFile, ...]] = {}
        self.last_at = chat.created_at or next((one.created_at for one in chat.messages if one.created_at), now())
        self._ids: dict[str, MessageId] = {}
        for message in chat.messages:
            self._place(message)
        self.leaf_id = self._ids.get(chat.leaf_id or "")
        self.summaries = [self._summary(one) for one in chat.summaries if self._ids[one.upto_id] not in self.stored]

    def _place(self, message: ImportedMessage) -> None:
        derived = MessageId(uuid8(self.chat_id.hex, message.id))
        original = uuid_of(message.id)
        if original is not None and MessageId(original) in self.stored:
            self._ids[message.id] = MessageId(original)
            return
        self._ids[message.id] = derived
        if derived not in self.stored:
            self.missing.append(self._row(derived, message))
            self.files[derived] = message.files
            if message.feedback is not None:
                self.feedback[derived] = message.feedback
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
            "citations": None
            if message.citations is None
            else [one.model_dump(mode="json") for one in message.citations],
            "steps": [step.model_dump(mode="json") for step in message.steps] or None,
            "model_name": message.model_name,
            "origin": MessageOrigin.IMPORT,
            "created_at": at,
            "updated_at": at,
        }

    def _summary(self, summary: ImportedSummary) -> dict[str, Any]:
        return {
            "chat_id": self.chat_id,
            "upto_id": self._ids[summary.upto_id],
            "text": summary.text,
            "tokens": estimate(summary.text),
            "model_name": summary.model_name,
            "is_edited": summary.is_edited,
        }


def _new_chat(actor: Actor, chat: ImportedChat, placed: _Placed) -> dict[str, Any]:
    first_at: datetime = placed.missing[0]["created_at"]
    return {
        "id": placed.chat_id,
        "user_id": actor.user_id,
        "title": chat.title,
        "is_title_automatic": False,
        "has_own_tags": True,
        "active_leaf_id": placed.leaf_id,
        "next_position": placed.position,
        "last_message_at": placed.last_at,
        "temperature": chat.temperature,
        "max_tokens": chat.max_tokens,
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
