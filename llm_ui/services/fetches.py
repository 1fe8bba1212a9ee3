"""Documents from the web: asked for by a person, fetched by a worker under a lease, told why when that fails.

A row is what is still to be fetched; once the document is there it goes.
"""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import unquote, urlsplit

from sqlalchemy import Select, Update, delete, func, or_, select, update

from llm_ui.db import ReadSession, Session
from llm_ui.errors import InvalidInput, NotFound
from llm_ui.kit.clock import now
from llm_ui.kit.fetching import Fetched, checked
from llm_ui.kit.i18n import later
from llm_ui.kit.ids import DocumentId, FetchId, ProjectId, uuid7
from llm_ui.kit.text import one_line, storable
from llm_ui.models import DocumentFetch, User
from llm_ui.services import audit, settings
from llm_ui.services.access import Actor, Permission, ProjectRight, readable, require
from llm_ui.services.documents import find
from llm_ui.services.projects import project_row, require_open
from llm_ui.services.settings import WEB_FETCH

MAX_FETCHES = 100
"""Of one project that wait or have failed."""
LEASE = timedelta(seconds=15)
"""After so long without a heartbeat a worker counts as dead."""
MAX_ATTEMPTS = 3
"""An address at which so many workers died is given up."""
GIVEN_UP = later("Fetching this failed three times in a row, so it was given up. Download it and upload the file.")
TITLE_CHARS = 150
HEAD_BYTES = 1 << 16
"""So far into a page its title is looked for."""
ENDINGS = {
    "application/pdf": ".pdf", "application/json": ".json", "application/epub+zip": ".epub", "text/csv": ".csv",
    "text/markdown": ".md", "text/plain": ".txt", "text/html": ".html", "application/xhtml+xml": ".html",
}  # fmt: skip
"""By what a server says it sends, for a name without one. What it is is found in its bytes."""
PAGES = ("text/html", "application/xhtml+xml")
ENDING = re.compile(r"\.[A-Za-z0-9]{1,8}$")


@dataclass(frozen=True, slots=True)
class FetchInfo:
    """What is to be fetched, as it is listed."""

    id: FetchId
    address: str
    error_message: str | None
    is_begun: bool


@dataclass(frozen=True, slots=True)
class Held:
    """What is to be fetched, in the hands of a worker."""

    id: FetchId
    project_id: ProjectId
    owner: str
    actor: Actor
    address: str


async def begin(session: Session, actor: Actor, project_id: ProjectId, address: str) -> None:
    """Have what lies under an address fetched into a project.

    Raises `InvalidInput`, `Conflict`, `NotFound` and `Forbidden`.
    """
    require(actor, Permission.CHAT)
    await settings.require_on(session, WEB_FETCH)
    await require_open(session, actor, project_id, ProjectRight.EDIT)
    address = checked(address)
    mine = readable(DocumentFetch, actor).where(DocumentFetch.project_id == project_id)
    row = await session.scalar(mine.where(DocumentFetch.address == address).limit(1))
    if row is not None:
        row.user_id = actor.user_id
        await _begin_anew(session, row)
        return
    if (await session.execute(mine.with_only_columns(func.count()))).scalar_one() >= MAX_FETCHES:
        raise InvalidInput(
            "{most} addresses of this project wait to be fetched or failed, which is the most. Remove some first.",
            most=MAX_FETCHES,
        )
    session.add(DocumentFetch(project_id=project_id, user_id=actor.user_id, address=address))
    await session.flush()
    await audit.record(session, actor, "document.fetched", address, project_id=str(project_id))


async def begin_again(session: Session, actor: Actor, document_id: DocumentId) -> None:
    """Have a document fetched once more from where it came. Raises `InvalidInput` and `NotFound`."""
    found = await find(session, actor, document_id)
    if found.source_url is None:
        raise InvalidInput("{name} was not fetched from the web. Upload the new file.", name=found.name)
    await begin(session, actor, found.project_id, found.source_url)


async def retry(session: Session, actor: Actor, fetch_id: FetchId) -> ProjectId:
    """Try it once more; return the project. Raises `NotFound`."""
    row = await _row(session, actor, fetch_id)
    row.user_id = actor.user_id
    await _begin_anew(session, row)
    return row.project_id


async def remove(session: Session, actor: Actor, fetch_id: FetchId) -> ProjectId:
    """Give it up; return the project. Raises `NotFound`."""
    row = await _row(session, actor, fetch_id)
    await session.delete(row)
    await session.flush()
    return row.project_id


async def list_fetches(session: ReadSession, actor: Actor, project_id: ProjectId) -> tuple[FetchInfo, ...]:
    """Return what is still to be fetched into a project, in the order in which it was asked for."""
    mine = readable(DocumentFetch, actor).where(DocumentFetch.project_id == project_id)
    rows = await session.scalars(mine.order_by(DocumentFetch.created_at, DocumentFetch.id))
    return tuple(FetchInfo(row.id, row.address, row.error_message, row.heartbeat_at is not None) for row in rows)


async def is_any_waiting(session: ReadSession) -> bool:
    """Return whether there is something to fetch."""
    return await session.scalar(_waiting()) is not None


def _waiting() -> Select[DocumentFetch]:
    # rights: the worker's own look at what there is to do; it acts as whoever asked
    is_free = or_(DocumentFetch.heartbeat_at.is_(None), DocumentFetch.heartbeat_at < now() - LEASE)
    waiting = select(DocumentFetch).where(DocumentFetch.error_message.is_(None), is_free)
    return waiting.order_by(DocumentFetch.updated_at).limit(1)


async def claim(session: Session) -> Held | None:
    """Take what has waited longest, None when there is nothing; what fails over and over is given up."""
    row = await session.scalar(_waiting().with_for_update(skip_locked=True))
    if row is None:
        return None
    user = await session.get_one(User, row.user_id)  # rights: whoever asked for it
    if not user.is_active:
        await session.delete(row)
        return None
    if row.attempts >= MAX_ATTEMPTS:
        row.error_message, row.lease_owner, row.heartbeat_at = GIVEN_UP, None, None
        return None
    row.attempts += 1
    row.lease_owner, row.heartbeat_at = uuid7().hex, now()
    return Held(row.id, row.project_id, row.lease_owner, Actor(user.id, user.name, user.role), row.address)


async def beat(session: Session, held: Held) -> bool:
    """Say that the worker lives; return whether to go on: it may be given up, or another worker's by now."""
    return await _change(session, held, {"heartbeat_at": now()})


async def finish(session: Session, held: Held) -> bool:
    """Note that it is fetched; return whether it was still wanted."""
    mine = delete(DocumentFetch).where(DocumentFetch.id == held.id, DocumentFetch.lease_owner == held.owner)
    return await session.scalar(mine.returning(DocumentFetch.id)) is not None


async def fail(session: Session, held: Held, why: str) -> None:
    """Note in a sentence why it cannot be fetched."""
    await _change(session, held, {"error_message": storable(why), "lease_owner": None, "heartbeat_at": None})


async def release(session: Session, held: Held) -> None:
    """Give it back, to be fetched by whoever takes it next."""
    given_back = {"lease_owner": None, "heartbeat_at": None, "attempts": DocumentFetch.attempts - 1}
    await _change(session, held, given_back)


def name_of(fetched: Fetched, head: bytes) -> str:
    """Return what a document is to be called: as its server says, by its title, or by the end of its address."""
    if fetched.name:
        return fetched.name
    is_page = fetched.media_type in PAGES
    title = _title(head) if is_page else ""
    if title:
        return f"{title}.html"
    parts = urlsplit(fetched.address)
    name = unquote(parts.path.rstrip("/").rpartition("/")[2], errors="replace") or parts.hostname or ""
    ending = ENDINGS.get(fetched.media_type, "")
    # The end of a host's name is no ending.
    return name if ENDING.search(name) and name != parts.hostname else f"{name}{ending}"


def _title(head: bytes) -> str:
    """Return the title of a page; empty when it has none."""
    small = head.lower()
    begin = small.find(b">", small.find(b"<title")) + 1 if b"<title" in small else 0
    end = small.find(b"</title", begin)
    if not begin or end < 0:
        return ""
    text = html.unescape(head[begin:end].decode("utf-8", "replace"))
    # What stands before a slash is not a folder.
    return one_line(re.sub(r"[/\\]", "-", text), TITLE_CHARS)


async def _begin_anew(session: Session, row: DocumentFetch) -> None:
    if row.error_message is not None:
        row.error_message, row.attempts = None, 0
    await session.flush()


async def _row(session: ReadSession, actor: Actor, fetch_id: FetchId) -> DocumentFetch:
    require(actor, Permission.CHAT)
    row = await session.scalar(readable(DocumentFetch, actor).where(DocumentFetch.id == fetch_id))
    if row is None:
        raise NotFound("This is fetched already, or nobody wants it any more. Look at the list of documents.")
    await project_row(session, actor, row.project_id, ProjectRight.EDIT)
    return row


async def _change(session: Session, held: Held, values: Mapping[str, object]) -> bool:
    return await session.scalar(_held(held).values(values).returning(DocumentFetch.id)) is not None


def _held(held: Held) -> Update:
    return update(DocumentFetch).where(DocumentFetch.id == held.id, DocumentFetch.lease_owner == held.owner)
