"""The overview: today beside last week, and what needs attention."""

from datetime import timedelta
from decimal import Decimal

from sqlalchemy import update

from llm_ui.admin.overview import rows
from llm_ui.admin.overview.state import OverviewState
from llm_ui.kit.clock import now
from llm_ui.models import AiProvider, RunStatus
from llm_ui.services.access import Actor
from llm_ui.services.seed import seed
from tests.admin.conftest import ContextOf
from tests.services.test_project_settings import a_booking


async def test_today_is_beside_last_week_and_what_fails_is_told(context_of: ContextOf, an_admin: Actor) -> None:
    context = context_of(an_admin)
    async with context.backend.database.writing(lock="seed") as session:
        await seed(session)
        session.add_all(a_booking(an_admin, None, Decimal(2), now()) for _ in range(3))
        session.add(a_booking(an_admin, None, Decimal(2), now() - timedelta(days=7)))
    state = OverviewState(context)

    await state.look("UTC")

    assert state.error == ""
    assert (state.shown.today.people, state.shown.today.used.requests) == (1, 3)
    assert (state.shown.last_week.people, state.shown.last_week.used.requests) == (1, 1)
    assert [one.is_failing for one in state.shown.providers] == [False]
    assert rows.attention(state.shown, free_share=0.5) == []
    async with context.backend.database.writing() as session:
        provider = await session.scalar(update(AiProvider).values(last_test_error="no").returning(AiProvider.id))
        failed = a_booking(an_admin, None, Decimal(0), now())
        failed.status, failed.provider_id = RunStatus.FAILED, provider
        session.add(failed)

    await state.follow()

    assert state.shown.today.used.errors == 1
    told = rows.attention(state.shown, free_share=0.05)
    assert [line["id"] for line in told] == ["/admin/providers", "/admin/settings"]


async def test_people_are_told_that_it_is_not_theirs(context_of: ContextOf, a_user: Actor) -> None:
    state = OverviewState(context_of(a_user))

    await state.look("UTC")

    assert state.error != ""
    assert state.shown is None
