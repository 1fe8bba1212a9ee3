"""Made-up rows are as those that people leave: what is added up of them at once is what the worker adds up."""

from typing import Any

from sqlalchemy import func, select

from llm_ui.db import Database
from llm_ui.kit.clock import now
from llm_ui.models import (
    ChatHistory,
    ChatMessage,
    TeamMember,
    UsageDimension,
    UsageLatency,
    UsageLog,
    UsageRollup,
    UsageTotal,
    User,
)
from llm_ui.services import demo_data
from llm_ui.services.demo_data import Made
from llm_ui.services.seed import seed
from llm_ui.services.usage import rollups

NAMED = ("user_id", "project_id", "team_id", "model_id", "kind")


async def added_up(database: Database) -> list[set[tuple[Any, ...]]]:
    """Return all rollups, with what their combinations are in place of their numbers."""
    found = []
    async with database.reading() as session:
        for table in (UsageRollup, UsageTotal, UsageLatency):
            columns = [column for column in table.__table__.c if column.name != "dimension_id"]
            named = [getattr(UsageDimension, name) for name in NAMED]
            rows = await session.execute(
                select(*columns, *named).join(UsageDimension, UsageDimension.id == table.dimension_id)
            )
            found.append(set(map(tuple, rows)))
    return found


async def hold_together(database: Database, made: Made) -> None:
    """See that chats, messages and teams belong together, and that ids are in the order of time."""
    async with database.reading() as session:
        leaves = select(func.count()).join(ChatMessage, ChatMessage.id == ChatHistory.active_leaf_id)
        spoken = await session.scalar(leaves.select_from(ChatHistory))
        counts = [
            await session.scalar(select(func.count()).select_from(one)) for one in (User, ChatHistory, TeamMember)
        ]
        late = await session.scalar(select(func.count()).where(UsageLog.created_at > now()))
        first = await session.scalar(select(ChatHistory).order_by(ChatHistory.id).limit(1))
        oldest = await session.scalar(select(func.min(ChatHistory.created_at)))

    assert counts == [made.people, made.chats, made.people]
    assert 0 < (spoken or 0) < made.chats, "only those of the last month hold something"
    assert late == 0
    assert first is not None
    assert first.created_at == oldest


async def test_made_up_rows_hold_together_and_are_added_up_as_by_the_worker(database: Database) -> None:
    async with database.writing(lock="seed") as session:
        await seed(session)

    made = await demo_data.make(database, 1, together=3_000)
    await hold_together(database, made)
    at_once = await added_up(database)
    async with database.writing() as session:
        await rollups.forget(session)
    assert await rollups.roll_up(database, at_once=rollups.WEEK) == made.calls == 10_000

    assert await added_up(database) == at_once
