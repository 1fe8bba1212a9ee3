"""Links by which others may read a chat: made, listed, revoked, opened."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select, update

from llm_ui.db import ReadSession, Session
from llm_ui.errors import Forbidden, InvalidInput, NotFound, TooLarge
from llm_ui.kit.clock import now
from llm_ui.kit.i18n import later
from llm_ui.kit.ids import AttachmentId, ChatId, MessageId, ShareId, uuid7
from llm_ui.kit.signing import sha256_hex
from llm_ui.models import (
    Audience,
    ChatHistory,
    ChatMessage,
    MessageOrigin,
    MessageRole,
    MessageStatus,
    ShareLink,
    User,
)
from llm_ui.services import audit, settings
from llm_ui.services.access import Actor, Permission, readable, require
from llm_ui.services.attachments import AttachmentInfo, shared_attachment
from llm_ui.services.exports import WholeChat, read_whole_chat, speaker
from llm_ui.services.settings import SHARING
from llm_ui.services.steps import UsedTool, kept_tool, used_tools, without_documents

TOKEN_BYTES = 32
PREFIX_CHARS = 6
"""Of 43: what is not shown is still more than anybody can guess."""
MAX_DAYS = 365
MAX_LINKS = 100
"""Live ones of a person."""
MAX_CHARS = 500_000
"""Of all messages of a snapshot: one page holds them, and drawing it takes a second then."""
GONE = later("This link does not lead anywhere any more. Ask whoever gave it to you for a new one.")


@dataclass(frozen=True, slots=True)
class Link:
    """A link as its owner sees it. What its address holds is not kept."""

    id: ShareId
    chat_id: ChatId
    title: str
    prefix: str
    """The first characters of its token."""
    audience: Audience
    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class SharedImage:
    """An image of a question, which is seen with it for as long as it is stored and the link holds."""

    id: str
    name: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class SharedMessage:
    """One message of a snapshot."""

    role: MessageRole
    speaker: str
    at: datetime
    text: str
    files: tuple[str, ...] = ()
    """Names of what was attached besides images; what it holds is not shared."""
    images: tuple[SharedImage, ...] = ()
    steps: tuple[UsedTool, ...] = ()
    """Tools that were used for an answer; what they found in documents is not shared."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a link leads to."""

    title: str
    shared_at: datetime
    messages: tuple[SharedMessage, ...]


async def audiences(session: ReadSession) -> tuple[Audience, ...]:
    """Return to whom links may be given, as the administrators decided."""
    allowed = await settings.get(session, SHARING)
    return {"off": (), "signed_in": (Audience.SIGNED_IN,)}.get(allowed, (Audience.SIGNED_IN, Audience.ANYONE))


async def share(
    session: Session, actor: Actor, chat_id: ChatId, audience: Audience, days: int | None
) -> tuple[Link, str]:
    """Make a link to the chat as it is shown now; return it and its token, which is told this once.

    `days` is how long it holds, None for until it is revoked. Raises `NotFound`, `Forbidden`, `InvalidInput` and
    `TooLarge`.
    """
    require(actor, Permission.CHAT)
    if audience not in await audiences(session):
        raise Forbidden("Administrators have switched such links off. Ask them, or export the chat instead.")
    if days is not None and not 1 <= days <= MAX_DAYS:
        raise InvalidInput("A link holds for 1 to {most} days, or until you revoke it.", most=MAX_DAYS)
    chat = await read_whole_chat(session, actor, chat_id)
    snapshot = _snapshot(chat)
    live = readable(ShareLink, actor).where(*_is_live()).with_only_columns(func.count())
    if (await session.execute(live)).scalar_one() >= MAX_LINKS:
        raise InvalidInput(
            "You have {most} links, which is the most. Revoke some in your account first.", most=MAX_LINKS
        )
    token = secrets.token_urlsafe(TOKEN_BYTES)
    row = ShareLink(
        id=ShareId(uuid7()),
        user_id=actor.user_id,
        chat_id=chat_id,
        token_hash=sha256_hex(token),
        prefix=token[:PREFIX_CHARS],
        audience=audience,
        snapshot=snapshot,
        expires_at=None if days is None else now() + timedelta(days=days),
        created_at=now(),
    )
    session.add(row)
    await session.flush()
    await audit.record(
        session, actor, "link.created", str(row.id), target_id=row.id, audience=audience.value, days=days
    )
    return Link(row.id, chat_id, chat.title, row.prefix, audience, row.created_at, row.expires_at), token


async def list_links(session: ReadSession, actor: Actor, chat_id: ChatId | None = None) -> tuple[Link, ...]:
    """Return the actor's links that still lead somewhere, the newest first; those to one chat when it is named."""
    mine = readable(ShareLink, actor).where(*_is_live()).order_by(ShareLink.created_at.desc(), ShareLink.id.desc())
    if chat_id is not None:
        mine = mine.where(ShareLink.chat_id == chat_id)
    # Not whole rows: each holds a chat.
    columns = mine.with_only_columns(
        ShareLink.id,
        ShareLink.chat_id,
        ShareLink.snapshot["title"].as_string(),
        ShareLink.prefix,
        ShareLink.audience,
        ShareLink.created_at,
        ShareLink.expires_at,
    )
    return tuple(Link(*row) for row in await session.execute(columns))


async def revoke(session: Session, actor: Actor, link_id: ShareId) -> ChatId:
    """Let a link lead nowhere from now on; return the chat it led to. Raises `NotFound`."""
    mine = readable(ShareLink, actor).where(ShareLink.id == link_id)
    found = (await session.execute(mine.with_only_columns(ShareLink.chat_id, ShareLink.revoked_at))).one_or_none()
    if found is None:
        raise NotFound("This link does not exist, or it is not yours. Reload the page.")
    if found.revoked_at is None:
        # Its copy of the chat goes at once, not only with the row.
        emptied = {"title": "", "messages": []}
        ended = update(ShareLink).where(ShareLink.id == link_id).values(revoked_at=now(), snapshot=emptied)
        await session.execute(ended)
        await audit.record(session, actor, "link.revoked", str(link_id), target_id=link_id)
    return ChatId(found.chat_id)


async def open_link(session: ReadSession, token: str, actor: Actor | None) -> Snapshot:
    """Return what a token leads to. Raises `NotFound`."""
    row = await _opened(session, token, actor)
    messages = (
        SharedMessage(
            MessageRole(one["role"]),
            one["speaker"],
            datetime.fromisoformat(one["at"]),
            one["text"],
            tuple(one.get("files", ())),
            _images(one),
            # Links of before there were any have none.
            tuple(map(kept_tool, one.get("steps", ()))),
        )
        for one in row.snapshot["messages"]
    )
    return Snapshot(str(row.snapshot["title"]), row.created_at, tuple(messages))


async def open_image(session: ReadSession, token: str, actor: Actor | None, image_id: str) -> AttachmentInfo | None:
    """Return an image of what a token leads to; None when it is none of it, or not there any more.

    Raises `NotFound` when the token leads nowhere.
    """
    row = await _opened(session, token, actor)
    if all(image.id != image_id for message in row.snapshot["messages"] for image in _images(message)):
        return None
    return await shared_attachment(session, row.user_id, AttachmentId(UUID(image_id)))


async def _opened(session: ReadSession, token: str, actor: Actor | None) -> ShareLink:
    """Return the link of a token.

    Raises `NotFound` when it is unknown, has expired or was revoked, when its chat is in the bin, its owner has gone
    or administrators have switched such links off; `NotSignedIn` is not told apart, so that nobody learns what there
    is: strangers get `NotFound` for what is for people who are signed in.
    """
    # rights: the token is the right; whoever has it may read, within what the link's owner and administrators allow
    query = (
        select(ShareLink)
        .join(ChatHistory, ChatHistory.id == ShareLink.chat_id)
        .join(User, User.id == ShareLink.user_id)
        .where(ShareLink.token_hash == sha256_hex(token), *_is_live(), ChatHistory.deleted_at.is_(None), User.is_active)
    )
    row = await session.scalar(query)
    if row is None or row.audience not in await audiences(session):
        raise NotFound(GONE)
    if row.audience is Audience.SIGNED_IN and actor is None:
        raise NotFound(GONE)
    return row


def _images(message: dict[str, Any]) -> tuple[SharedImage, ...]:
    # Links of before there were any have none.
    return tuple(SharedImage(**image) for image in message.get("images", ()))


async def continue_link(session: Session, actor: Actor, token: str) -> ChatId:
    """Begin a chat of the actor's own with what a token leads to; return it. Raises `NotFound`."""
    require(actor, Permission.CHAT)
    snapshot = await open_link(session, token, actor)
    chat = ChatHistory(
        id=ChatId(uuid7()),
        user_id=actor.user_id,
        title=snapshot.title,
        is_title_automatic=False,
        next_position=len(snapshot.messages),
        last_message_at=now(),
    )
    session.add(chat)
    await session.flush()
    for position, message in enumerate(snapshot.messages):
        copied = ChatMessage(
            id=MessageId(uuid7()),
            chat_id=chat.id,
            parent_id=chat.active_leaf_id,
            position=position,
            role=message.role,
            status=MessageStatus.COMPLETE,
            text=message.text,
            origin=MessageOrigin.COPY,
            created_at=message.at,
        )
        # Flushed together, in this order: each is stored after the one it follows.
        session.add(copied)
        chat.active_leaf_id = copied.id
    await session.flush()
    return chat.id


def _is_live() -> tuple[Any, ...]:
    return ShareLink.revoked_at.is_(None), or_(ShareLink.expires_at.is_(None), ShareLink.expires_at > now())


def _steps(message: ChatMessage) -> dict[str, Any]:
    steps = [without_documents(step).kept() for step in used_tools(message.steps)]
    return {"steps": steps} if steps else {}


def _snapshot(chat: WholeChat) -> dict[str, Any]:
    """Return what is shown of a chat: no other branch, no reasoning, no figures. Raises `InvalidInput`."""
    messages = [
        {
            "role": message.role.value,
            "speaker": "" if message.role is MessageRole.USER else speaker(chat, message),
            "at": message.created_at.isoformat(),
            "text": message.text,
            **_steps(message),
            "files": [file.name for file in chat.files.get(message.id, ()) if not file.is_image],
            "images": [
                {"id": str(file.id), "name": file.name, "width": file.width or 0, "height": file.height or 0}
                for file in chat.files.get(message.id, ())
                if file.is_image
            ],
        }
        for message in chat.branch()
        if (message.text.strip() or message.id in chat.files) and message.status is not MessageStatus.STREAMING
    ]
    if not messages:
        raise InvalidInput("There is nothing to share yet. Wait for the first answer.")
    if sum(len(message["text"]) for message in messages) > MAX_CHARS:
        raise TooLarge(
            "This chat is longer than {most} characters, which is too much for one page. "
            "Branch off the part that matters, or export the chat.",
            most=MAX_CHARS,
        )
    return {"title": chat.title, "messages": messages}
