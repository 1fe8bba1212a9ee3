"""What runs now, and what administrators do to it: stop a run, drain a provider.

Whoever sees figures sees what runs; acting takes the right to manage providers, which operators do not have.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from llm_ui.db import ReadSession, Session
from llm_ui.errors import NotFound
from llm_ui.kit.ids import ProviderId, RunId
from llm_ui.models import LIVE_STATUSES, AiProvider, Run, RunStatus, User
from llm_ui.services import audit
from llm_ui.services.access import Actor, Permission, readable, require

MOST = 100
"""Runs that are shown at once."""


@dataclass(frozen=True, slots=True)
class LiveRun:
    """A run that has not ended."""

    id: RunId
    user_name: str
    model_name: str
    provider_name: str
    status: RunStatus
    since: datetime
    is_stopping: bool


@dataclass(frozen=True, slots=True)
class LiveProvider:
    """A provider, and how many runs it is at."""

    id: ProviderId
    name: str
    running: int
    is_draining: bool


@dataclass(frozen=True, slots=True)
class Live:
    """What goes on at a moment. Chats that are stored nowhere, and scripts, are seen once they have ended."""

    runs: tuple[LiveRun, ...]
    """The oldest first, `MOST` at most."""
    providers: tuple[LiveProvider, ...]
    """Those that are switched on, by name."""


async def read(session: ReadSession, actor: Actor) -> Live:
    """Return what runs now. Raises `Forbidden`."""
    require(actor, Permission.SEE_FIGURES)
    # rights: whose runs they are and with which model, nothing of what is said
    is_live = Run.status.in_(LIVE_STATUSES)
    found = select(Run, User.name).join(User, User.id == Run.user_id).where(is_live).order_by(Run.created_at)
    counted = select(Run.provider_id, func.count()).where(is_live).group_by(Run.provider_id)
    running = dict((await session.execute(counted)).all())
    usable = readable(AiProvider, actor).where(AiProvider.is_enabled).order_by(AiProvider.name_key)
    return Live(
        tuple(_told(run, name) for run, name in await session.execute(found.limit(MOST))),
        tuple(
            LiveProvider(row.id, row.name, running.get(row.id, 0), row.is_draining)
            for row in await session.scalars(usable)
        ),
    )


def _told(run: Run, user_name: str) -> LiveRun:
    return LiveRun(
        id=run.id,
        user_name=user_name,
        model_name=run.model_name,
        provider_name=run.provider_name,
        status=run.status,
        since=run.created_at,
        is_stopping=run.stop_requested_at is not None,
    )


async def note_stop(session: Session, actor: Actor, run_id: RunId) -> None:
    """Write down that the actor ends somebody's run. Raises `NotFound` for one that has ended, too."""
    require(actor, Permission.MANAGE_PROVIDERS)
    # rights: whose run it is, for the entry
    found = select(User.name).join(Run, Run.user_id == User.id).where(Run.id == run_id, Run.status.in_(LIVE_STATUSES))
    owner = await session.scalar(found)
    if owner is None:
        raise NotFound("This run has ended, or never was.")
    await audit.record(session, actor, "run.stopped", owner, target_id=run_id)


async def set_draining(session: Session, actor: Actor, provider_id: ProviderId, *, is_draining: bool) -> None:
    """Let a provider get no new calls, or let it again; those that run end by themselves. Raises `NotFound`."""
    require(actor, Permission.MANAGE_PROVIDERS)
    row = await session.scalar(readable(AiProvider, actor).where(AiProvider.id == provider_id).with_for_update())
    if row is None:
        raise NotFound("This provider does not exist any more. Reload the page.")
    row.is_draining = is_draining
    done = "provider.drained" if is_draining else "provider.undrained"
    await audit.record(session, actor, done, row.name, target_id=row.id)
