"""Limits of rates and money, as an administrator sets them and a person sees them."""

from decimal import Decimal
from uuid import UUID

from sqlalchemy import select

from llm_ui.admin.limits import rates_rows
from llm_ui.admin.limits.rates_state import RatesState
from llm_ui.admin.person import rows as person_rows
from llm_ui.admin.person.state import PersonState
from llm_ui.admin.usage.state import UsageState
from llm_ui.models import AuditLog, Budget, LimitScope, QuotaKind, QuotaScope, Role, TeamRole
from llm_ui.services import quotas, team_members, teams
from llm_ui.services.access import Actor
from tests.admin.conftest import ContextOf


async def test_a_limit_is_set_changed_seen_by_its_person_and_taken_away(
    context_of: ContextOf, an_admin: Actor, a_user: Actor
) -> None:
    context = context_of(an_admin)
    state = RatesState(context)
    await state.load()
    await state.open_new()
    state.fill({"subject": f"user/{a_user.user_id}", "kind": "day_usd", "amount": "2.505", "leads_to": "switch"})
    await state.save()
    assert (state.sheet, state.error.startswith("Write a number")) == ("rate", True)
    state.fill({"amount": "2,50"})
    await state.save()
    assert (state.sheet, state.error) == ("", "")

    await state.open_new()
    state.fill({"subject": f"user/{a_user.user_id}", "kind": "day_usd", "amount": "3"})
    await state.save()
    assert state.error == "There is such a limit already. Change that one."

    (line,) = rates_rows.limits(state.listed, may_change=True)
    assert (line["cells"]["whose"]["text"], line["cells"]["amount"], line["cells"]["left"]) == ("bob", "$2.50", "$2.50")
    await state.open_form(state.listed[0].id)
    assert (state.amount, state.leads_to) == ("2.5", "switch")
    state.fill({"amount": "4", "leads_to": "stop"})
    await state.save()

    own = UsageState(context_of(a_user), is_own=True)
    await own.look("", "UTC")
    assert own.shown is not None
    assert [(one.name, one.left_usd) for one in own.shown.rates] == [("bob", Decimal(4))]
    async with context.backend.database.reading() as session:
        assert (await session.scalars(select(Budget.amount_usd))).all() == [Decimal(4)]
        said = (await session.scalars(select(AuditLog.action).where(AuditLog.action.startswith("limit.")))).all()
    assert said == ["limit.set", "limit.set"]

    await state.open_form(state.listed[0].id)
    state.ask_delete()
    await state.delete()
    assert state.listed == ()
    async with context.backend.database.reading() as session:
        assert (await session.scalars(select(Budget.id))).all() == []


async def test_a_page_shows_whose_limits_hold_and_changes_those_of_what_it_is_about(
    context_of: ContextOf, an_admin: Actor, a_user: Actor
) -> None:
    context = context_of(an_admin)
    async with context.backend.database.writing() as session:
        team_id = await teams.begin(session, an_admin, "Tax")
        await team_members.add(session, an_admin, team_id, "bob@example.org", TeamRole.MEMBER)
        await quotas.set_quotas(
            session, an_admin, QuotaScope.TEAM, str(team_id), "Tax", {QuotaKind.MONTH_USD: 7, QuotaKind.DAY_TOKENS: 0}
        )
        await quotas.set_quotas(session, an_admin, QuotaScope.ROLE, Role.USER, "", {QuotaKind.API_KEYS: 3})
        await quotas.set_quotas(session, an_admin, QuotaScope.USER, str(a_user.user_id), "", {QuotaKind.STORAGE_MB: 9})

    person = PersonState(context, str(a_user.user_id))
    await person.load()
    found = {row["id"]: row["cells"] for row in person_rows.limits(person.known)}
    sources = {kind: cells["source"]["text"] for kind, cells in found.items()}
    assert sources == {
        "month_usd": "Tax", "day_tokens": "Tax", "month_tokens": "Everybody", "storage_mb": "Only them",
        "api_keys": "Person",
    }  # fmt: skip
    assert (found["month_usd"]["most"], found["month_usd"]["left"]["text"]) == ("$7.00", "$7.00")
    assert (found["day_tokens"]["most"], found["day_tokens"]["left"]["text"]) == ("None", "")

    everything = RatesState(context)
    await everything.load()
    await everything.open_new()
    everything.fill({"amount": "60"})
    await everything.save()
    rates = RatesState(context)
    await rates.load_of(LimitScope.TEAM, team_id)
    await rates.open_new()
    rates.fill({"kind": "month_usd", "amount": "5"})
    await rates.save()
    assert [(one.scope.value, one.name) for one in rates.listed] == [("platform", "LLM UI"), ("team", "Tax")]

    # Whoever is limited through the team sees the team's; only a model's own and everybody's hold for a model.
    await rates.load_of(LimitScope.USER, a_user.user_id)
    assert [one.scope.value for one in rates.listed] == ["platform", "team"]
    await rates.open_of(LimitScope.MODEL, UUID(int=1))
    assert ([one.scope.value for one in rates.listed], rates.sheet) == (["platform"], "all")
    await rates.open_form(rates.listed[0].id)
    rates.close()
    assert rates.sheet == "all"
    rates.close()
    assert rates.sheet == ""

    mine = RatesState(context_of(a_user))
    await mine.load_of(LimitScope.USER, an_admin.user_id)
    assert (mine.listed, bool(mine.error)) == ((), True)
