"""The pages of runs: what runs now is stopped, providers are drained, and what was said stays with people."""

import pytest
from sqlalchemy import select, update

from llm_ui.admin.run import rows as run_rows
from llm_ui.admin.run.state import RunState
from llm_ui.admin.runs import rows
from llm_ui.admin.runs.listing import RUNS
from llm_ui.admin.runs.state import RunsState
from llm_ui.contract import StartEvent
from llm_ui.errors import Forbidden, Unavailable
from llm_ui.models import AuditLog, Role, User
from llm_ui.services import settings, targets
from llm_ui.services.access import Actor
from llm_ui.services.settings import SEE_CONTENT
from tests.admin.conftest import ContextOf
from tests.api.conftest import add_model, client_of, llm
from tests.api.test_answers import asking, everything
from tests.api.test_runs import SLOW, is_piece, rest_of, started, until
from tests.conftest import make_actor
from tests.fakes.provider import FakeProvider, numbered_words

__all__ = ["add_model", "client_of", "llm"]


async def entries(context, action: str) -> list[tuple[str, str]]:
    async with context.backend.database.reading() as session:
        found = await session.scalars(select(AuditLog).where(AuditLog.action == action))
        return [(entry.actor_name, entry.target) for entry in found]


async def test_an_administrator_stops_a_run_and_drains_its_provider(
    context_of: ContextOf, client_of, add_model, an_admin: Actor, a_user: Actor
) -> None:
    context, state = context_of(an_admin), RunsState(context_of(an_admin))
    operator = await make_actor(context.backend.database, "olga", Role.OPERATOR)
    watching = RunsState(context_of(operator))
    async with FakeProvider(numbered_words(SLOW)) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        stream = client_of(a_user).chat_stream(asking(model_id=model_id))
        begun = await until(stream, is_piece(2))
        run_id = started(begun).run_id
        await state.look("")
        await watching.look("")

        (line,) = rows.runs(state.live, state.may_act)
        assert (line["id"], line["name"], [each["action"] for each in line["actions"]]) == (
            str(run_id), a_user.name, ["stop"],
        )  # fmt: skip
        assert rows.runs(watching.live, watching.may_act)[0]["actions"] == []
        provider = next(one for one in state.live.providers if one.running)
        await watching.stop(run_id)
        await watching.set_draining(provider.id, is_draining=True)
        assert watching.error == Forbidden().message
        await state.set_draining(provider.id, is_draining=True)
        async with context.backend.database.reading() as session:
            with pytest.raises(Unavailable, match="takes no new questions for a while"):
                await targets.target(session, a_user, model_id)
        assert rows.providers(state.live, may_act=True)[-1]["cells"]["state"]["text"] == "Is being drained"
        await state.stop(run_id)
        await rest_of(stream)
        await state.set_draining(provider.id, is_draining=False)
        await state.follow()

    assert state.live.runs == ()
    assert [(item.call.user_name, item.call.status) for item in state.found.items] == [(a_user.name, "stopped")]
    assert await entries(context, "run.stopped") == [("ada", a_user.name)]
    assert await entries(context, "provider.drained") == await entries(context, "provider.undrained")
    await state.stop(run_id)
    assert state.error == "This run has ended, or never was."


async def test_what_was_said_is_read_only_where_it_is_allowed_and_that_is_written_down(
    context_of: ContextOf, client_of, an_admin: Actor, a_user: Actor
) -> None:
    said = await everything(client_of(a_user), asking("What is 2 + 2?"))
    run_id = started(said).run_id
    context, state = context_of(an_admin), RunState(context_of(an_admin), str(run_id))
    await state.load()
    assert run_rows.facts(state.run)[0]["cells"]["value"] == a_user.name
    assert [one["name"] for one in run_rows.stretches(state.run)][-1] == "Writing"
    assert not state.run.may_see_content
    await state.see_content()
    assert (state.content, state.error) == (None, "What people say is not shown in this workspace.")

    async with context.backend.database.writing() as session:
        await settings.change(session, an_admin, SEE_CONTENT, value=True)
    await state.load()
    await state.see_content()

    assert state.run.may_see_content
    assert run_rows.said(state.content)[0] == {"label": "Question", "text": "What is 2 + 2?"}
    assert await entries(context, "run.content_seen") == [("ada", a_user.name)]
    operator = await make_actor(context.backend.database, "olga", Role.OPERATOR)
    watching = RunState(context_of(operator), str(run_id))
    await watching.load()
    await watching.see_content()
    assert (watching.run.may_see_content, watching.content) == (False, None)


async def test_runs_are_found_by_who_asked_and_by_how_they_ended(
    context_of: ContextOf, client_of, an_admin: Actor, a_user: Actor
) -> None:
    begun = next(
        each.event for each in await everything(client_of(a_user), asking()) if isinstance(each.event, StartEvent)
    )
    state = RunsState(context_of(an_admin))
    async with context_of(an_admin).backend.database.writing() as session:
        await session.execute(update(User).where(User.id == a_user.user_id).values(name="Zora"))

    found = {}
    for query in ("?search=zor&hours=1&status=completed&kind=chat", "?search=nobody", "?status=failed", "?kind=api"):
        await state.look(query)
        found[query] = [item.call.id for item in state.found.items]

    assert [ids for ids in found.values() if ids] == [[begun.run_id]]
    assert state.asked.is_descending
    for key in ("ttft", "total", "tokens", "cost", "model", "status"):
        await state.look(f"?sort=-{key}")
        assert [row["cells"]["who"]["text"] for row in RUNS.drawn_rows(state.found.items)] == ["Zora"]
