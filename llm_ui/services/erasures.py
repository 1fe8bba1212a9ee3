"""Receipts of deleted accounts: what there was, what is left and why, and until when backups hold it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, or_, select

from llm_ui.db import ReadSession, Session
from llm_ui.errors import NotFound
from llm_ui.kit.clock import now
from llm_ui.kit.ids import UserId, uuid7
from llm_ui.models import Attachment, AuditLog, Document, Erasure, LegalHold, LogEntry, User
from llm_ui.services import erased_rows, settings
from llm_ui.services.access import Actor, Permission, require
from llm_ui.services.erased_rows import AT_ONCE, Belongings
from llm_ui.services.logs import KEPT
from llm_ui.services.settings import BACKUPS, BACKUPS_KEPT

SHOWN = 200
FIGURES = ("usage_logs", "usage_dimensions")
REASONS = {
    "projects": "They go on under another owner.",
    "documents": "They are in projects that go on, and stand under their owners.",
    "usage_logs": "Figures stay, under an id that is nobody's.",
    "usage_dimensions": "Sums stay, under an id that is nobody's.",
    "audit_logs": "The audit log is only added to.",
    "log_entries": f"Lines of the log name the id; they go after {KEPT.days} days.",
    "legal_holds": "Holds that were lifted stay in their list.",
}
"""Why something stays, by table."""


@dataclass(frozen=True, slots=True)
class Erased:
    """Who was erased, and how: all that is needed to do it again."""

    user_id: UserId
    data: str
    heir_id: UserId | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a deleted account."""

    id: UUID
    erased: Erased
    verified_at: datetime | None
    """None: files still wait to be removed, or something is left."""
    backups_until: datetime | None
    found: Mapping[str, int]
    left: Mapping[str, int]
    kept: Mapping[str, int]
    files_waiting: int

    @property
    def gone(self) -> int:
        """How many rows have gone."""
        return sum(self.found.values()) - sum(self.left.values())


async def write(
    session: Session,
    theirs: Belongings,
    found: Mapping[str, int],
    data: str,
    heir_id: UserId | None,
    *,
    keeps_figures: bool,
) -> UUID:
    """Look for what is left of a person who was just deleted, and write the receipt; return its id."""
    stays = {name: len(ids) for name, ids in theirs.handed.items()}
    if keeps_figures:
        stays |= {name: found.get(name, 0) for name in FIGURES}
    went = {name: number - stays.get(name, 0) for name, number in found.items()}
    kept = {**stays, **await _named(session, theirs.user_id)}
    row = Erasure(
        id=uuid7(), subject_id=theirs.user_id, data=data, heir_id=heir_id, erased_at=now(),
        backups_until=await _backups_until(session), found={name: number for name, number in went.items() if number},
        left=await erased_rows.count(session, theirs), kept={name: number for name, number in kept.items() if number},
        files=sorted(theirs.files),
    )  # fmt: skip
    session.add(row)
    await session.flush()
    return row.id


async def verify(session: Session, stored: frozenset[str]) -> int:
    """Look again after the receipts that wait, with the names of the files on the disk; return how many are done."""
    # rights: the product's own clean-up
    waiting = (await session.scalars(select(Erasure).where(Erasure.verified_at.is_(None)).limit(SHOWN))).all()
    done = 0
    for row in waiting:
        again = await erased_rows.count(session, Belongings(row.subject_id, {}, {}, (), frozenset()))
        # What hung on a chat that is gone is found only once; that it was there stays.
        once = {name: number for name, number in row.left.items() if name not in erased_rows.NAMING}
        row.left = once | again
        row.files = sorted(await _unneeded(session, stored.intersection(row.files)))
        if not row.files and not row.left:
            row.verified_at = now()
            done += 1
    return done


async def is_any_waiting(session: ReadSession) -> bool:
    """Return whether a receipt waits for the end of the work."""
    return await session.scalar(select(Erasure.id).where(Erasure.verified_at.is_(None)).limit(1)) is not None


async def list_receipts(session: ReadSession, actor: Actor) -> tuple[Receipt, ...]:
    """Return the newest receipts. Raises `Forbidden`."""
    require(actor, Permission.MANAGE_USERS)
    found = await session.scalars(select(Erasure).order_by(Erasure.erased_at.desc()).limit(SHOWN))
    return tuple(map(_receipt, found))


async def read(session: ReadSession, actor: Actor, receipt_id: UUID) -> Receipt:
    """Return a receipt. Raises `NotFound` and `Forbidden`."""
    require(actor, Permission.MANAGE_USERS)
    row = await session.get(Erasure, receipt_id)
    if row is None:
        raise NotFound("There is no such receipt. Reload the page.")
    return _receipt(row)


def told(receipt: Receipt) -> dict[str, object]:
    """Return a receipt as its file says it."""
    until, verified_at = receipt.backups_until, receipt.verified_at
    daily = "No daily backups are made." if until is None else f"Daily backups hold the data until {until:%Y-%m-%d}."
    return {
        "receipt": str(receipt.id),
        "account": str(receipt.erased.user_id),
        "data": receipt.erased.data,
        "erased_at": receipt.erased.at.isoformat(),
        "verified_at": None if verified_at is None else verified_at.isoformat(),
        "is_ended": verified_at is not None,
        "gone": {name: number - receipt.left.get(name, 0) for name, number in receipt.found.items()},
        "left": dict(receipt.left),
        "files_waiting": receipt.files_waiting,
        "kept": {name: {"rows": number, "why": REASONS[name]} for name, number in receipt.kept.items()},
        "backups": f"{daily} Copies from before a migration, or made by hand, hold it until somebody deletes them.",
    }


async def all_erased(session: ReadSession) -> tuple[Erased, ...]:
    """Return who was ever erased, those first that were first."""
    return tuple(_erased(row) for row in await session.scalars(select(Erasure).order_by(Erasure.erased_at)))


async def returned(session: ReadSession, erased: Sequence[Erased]) -> tuple[Erased, ...]:
    """Return those of the erased who have an account again, as a restored copy brought it back."""
    # rights: ids only, for the product's own clean-up
    back: set[UserId] = set()
    for at in range(0, len(erased), AT_ONCE):
        some = [one.user_id for one in erased[at : at + AT_ONCE]]
        back |= set(await session.scalars(select(User.id).where(User.id.in_(some))))
    return tuple(one for one in erased if one.user_id in back)


async def _named(session: ReadSession, user_id: UserId) -> dict[str, int]:
    """Return how much names a person and stays, by table."""
    # rights: counts only, for a receipt
    queries = {
        "audit_logs": select(func.count()).select_from(AuditLog).where(
            or_(AuditLog.actor_id == user_id, AuditLog.target_id == str(user_id))
        ),
        "log_entries": select(func.count()).select_from(LogEntry).where(LogEntry.user_id == user_id),
        "legal_holds": select(func.count()).select_from(LegalHold).where(LegalHold.subject_id == user_id),
    }  # fmt: skip
    return {name: await session.scalar(query) or 0 for name, query in queries.items()}


async def _backups_until(session: ReadSession) -> datetime | None:
    """Return when the last daily backup with today's data has gone: as many days as backups are kept."""
    if not await settings.get(session, BACKUPS):
        return None
    return now() + timedelta(days=await settings.get(session, BACKUPS_KEPT))


async def _unneeded(session: ReadSession, names: frozenset[str]) -> frozenset[str]:
    """Return the names of stored files that nobody needs."""
    # rights: the product's own clean-up; no content
    attached = await session.scalars(select(Attachment.sha256).where(Attachment.sha256.in_(names)))
    held = await session.scalars(select(Document.sha256).where(Document.sha256.in_(names)))
    return names - set(attached) - set(held)


def _receipt(row: Erasure) -> Receipt:
    return Receipt(
        row.id, _erased(row), row.verified_at, row.backups_until, row.found, row.left, row.kept, len(row.files)
    )


def _erased(row: Erasure) -> Erased:
    return Erased(row.subject_id, row.data, row.heir_id, row.erased_at)
