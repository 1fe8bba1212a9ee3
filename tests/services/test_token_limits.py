"""How many tokens people may use, and room for the files of chats, on both databases."""

from datetime import timedelta
from decimal import Decimal

import pytest

from llm_ui.db import Database
from llm_ui.errors import BudgetSpent, TooLarge
from llm_ui.kit.clock import now
from llm_ui.kit.ids import RunId, UserId, uuid7
from llm_ui.kit.media import Media
from llm_ui.models import QuotaKind, QuotaScope, Role, RunStatus, TeamRole, UsageLog, UsageSource
from llm_ui.services import attachments, budgets, quotas
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.attachments import Received
from llm_ui.services.quotas import MB
from llm_ui.services.usage import allowances, rollups
from tests.services.test_attachments import uploaded
from tests.services.test_quotas import begun, receive
from tests.services.test_teams import a_team

PICTURE = Media("image/png", 640, 480)


async def used(database: Database, user_id: UserId, tokens: int, days_ago: int = 0) -> None:
    """Book a call."""
    at = now() - timedelta(days=days_ago)
    async with database.writing() as session:
        session.add(
            UsageLog(
                run_id=RunId(uuid7()), user_id=user_id, model_name="m", provider_name="p", created_at=at,
                status=RunStatus.COMPLETED, usage_source=UsageSource.PROVIDER, input_tokens=tokens - 1, output_tokens=1,
            )
        )  # fmt: skip


async def limit(database: Database, scope: QuotaScope, key: object, wanted: dict[QuotaKind, int | None]) -> None:
    async with database.writing() as session:
        await quotas.set_quotas(session, SYSTEM, scope, str(key), "somebody", wanted)


async def may_ask(database: Database, actor: Actor) -> str:
    """Return why the actor may not ask; empty when they may."""
    try:
        async with database.writing() as session:
            await budgets.reserve(session, RunId(uuid7()), None, None, actor.user_id)
    except BudgetSpent as refusal:
        return refusal.message
    return ""


async def test_whoever_has_used_the_tokens_of_the_day_asks_again_tomorrow(
    database: Database, a_user: Actor, another_user: Actor
) -> None:
    await used(database, a_user.user_id, 5_000, days_ago=1)
    await used(database, a_user.user_id, 600)
    assert await may_ask(database, a_user) == ""

    await limit(database, QuotaScope.ROLE, Role.USER, {QuotaKind.DAY_TOKENS: 1_000})
    assert await may_ask(database, a_user) == "", "yesterday's do not count"
    await used(database, a_user.user_id, 400)

    refused = await may_ask(database, a_user)
    tomorrow = f"{now() + timedelta(days=1):%Y-%m-%d}"
    assert refused.startswith("You have used 1,000 of your 1,000 tokens for today. From " + tomorrow)
    assert await may_ask(database, another_user) == ""
    assert await rollups.roll_up(database) > 0
    assert await may_ask(database, a_user) == refused, "the same once it is added up"
    await limit(database, QuotaScope.USER, a_user.user_id, {QuotaKind.DAY_TOKENS: 0})
    assert await may_ask(database, a_user) == "", "the nearest limit holds"


async def test_a_month_of_tokens_is_told_with_when_it_returns(database: Database, a_user: Actor) -> None:
    team_id = await a_team(database, bob=TeamRole.MEMBER)
    await limit(database, QuotaScope.TEAM, team_id, {QuotaKind.MONTH_TOKENS: 1_000})
    async with database.writing() as session:
        await budgets.set_of_team(session, SYSTEM, team_id, Decimal(5))
    await used(database, a_user.user_id, 1_500)

    assert "1,500 of your 1,000 tokens for this month" in await may_ask(database, a_user)

    async with database.reading() as session:
        left = {one.kind: one for one in await quotas.list_left(session, a_user)}
        (team,) = await allowances.of_mine(session, a_user)
    month = left[QuotaKind.MONTH_TOKENS]
    assert (month.most, month.used) == (1_000, 1_500)
    assert month.returns_at is not None
    assert month.returns_at.day == 1
    assert (left[QuotaKind.DAY_TOKENS].most, left[QuotaKind.STORAGE_MB].returns_at) == (0, None)
    assert (team.key, team.left_usd, team.is_of_team) == (team_id, 5, True)


async def test_files_of_chats_take_room_once_and_say_what_to_delete(seeded: Database, a_user: Actor) -> None:
    project_id = await begun(seeded, a_user, "House")
    await receive(seeded, a_user, project_id, "a.pdf", 6 * MB)
    first = await uploaded(seeded, a_user)
    await limit(seeded, QuotaScope.USER, a_user.user_id, {QuotaKind.STORAGE_MB: 7})

    async def attach(size: int, sha256: str) -> None:
        async with seeded.writing() as session:
            await attachments.receive(session, a_user, Received("b.png", PICTURE, size, sha256))

    with pytest.raises(TooLarge, match="you may store 7 MB, and your documents in all projects take 6 MB, the files"):
        await attach(MB, "b" * 64)
    await attach(MB // 2, "b" * 64)
    await attach(MB // 2, "b" * 64)

    with pytest.raises(TooLarge, match="Delete documents, or chats with files from the bin too"):
        await receive(seeded, a_user, project_id, "c.pdf", MB)
    async with seeded.reading() as session:
        room = await quotas.room(session, a_user, project_id)
        left = {one.kind: one for one in await quotas.list_left(session, a_user)}
    assert (room.of_person, room.of_files) == (6 * MB + MB // 2 + first.size_bytes, MB // 2 + first.size_bytes)
    assert left[QuotaKind.STORAGE_MB].used == Decimal(room.of_person) / MB
