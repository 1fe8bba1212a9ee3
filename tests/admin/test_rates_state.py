"""Limits of rates and money, as an administrator sets them and a person sees them."""

from decimal import Decimal

from sqlalchemy import select

from llm_ui.admin.limits import rates_rows
from llm_ui.admin.limits.rates_state import RatesState
from llm_ui.admin.usage.state import UsageState
from llm_ui.models import AuditLog, Budget
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
