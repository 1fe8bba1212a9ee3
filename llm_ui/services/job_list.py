"""Work that people asked for: documents that are read or could not be, and files that are brought in.

Nothing of what a document is called or holds is told: projects are their members'.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, select

from llm_ui.db import ReadSession, Session
from llm_ui.errors import Conflict, NotFound
from llm_ui.kit.clock import now
from llm_ui.kit.i18n import later
from llm_ui.kit.ids import DocumentId, JobId, UserId
from llm_ui.models import BackgroundJob, Document, DocumentStage, JobKind, JobState, User
from llm_ui.services import audit, documents
from llm_ui.services.access import Actor, Permission, require
from llm_ui.services.ingestion import LEASE
from llm_ui.services.jobs import UNFINISHED
from llm_ui.services.listing import Asked, Rows
from llm_ui.services.usage.names import names
from llm_ui.services.usage.statements import By

MOST = 50
"""Files brought in that are shown."""
CANCELLED = later("An administrator ended this. Have it read once more.")


@dataclass(frozen=True, slots=True)
class ListedDocument:
    """A document that is not ready."""

    id: DocumentId
    at: datetime
    """When something last happened to it."""
    user_name: str
    size_bytes: int
    page_count: int
    stage: DocumentStage
    attempts: int
    is_held: bool
    """Whether a worker is at it."""
    error_message: str


@dataclass(frozen=True, slots=True)
class ListedJob:
    """A file that somebody brings in."""

    id: JobId
    kind: JobKind
    state: JobState
    user_name: str
    at: datetime
    done: int
    total: int
    error_message: str
    may_be_cancelled: bool


def rows(actor: Actor, asked: Asked) -> Rows[ListedDocument]:
    """Return the documents that are waited for, or could not be read. Filter: `stage`. Raises `Forbidden`."""
    require(actor, Permission.SEE_FIGURES)
    rules: list[ColumnElement[bool]] = [Document.stage != DocumentStage.READY]
    if stage := asked.filters.get("stage"):
        rules.append(Document.stage == DocumentStage(stage))
    sorts: Mapping[str, SQLColumnExpression[Any]] = {
        "at": Document.updated_at,
        "size": Document.size_bytes,
        "stage": Document.stage,
        "attempts": Document.attempts,
    }
    # rights: whose they are and how they do, nothing of what they hold
    return Rows(select(Document).where(*rules), Document.id, sorts, _told)


async def _told(session: ReadSession, found: Sequence[Document]) -> tuple[ListedDocument, ...]:
    people: dict[UserId, str] = await names(session, By.USER, {row.user_id for row in found})
    return tuple(
        ListedDocument(
            id=row.id,
            at=row.updated_at,
            user_name=people.get(row.user_id, ""),
            size_bytes=row.size_bytes,
            page_count=row.page_count,
            stage=row.stage,
            attempts=row.attempts,
            is_held=row.heartbeat_at is not None and row.heartbeat_at > now() - LEASE,
            error_message=row.error_message or "",
        )
        for row in found
    )


async def list_jobs(session: ReadSession, actor: Actor) -> tuple[ListedJob, ...]:
    """Return the files that were brought in, the newest first. Raises `Forbidden`."""
    require(actor, Permission.SEE_FIGURES)
    # rights: whose they are and how they do, nothing of what they hold
    found = select(BackgroundJob, User.name).join(User, User.id == BackgroundJob.user_id)
    newest = found.order_by(BackgroundJob.created_at.desc()).limit(MOST)
    return tuple(
        ListedJob(
            id=row.id,
            kind=row.kind,
            state=row.state,
            user_name=name,
            at=row.created_at,
            done=row.done,
            total=row.total,
            error_message=row.error_message or "",
            may_be_cancelled=row.state in UNFINISHED,
        )
        for row, name in await session.execute(newest)
    )


async def retry_document(session: Session, actor: Actor, document_id: DocumentId) -> None:
    """Have a document read once more. Raises `NotFound`, and `Conflict` unless reading it failed."""
    require(actor, Permission.MANAGE_SETTINGS)
    row = await _document(session, document_id)
    if row.stage is not DocumentStage.FAILED:
        raise Conflict("This document is being read already. Wait a moment.")
    await documents.begin_anew(session, row)
    await audit.record(session, actor, "document.retried", str(document_id), target_id=document_id)


async def cancel_document(session: Session, actor: Actor, document_id: DocumentId) -> None:
    """Let a document not be read; it counts as failed. Raises `NotFound`, and `Conflict` when it is not waited for."""
    require(actor, Permission.MANAGE_SETTINGS)
    row = await _document(session, document_id)
    if row.stage not in (DocumentStage.RECEIVED, DocumentStage.PARSED):
        raise Conflict("This document is not waited for any more. Reload the page.")
    row.stage, row.error_message, row.lease_owner = DocumentStage.FAILED, CANCELLED, None
    await audit.record(session, actor, "document.cancelled", str(document_id), target_id=document_id)


async def cancel_job(session: Session, actor: Actor, job_id: JobId) -> None:
    """Let an unfinished job end; what it has done stays. Raises `NotFound` for one that has ended, too."""
    require(actor, Permission.MANAGE_SETTINGS)
    # rights: asked above
    unfinished = select(BackgroundJob).where(BackgroundJob.id == job_id, BackgroundJob.state.in_(UNFINISHED))
    row = await session.scalar(unfinished.with_for_update())
    if row is None:
        raise NotFound("This job has ended, or never was.")
    row.state, row.finished_at = JobState.CANCELLED, now()
    await audit.record(session, actor, "job.cancelled", row.kind, target_id=job_id)


async def _document(session: Session, document_id: DocumentId) -> Document:
    # rights: asked by the caller; nothing of what it holds is told
    row = await session.scalar(select(Document).where(Document.id == document_id).with_for_update())
    if row is None:
        raise NotFound("This document is gone. Reload the page.")
    return row
