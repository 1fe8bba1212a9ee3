"""The page of the system."""

from llm_ui.admin.system import rows
from llm_ui.admin.system.state import SystemState
from llm_ui.services.access import Actor
from llm_ui.services.processes import Reporter
from tests.admin.conftest import ContextOf


async def test_the_system_is_shown_and_a_session_ended(context_of: ContextOf, an_admin: Actor, a_user: Actor) -> None:
    context = context_of(an_admin)
    await Reporter(context.backend.database, "ui", at_work=lambda: 2).report()
    state = SystemState(context)

    await state.look("?search=bob")
    await state.measure()
    await state.follow()

    assert state.error == ""
    assert [one["label"] for one in rows.tiles(state.shown, 1, 1.0, state.versions)][:2] == ["Processes", "Database"]
    shown = {row["cells"]["name"]["text"]: row["cells"]["work"] for row in rows.processes(state.shown)}
    assert shown["Pages"] == "2 open pages"
    assert [one["text"] for one in rows.strips(state.shown)] == ["Well all the time"] * len(state.shown.providers)
    assert rows.sizes(state.sizes)
    (session,) = state.found.items
    await state.end_session(session.id)
    assert state.found.total == 0
    await state.forget_statements()
    assert rows.statements(state.shown) == []
    refused = SystemState(context_of(an_admin))
    refused.context = context_of(a_user)
    await refused.look("")
    assert refused.error
