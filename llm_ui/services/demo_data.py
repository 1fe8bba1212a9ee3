"""People, chats and booked calls that nobody made, to try figures and lists on many rows."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select

from llm_ui.db import Database, ReadSession
from llm_ui.errors import InvalidInput
from llm_ui.kit.clock import now
from llm_ui.kit.ids import uuid7
from llm_ui.models import (
    AiModel,
    AiProvider,
    ChatHistory,
    ProviderKind,
    Role,
    RunStatus,
    UsageKind,
    UsageLog,
    UsagePurpose,
    UsageSource,
    User,
)

CALLS_A_SCALE = 10_000
PEOPLE_A_SCALE = 10
CHATS_A_SCALE = 100
DAYS = 365
"""So far back calls go, more of them in the last months, on workdays and by day."""
BATCH_ROWS = 5_000
"""Of one transaction."""
TOGETHER = {"render_nulls": True}
"""With something returned, many rows go in with one statement (services/imports.py says why)."""
MODELS = (("Swift", "0.25", "1.25"), ("Steady", "3", "15"), ("Deep", "15", "75"), ("Open", None, None))
"""Each with its prices in dollars a million tokens sent and received; None: unknown."""
HOURS = (1, 1, 1, 1, 1, 2, 4, 8, 14, 18, 18, 16, 12, 15, 18, 18, 16, 12, 8, 6, 5, 4, 3, 2)
"""How much is asked in each hour of a day."""
PURPOSES = (
    (UsagePurpose.ANSWER, UsageKind.CHAT, 60), (UsagePurpose.ANSWER, UsageKind.API, 15),
    (UsagePurpose.ANSWER, UsageKind.TEMPORARY, 5), (UsagePurpose.TITLE, UsageKind.HELPER, 10),
    (UsagePurpose.EMBEDDING, UsageKind.EMBEDDING, 10),
)  # fmt: skip
ENDS = ((RunStatus.COMPLETED, 94), (RunStatus.STOPPED, 3), (RunStatus.FAILED, 2), (RunStatus.INTERRUPTED, 1))


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


async def make(database: Database, scale: int, seed: int = 1) -> Made:
    """Put in people, chats and calls in proportion to the scale; the same for the same seed but their ids."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    people, chats, calls = PEOPLE_A_SCALE * scale, CHATS_A_SCALE * scale, CALLS_A_SCALE * scale
    mark = uuid7().hex[-6:]
    models = await _models(database, mark)
    named = [uuid7() for _ in range(people)]
    await _insert(database, User, (_person(one, f"demo-{mark}-{number}") for number, one in enumerate(named)))
    ends = now()
    await _insert(database, ChatHistory, (_chat(chance, named, number, ends) for number in range(chats)))
    rows = (_call(chance, named, models, ends - _ago(chance, number / calls)) for number in range(calls))
    await _insert(database, UsageLog, rows)
    return Made(people, chats, calls)


async def _insert(database: Database, table: type[Any], rows: Iterator[dict[str, Any]]) -> None:
    key = table.run_id if table is UsageLog else table.id
    while batch := [row for _, row in zip(range(BATCH_ROWS), rows, strict=False)]:
        async with database.writing() as session:
            await session.execute(insert(table).returning(key), batch, execution_options=TOGETHER)


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


def _person(one: UUID, name: str) -> dict[str, Any]:
    address = f"{name}@example.org"
    return {
        "id": one, "name": name, "name_key": name, "email": address, "email_key": address, "password_hash": "",
        "role": Role.USER, "is_active": False,
    }  # fmt: skip


def _chat(chance: random.Random, people: list[UUID], number: int, ends: datetime) -> dict[str, Any]:
    at = ends - _ago(chance, chance.random())
    return {
        "id": uuid7(), "user_id": chance.choice(people), "title": f"Made-up chat {number + 1}",
        "is_title_automatic": False, "next_position": 0, "last_message_at": at, "created_at": at, "updated_at": at,
    }  # fmt: skip


def _ago(chance: random.Random, share: float) -> timedelta:
    """Return how long ago a call was: in order, so that rows lie as if they had come one by one."""
    day = int(DAYS * (1 - share) ** 1.3)
    hour = chance.choices(range(24), HOURS)[0]
    return timedelta(days=day, hours=hour, seconds=chance.random() * 3_600)


def _call(chance: random.Random, people: list[UUID], models: list[AiModel], at: datetime) -> dict[str, Any]:
    # A few people ask most: the n-th one n-th as much.
    person = people[min(int(len(people) ** chance.random()) - 1, len(people) - 1)]
    model = chance.choices(models, (50, 30, 10, 10))[0]
    purpose, kind, _ = chance.choices(PURPOSES, [weight for *_, weight in PURPOSES])[0]
    sent, received = int(chance.lognormvariate(7, 1)), int(chance.lognormvariate(5.5, 1))
    ttft_ms = chance.lognormvariate(6, 0.6)
    cost = None
    if model.input_usd_per_mtok is not None and model.output_usd_per_mtok is not None:
        cost = (sent * model.input_usd_per_mtok + received * model.output_usd_per_mtok) / 1_000_000
    return {
        "run_id": uuid7(), "purpose": purpose, "kind": kind, "user_id": person, "project_id": None,
        "agent_id": None, "key_id": None, "team_id": None, "model_id": model.id, "provider_id": model.provider_id,
        "model_name": model.display_name, "provider_name": "Demo data",
        "status": chance.choices([end for end, _ in ENDS], [weight for _, weight in ENDS])[0],
        "input_tokens": sent, "cached_tokens": sent // 3 if chance.random() < 0.3 else 0, "output_tokens": received,
        "reasoning_tokens": 0,
        "usage_source": UsageSource.ESTIMATE if chance.random() < 0.05 else UsageSource.PROVIDER, "cost_usd": cost,
        "ttft_ms": round(ttft_ms, 1), "total_ms": round(ttft_ms + received * chance.uniform(8, 25), 1),
        "created_at": at, "rolled_up_at": None,
    }  # fmt: skip
