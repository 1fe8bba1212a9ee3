"""The page of a team, as an administrator acts on it."""

from llm_ui.admin.team.state import TeamState
from llm_ui.services import teams
from llm_ui.services.access import Actor
from llm_ui.ui.page import Backend
from tests.admin.conftest import ContextOf


async def test_a_team_is_filled_and_limited(
    context_of: ContextOf, backend: Backend, an_admin: Actor, a_user: Actor
) -> None:
    async with backend.database.writing() as session:
        team_id = await teams.begin(session, an_admin, "Ornithology")
    state = TeamState(context_of(an_admin), str(team_id))
    await state.load()

    for sheet, typed, act in (
        ("add", {"email": "bob@example.org", "role": "owner"}, state.add),
        ("budget", {"budget": "12,50"}, state.set_budget),
        ("limits", {"api_keys": "3"}, state.save_limits),
        ("models", {"models": []}, state.keep),
    ):
        await state.open_form(sheet)
        assert state.sheet == sheet
        state.fill(typed)
        await act()
        assert (state.error, state.sheet) == ("", "")

    assert [one.name for one in state.known.members] == ["bob"]
    assert f"{state.known.budget.amount_usd:.2f}" == "12.50"
    await state.open_form("limits")
    assert state.api_keys == "3"
