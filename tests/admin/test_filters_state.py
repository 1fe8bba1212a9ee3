"""The page of safety filters, and their part of a team's page."""

import pytest

from llm_ui.admin.filtering import id_of
from llm_ui.admin.filters import rows
from llm_ui.admin.filters.state import FiltersState
from llm_ui.admin.team.state import TeamState
from llm_ui.models import FilterAction, FilterKind
from llm_ui.services.access import Actor
from tests.admin.conftest import ContextOf
from tests.services.test_teams import a_team


async def test_a_filter_is_set_tried_and_refused(context_of: ContextOf, an_admin: Actor) -> None:
    state = FiltersState(context_of(an_admin))
    await state.load()
    await state.open_form(id_of(FilterKind.TERMS))
    state.fill({"on_input": "mask"})
    await state.save()
    assert ("List the terms" in state.error, state.sheet) == (True, "filter")

    state.fill({"terms": "Heron\nBlue whale"})
    await state.save()
    state.text = "about the blue  WHALE of ann@example.org"
    await state.try_it()

    assert (state.error, state.sheet) == ("", "")
    assert rows.sent(state.tried) == "A model would be sent: about the [TERM_1] of ann@example.org"
    found = {row["cells"]["filter"]: row["cells"]["found"]["text"] for row in rows.tried(state.tried)}
    assert found["Personal data"] == "e-mail address: ann@example.org"
    assert found["Banned terms"] == "term: blue WHALE"
    assert found["Secrets"] == "nothing"


@pytest.mark.parametrize("typed", [{"on_input": "explode"}, {"provider": "6f0c8ad2-52f7-4b7e-9f3c-0d1f2b7a9c46"}])
async def test_what_no_form_offers_is_refused(context_of: ContextOf, an_admin: Actor, typed: dict[str, str]) -> None:
    state = FiltersState(context_of(an_admin))
    await state.open_form(id_of(FilterKind.PII))
    state.fill(typed)

    await state.save()

    assert "Choose what the filter is to do." in state.error


async def test_nobody_else_sets_filters(context_of: ContextOf, a_user: Actor) -> None:
    state = FiltersState(context_of(a_user))

    await state.load()
    await state.try_it()

    assert state.error
    assert state.rules == ()


async def test_a_team_has_filters_of_its_own(context_of: ContextOf, an_admin: Actor) -> None:
    team_id = await a_team(context_of(an_admin).backend.database)
    state = TeamState(context_of(an_admin), str(team_id))
    await state.load()
    await state.open_filter(id_of(FilterKind.SECRETS))
    state.fill({"on_input": "block"})

    await state.save_filter()

    assert state.error == ""
    (rule,) = [one for one in state.rules if one.kind is FilterKind.SECRETS]
    assert rule.on_input is FilterAction.BLOCK
    workspace = FiltersState(context_of(an_admin))
    await workspace.load()
    assert not any(one.is_on for one in workspace.rules)
