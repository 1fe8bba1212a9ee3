"""People, teams, chats and booked calls that nobody made, to try figures and lists on many rows."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

import numpy as np
from sqlalchemy import and_, func, select

from llm_ui.db import Database, ReadSession
from llm_ui.errors import InvalidInput
from llm_ui.kit.clock import now
from llm_ui.kit.ids import uuid7
from llm_ui.models import (
    AiModel,
    AiProvider,
    ChatHistory,
    ChatMessage,
    Project,
    ProjectMember,
    ProviderKind,
    Team,
    TeamMember,
    UsageLog,
    User,
)
from llm_ui.services import bulk, demo_rows
from llm_ui.services.bulk import Columns
from llm_ui.services.demo_rows import Crowd
from llm_ui.services.usage import rollups

T = TypeVar("T")

CALLS_A_SCALE = 10_000
PEOPLE_A_SCALE = 100
CHATS_A_SCALE = 1_000
PEOPLE_A_TEAM = 100
BATCH_ROWS = 20_000
"""Of one transaction."""
TOGETHER = 100_000
"""Calls of one transaction, at least: they are whole days."""
MODELS = (("Swift", "0.25", "1.25"), ("Steady", "3", "15"), ("Deep", "15", "75"), ("Open", None, None))
"""Each with its prices in dollars a million tokens sent and received; None: unknown."""


@dataclass(frozen=True, slots=True)
class Made:
    """How many rows there are now that were not there before."""

    people: int
    chats: int
    calls: int


async def refuse_if_used(session: ReadSession) -> None:
    """Raise `InvalidInput` when somebody has written something here."""
    # rights: the command line's; whether there is anything, not what
    for table in (ChatHistory, UsageLog):
        if await session.scalar(select(func.count()).select_from(select(table).limit(1).subquery())):
            raise InvalidInput(
                "There are chats or calls of people in this database. Use another data folder, or say --yes to mix "
                "made-up ones with them."
            )


async def make(database: Database, scale: int, seed: int = 1, *, together: int = TOGETHER) -> Made:
    """Put in people, their teams, chats and calls in proportion to the scale, the calls with their rollups.

    The same for the same seed, but for ids and the time it ends at: now. `together`: so many calls at least are added
    in one transaction.
    """
    chance, ends = np.random.default_rng(seed), now()
    people, chats, calls = PEOPLE_A_SCALE * scale, CHATS_A_SCALE * scale, CALLS_A_SCALE * scale
    mark = uuid7().hex[-6:]
    crowd = await _crowd(database, chance, people, mark, ends)
    for first in range(0, chats, BATCH_ROWS):
        numbers = range(first, min(first + BATCH_ROWS, chats))
        begun, said = await asyncio.to_thread(demo_rows.chats, chance, crowd, ends, numbers, chats)
        async with database.writing() as session:
            await bulk.insert(session, ChatHistory, begun)
            await bulk.insert(session, ChatMessage, said)
    await _book(database, demo_rows.calls(chance, crowd, ends, calls, together))
    return Made(people, chats, calls)


async def _book(database: Database, batches: Iterator[tuple[datetime, datetime, Columns]]) -> None:
    """Book calls and add each batch to the rollups in its transaction: none is written a second time for that."""
    while (batch := await asyncio.to_thread(next, batches, None)) is not None:
        start, end, columns = batch
        stamp = now()
        marks = demo_rows.texts(np.array([demo_rows.instant(stamp)])) * len(columns["run_id"])
        async with database.writing(lock=rollups.LOCK) as session:
            await bulk.give_room(session)
            await bulk.insert(session, UsageLog, {**columns, "rolled_up_at": marks})
            during = and_(UsageLog.created_at >= start, UsageLog.created_at < end)
            await rollups.add(session, database.dialect, and_(during, UsageLog.rolled_up_at == stamp))


async def _crowd(database: Database, chance: np.random.Generator, people: int, mark: str, ends: datetime) -> Crowd:
    """Put in people, and for each hundred a team with a project."""
    teams = -(-people // PEOPLE_A_TEAM)
    [at] = demo_rows.texts(np.array([demo_rows.instant(ends)]))
    many = np.full(people, demo_rows.instant(ends))
    made = [np.array(demo_rows.ids(chance, many[:count]), dtype=object) for count in (people, teams, teams)]
    crowd = Crowd(made[0], made[1], made[2], tuple(await _models(database, mark)))
    names = [f"demo-{mark}-{number}" for number in range(people)]
    called = [f"Demo team {mark}-{number + 1}" for number in range(teams)]
    dates: Columns = {"created_at": [at] * teams, "updated_at": [at] * teams}
    owned = {"id": crowd.projects.tolist(), "owner_id": demo_rows.owners(crowd), "name": called}
    keys = [name.lower() for name in called]
    team = {"id": crowd.teams.tolist(), "name": called, "name_key": keys, "instructions": [""] * teams}
    async with database.writing() as session:
        await bulk.insert(session, User, demo_rows.people(names, crowd.people.tolist(), at))
        await bulk.insert(session, Team, {**team, **dates})
        await bulk.insert(session, TeamMember, demo_rows.members(crowd, at))
        await bulk.insert(session, Project, {**owned, **dates})
        await bulk.insert(session, ProjectMember, demo_rows.project_owners(crowd, at))
    return crowd


async def _models(database: Database, mark: str) -> list[AiModel]:
    made = []
    async with database.writing() as session:
        provider = AiProvider(
            kind=ProviderKind.DEMO, name=f"Demo data {mark}", name_key=f"demo data {mark}", base_url="",
            sealed_key=None, is_enabled=False,
        )  # fmt: skip
        session.add(provider)
        await session.flush()
        for name, sent, received in MODELS:
            model = AiModel(
                provider_id=provider.id, name=f"{name.lower()}-{mark}", display_name=f"{name} (demo data)",
                is_enabled=False, input_usd_per_mtok=None if sent is None else Decimal(sent),
                output_usd_per_mtok=None if received is None else Decimal(received),
            )  # fmt: skip
            session.add(model)
            made.append(model)
    return made
