"""The page of keeping, as an administrator acts on it."""

from llm_ui.admin.keeping import receipts, rules
from llm_ui.admin.keeping.state import KeepingState
from llm_ui.admin.limits.rows import id_of
from llm_ui.models import Role, TeamRole
from llm_ui.services import departures, erasures
from llm_ui.services.access import Actor
from llm_ui.ui.page import Backend
from tests.admin.conftest import ContextOf
from tests.services.test_keeping import a_chat
from tests.services.test_teams import a_team


async def test_a_rule_is_saved_only_once_it_was_seen_what_goes(
    context_of: ContextOf, backend: Backend, an_admin: Actor, a_user: Actor
) -> None:
    await a_chat(backend.database, a_user, 40)
    state = KeepingState(context_of(an_admin))
    await state.load()

    await state.open_rule(id_of(Role.USER))
    state.fill({"days": "ninety"})
    await state.save_rule()
    assert (state.sheet, state.weighed) == ("rule", ""), "nothing was seen yet"
    await state.weigh_rule()
    assert state.error == "Write a whole number of days, such as 90, or nothing to keep them always."
    state.fill({"days": "90"})
    await state.weigh_rule()
    assert "no chat goes to the bin" in state.weighed
    state.fill({"days": "30"})
    await state.save_rule()
    assert state.sheet == "rule", "other days than those that were looked at"
    assert "1 chat of 1 person go to the bin" in state.weighed
    await state.save_rule()

    assert (state.sheet, state.error) == ("", "")
    kept = {one["id"]: one["cells"]["days"] for one in rules.rows(state.rules)}
    assert (kept[str(id_of(Role.USER))], kept[str(id_of(Role.ADMIN))]) == ("30 days", "always")


async def test_a_first_rule_of_a_team_names_it(
    context_of: ContextOf, backend: Backend, an_admin: Actor, a_user: Actor
) -> None:
    await a_team(backend.database, bob=TeamRole.MEMBER)
    state = KeepingState(context_of(an_admin))

    await state.open_rule(None)
    state.fill({"team": "Herons", "days": "30"})
    await state.weigh_rule()
    assert state.error == "There is no team of this name. Write it exactly as it is."
    state.fill({"team": "ornithology"})
    await state.weigh_rule()
    await state.save_rule()

    assert [(one.name, one.days) for one in state.rules if one.subject.team_id] == [("Ornithology", 30)]


async def test_a_deleted_account_is_listed_by_its_id(
    context_of: ContextOf, backend: Backend, an_admin: Actor, a_user: Actor
) -> None:
    async with backend.database.writing() as session:
        await departures.remove(session, an_admin, a_user.user_id)
    state = KeepingState(context_of(an_admin))
    await state.load()

    (before,) = receipts.rows(state.receipts)
    async with backend.database.writing() as session:
        await erasures.verify(session, frozenset())
    await state.load()
    (after,) = receipts.rows(state.receipts)

    assert before["cells"]["id"]["detail"] == str(a_user.user_id)
    assert (before["cells"]["state"]["text"], after["cells"]["state"]["text"]) == ("Not ended yet", "Verified")
