"""Files that people attach to their questions: received, attached, read, taken along."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, func, select

from llm_ui.db import ReadSession, Session
from llm_ui.errors import InvalidInput, NotFound
from llm_ui.kit.ids import AttachmentId, MessageId, UserId, uuid7
from llm_ui.kit.media import Media
from llm_ui.kit.text import one_line
from llm_ui.kit.token_count import estimate
from llm_ui.models import Attachment
from llm_ui.services import quotas, settings
from llm_ui.services.access import Actor, Permission, readable, require
from llm_ui.services.settings import ATTACHMENTS

MAX_NAME_CHARS = 200
MAX_UNSENT = 200
"""Uploads of a person that wait to be sent; those of yesterday are gone."""
OF_MESSAGES = (
    # rights: of `attachments_of`
    select(Attachment)
    .where(Attachment.message_id.in_(bindparam("message_ids", expanding=True)))
    .order_by(Attachment.position, Attachment.id)
)
"""Put together once: it is a part of each question."""
GONE = "A file of this message is not on the server any more. Remove it and attach it again."


@dataclass(frozen=True, slots=True)
class AttachmentInfo:
    """A file as pages and models are told of it."""

    id: AttachmentId
    name: str
    media_type: str
    size_bytes: int
    sha256: str
    width: int | None
    height: int | None
    tokens: int
    """Estimated, of a text; 0 for an image."""

    @property
    def is_image(self) -> bool:
        """Whether it is looked at and not read."""
        return self.media_type.startswith("image/")


@dataclass(frozen=True, slots=True)
class Received:
    """A file that was stored a moment ago."""

    name: str
    media: Media
    size_bytes: int
    sha256: str


async def receive(session: Session, actor: Actor, received: Received) -> AttachmentInfo:
    """Note a file that was stored, for a message that is not sent yet.

    The caller holds `FILES_LOCK`, so that two at once cannot take the same room. Raises `InvalidInput` when too many
    wait, `TooLarge` when there is no room.
    """
    require(actor, Permission.CHAT)
    await settings.require_on(session, ATTACHMENTS)
    unsent = readable(Attachment, actor).where(Attachment.message_id.is_(None)).with_only_columns(func.count())
    if (await session.execute(unsent)).scalar_one() >= MAX_UNSENT:
        raise InvalidInput("{most} of your files wait to be sent, which is the most. Send some first.", most=MAX_UNSENT)
    name, media = file_name(received.name), received.media
    room = await quotas.room_for_files(session, actor, [received.sha256])
    room.put(name, received.sha256, received.size_bytes)
    row = Attachment(
        id=AttachmentId(uuid7()),
        user_id=actor.user_id,
        name=name,
        media_type=media.media_type,
        size_bytes=received.size_bytes,
        sha256=received.sha256,
        width=media.width,
        height=media.height,
        tokens=estimate(media.text),
    )
    session.add(row)
    await session.flush()
    return _info(row)


async def find_attachments(
    session: ReadSession, actor: Actor, ids: Sequence[AttachmentId]
) -> tuple[AttachmentInfo, ...]:
    """Return files of the actor, in this order. Raises `NotFound` for one that is gone, or somebody else's."""
    return tuple(map(_info, await _rows(session, actor, ids)))


async def attach(
    session: Session, actor: Actor, message_id: MessageId, ids: Sequence[AttachmentId]
) -> tuple[AttachmentInfo, ...]:
    """Make files part of a message, in this order. Those of another message stay there too. Raises `NotFound`."""
    attached = []
    for position, row in enumerate(await _rows(session, actor, ids)):
        mine = row if row.message_id is None else _copy(row)
        mine.message_id, mine.position = message_id, position
        session.add(mine)
        attached.append(mine)
    await session.flush()
    return tuple(map(_info, attached))


async def attachments_of(
    session: ReadSession, message_ids: Iterable[MessageId]
) -> dict[MessageId, tuple[AttachmentInfo, ...]]:
    """Return the files of messages, in their order. The caller has checked whose the messages are."""
    wanted = list(message_ids)
    found: dict[MessageId, tuple[AttachmentInfo, ...]] = {}
    if not wanted:
        return found
    for row in await session.scalars(OF_MESSAGES, {"message_ids": wanted}):
        if row.message_id is not None:
            found[row.message_id] = (*found.get(row.message_id, ()), _info(row))
    return found


async def shared_attachment(
    session: ReadSession, owner_id: UserId, attachment_id: AttachmentId
) -> AttachmentInfo | None:
    """Return a file that its owner shows to others. The caller has checked that they do."""
    # rights: a link of the owner names it
    row = await session.scalar(select(Attachment).where(Attachment.id == attachment_id, Attachment.user_id == owner_id))
    return None if row is None else _info(row)


async def copy_attachments(session: Session, copies: Mapping[MessageId, MessageId]) -> None:
    """Let copies of messages have the same files. The caller has checked whose the messages are."""
    # rights: both messages are the actor's
    rows = select(Attachment).where(Attachment.message_id.in_(list(copies))).order_by(Attachment.id)
    for row in await session.scalars(rows):
        copied = _copy(row)
        copied.message_id = None if row.message_id is None else copies[row.message_id]
        session.add(copied)
    await session.flush()


async def stored_names(session: ReadSession) -> frozenset[str]:
    """Return the names of all stored files that somebody's message or draft needs."""
    # rights: the product's own clean-up; no content
    return frozenset(await session.scalars(select(Attachment.sha256).distinct()))


def file_name(name: str) -> str:
    """Return a name fit to be shown: no folders, one line, nothing that turns the writing direction."""
    last = name.replace("\\", "/").rpartition("/")[2]
    shown = one_line("".join(char if char.isprintable() else " " for char in last), MAX_NAME_CHARS)
    return shown if shown.strip(".") else "file"


async def _rows(session: ReadSession, actor: Actor, ids: Sequence[AttachmentId]) -> list[Attachment]:
    if not ids:
        return []
    mine = await session.scalars(readable(Attachment, actor).where(Attachment.id.in_(ids)))
    by_id = {row.id: row for row in mine}
    if not by_id.keys() >= set(ids):
        raise NotFound(GONE)
    return [by_id[each] for each in dict.fromkeys(ids)]


def _copy(row: Attachment) -> Attachment:
    return Attachment(
        id=AttachmentId(uuid7()),
        user_id=UserId(row.user_id),
        position=row.position,
        name=row.name,
        media_type=row.media_type,
        size_bytes=row.size_bytes,
        sha256=row.sha256,
        width=row.width,
        height=row.height,
        tokens=row.tokens,
    )


def _info(row: Attachment) -> AttachmentInfo:
    return AttachmentInfo(
        row.id, row.name, row.media_type, row.size_bytes, row.sha256, row.width, row.height, row.tokens
    )
