"""The system that the workspace runs on: processes, circuits, the database and its slow statements."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from importlib import metadata
from typing import Any

from sqlalchemy import select, text

from llm_ui import __version__
from llm_ui.db import ReadSession, Session
from llm_ui.kit.clock import now
from llm_ui.kit.ids import ProviderId
from llm_ui.models import AiProvider, ProcessReport, ProviderEvent, SlowStatement
from llm_ui.services import audit
from llm_ui.services.access import Actor, Permission, readable, require
from llm_ui.services.processes import GONE_AFTER
from llm_ui.services.provider_health import count_probes

MOST_SHOWN = 20
"""Slow statements and tables."""
HISTORY = timedelta(hours=24)
LIBRARIES = ("panel", "bokeh", "fastapi", "SQLAlchemy", "huey")
SQLITE_SIZES = "SELECT name, sum(pgsize) AS bytes FROM dbstat GROUP BY name ORDER BY bytes DESC"
POSTGRESQL_SIZES = (
    "SELECT relname, pg_total_relation_size(oid) AS bytes FROM pg_class"
    " WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace ORDER BY bytes DESC"
)


@dataclass(frozen=True, slots=True)
class Process:
    """One of our processes."""

    name: str
    where: str
    version: str
    started_at: datetime
    reported_at: datetime
    is_alive: bool
    memory_bytes: int
    cpu_share: float
    delay_ms: float
    at_work: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a provider's last hours: how much of them, and whether its circuit was open."""

    share: float
    is_open: bool


@dataclass(frozen=True, slots=True)
class Health:
    """How a provider did."""

    name: str
    openings: int
    is_open: bool
    stretches: tuple[Stretch, ...]
    probes: int = 0
    failed_probes: int = 0
    probe_ms: float = 0.0
    """How long one took that was answered, on average."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement that took long."""

    id: str
    text: str
    count: int
    mean_ms: float
    longest_ms: float
    last_at: datetime


@dataclass(frozen=True, slots=True)
class System:
    """The system at a moment."""

    processes: tuple[Process, ...]
    providers: tuple[Health, ...]
    statements: tuple[Statement, ...]
    database: str
    """Its kind and version."""
    database_bytes: int


async def read(session: ReadSession, actor: Actor) -> System:
    """Return how the system does. Raises `Forbidden`."""
    require(actor, Permission.SEE_FIGURES)
    at = now()
    reports = await session.scalars(select(ProcessReport).order_by(ProcessReport.name, ProcessReport.started_at))
    slow = await session.scalars(select(SlowStatement).order_by(SlowStatement.longest_ms.desc()).limit(MOST_SHOWN))
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    version = await session.scalar(text("SELECT sqlite_version()" if is_sqlite else "SHOW server_version"))
    pages = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    size = await session.scalar(text(pages if is_sqlite else "SELECT pg_database_size(current_database())"))
    return System(
        processes=tuple(_process(row, at) for row in reports),
        providers=await providers(session, actor, at),
        statements=tuple(
            Statement(row.id, row.text, row.count, row.total_ms / row.count, row.longest_ms, row.last_at)
            for row in slow
        ),
        database=f"{'SQLite' if is_sqlite else 'PostgreSQL'} {version}",
        database_bytes=int(size or 0),
    )


def _process(row: ProcessReport, at: datetime) -> Process:
    return Process(
        name=row.name, where=f"{row.host}, {row.pid}", version=row.version, started_at=row.started_at,
        reported_at=row.reported_at, is_alive=at - row.reported_at < GONE_AFTER, memory_bytes=row.memory_bytes,
        cpu_share=row.cpu_share, delay_ms=row.delay_ms, at_work=row.at_work,
    )  # fmt: skip


async def providers(session: ReadSession, actor: Actor, at: datetime) -> tuple[Health, ...]:
    """Return how each provider that is switched on did in the last hours."""
    known = await session.scalars(
        readable(AiProvider, actor).where(AiProvider.is_enabled).order_by(AiProvider.name_key)
    )
    found = select(ProviderEvent).where(ProviderEvent.at >= at - HISTORY).order_by(ProviderEvent.at, ProviderEvent.id)
    by_provider: dict[ProviderId, list[ProviderEvent]] = {}
    for event in await session.scalars(found):
        by_provider.setdefault(event.provider_id, []).append(event)
    probed = await count_probes(session, at - HISTORY)
    return tuple(_probed(health(row.name, by_provider.get(row.id, ()), at), probed.get(row.id)) for row in known)


def _probed(found: Health, counts: tuple[int, int, float] | None) -> Health:
    if counts is None:
        return found
    return replace(found, probes=counts[0], failed_probes=counts[1], probe_ms=counts[2])


def health(name: str, events: Sequence[ProviderEvent], at: datetime) -> Health:
    """Return how a provider did, of what happened to its circuits since `HISTORY` ago; one open circuit is enough."""
    start, opened = at - HISTORY, set[Any]()
    stretches, openings = [], 0
    for event in events:
        stretches.append(Stretch((event.at - start) / HISTORY, bool(opened)))
        openings += event.is_open and not opened
        (opened.add if event.is_open else opened.discard)(event.process_id)
        start = event.at
    stretches.append(Stretch((at - start) / HISTORY, bool(opened)))
    return Health(name, openings, bool(opened), tuple(stretches))


async def table_sizes(session: ReadSession, actor: Actor) -> tuple[tuple[str, int], ...]:
    """Return the largest tables and indexes with their bytes. On SQLite the whole file is read. Raises `Forbidden`."""
    require(actor, Permission.SEE_FIGURES)
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    found = await session.execute(text(SQLITE_SIZES if is_sqlite else POSTGRESQL_SIZES))
    return tuple((row[0], int(row[1])) for row in found.fetchmany(MOST_SHOWN))


async def forget_statements(session: Session, actor: Actor) -> None:
    """Begin the list of slow statements anew."""
    require(actor, Permission.MANAGE_SETTINGS)
    for row in await session.scalars(select(SlowStatement)):
        await session.delete(row)
    await audit.record(session, actor, "statements.forgotten", "")


def versions() -> Mapping[str, str]:
    """Return what runs here, by name."""
    return {"LLM UI": __version__, "Python": platform.python_version()} | {
        name: metadata.version(name) for name in LIBRARIES
    }
