"""The audit page: entries, one of them opened, and the chain."""

from sqlalchemy import text

from llm_ui.admin.audit.listing import AUDIT, summary
from llm_ui.admin.audit.state import AuditState
from llm_ui.services import audit, users
from llm_ui.services.access import Actor, Role
from llm_ui.ui.page import Backend
from tests.admin.conftest import ContextOf
from tests.conftest import make_actor


async def test_entries_are_listed_newest_first_and_opened(
    context_of: ContextOf, backend: Backend, an_admin: Actor
) -> None:
    bob = await make_actor(backend.database, "bob", Role.USER)
    async with backend.database.writing() as session:
        await users.set_role(session, an_admin, bob.user_id, Role.ADMIN)
        await audit.record(session, an_admin, "prompt.changed", "House", changes={"text": ["old " * 40, ""]})
    state = AuditState(context_of(an_admin))

    await state.look("")
    await state.open_entry(state.found.items[1].id)

    assert [entry.what for entry in state.found.items] == ["prompt.changed", "user.role_changed"]
    assert summary(state.found.items[1]) == "role: user → admin"
    assert summary(state.found.items[0]).endswith("… → (none)")
    assert (state.sheet, state.entry.target, state.entry.changes) == ("entry", "bob", {"role": ["user", "admin"]})
    await state.look("?what=user&search=BO")
    assert [entry.what for entry in state.found.items] == ["user.role_changed"]
    await state.look("?days=7&via=page")
    assert state.found.items == ()
    await state.look("?sort=at")
    assert [entry.number for entry in state.found.items] == [1, 2]


async def test_verifying_says_how_the_chain_stands(context_of: ContextOf, backend: Backend, an_admin: Actor) -> None:
    async with backend.database.writing() as session:
        await audit.record(session, an_admin, "thing.changed", "one")
    state = AuditState(context_of(an_admin))
    await state.look("")
    assert (state.chain.count, state.chain.verified_at) == (1, None)

    await state.verify()

    assert (state.chain.verified_count, state.chain.problem) == (1, None)
    async with backend.database.writing() as session:
        await session.execute(text("DROP TRIGGER audit_logs_stay"))
        await session.execute(text("UPDATE audit_logs SET target = 'two'"))
    await state.verify()
    assert state.chain.problem == "Entry 1 was changed after it was written."


async def test_nobody_else_sees_an_entry(context_of: ContextOf, a_user: Actor) -> None:
    state = AuditState(context_of(a_user))

    await state.look("")
    await state.verify()

    assert (state.found.items, state.chain) == ((), None)
    assert state.error


def test_every_filter_is_one_that_the_service_knows() -> None:
    assert {each.name for each in AUDIT.filters} == {"what", "days", "via"}
