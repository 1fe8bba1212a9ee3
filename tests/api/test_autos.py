"""*Auto* models over real HTTP, in chats and for scripts: who answers, why, and whom nobody gets round a wall."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import httpx2
import pytest
from sqlalchemy import Engine, event, select

from llm_ui.config import Config
from llm_ui.contract import PreviewRequest
from llm_ui.contract.auto import AutoTryRequest
from llm_ui.db import Database
from llm_ui.errors import Forbidden, InvalidInput
from llm_ui.kit.ids import MessageId
from llm_ui.models import LimitAction, LimitKind, Run, TeamModel
from llm_ui.runs import resilience
from llm_ui.services import autos, keys
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.auto_rules import AutoSettings, Rule, When, choice_of
from llm_ui.services.autos import AutoChange
from llm_ui.services.explanations import explain_answer
from llm_ui.services.keys import NewKey
from llm_ui.services.run_details import details
from tests.api.conftest import AddModel, RunningApi
from tests.api.test_answers import ClientOf, asking, everything, started, text_of
from tests.api.test_limits import limit
from tests.api.test_stand_ins import World, answering, refusing
from tests.fakes.provider import FakeProvider, answer, reply
from tests.services.test_teams import a_team

CHEAP, DEAR = (reply("openai", answer("openai", [name])) for name in ("cheap", "dear"))


@pytest.fixture
def database_config(sqlite_config: Config) -> Config:
    """SQLite only: the statements are tried on both in the tests of their service."""
    return sqlite_config


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resilience, "FIRST_PAUSE_S", 0)


@pytest.fixture
async def world(api: RunningApi, database: Database, add_model: AddModel) -> AsyncIterator[World]:
    """`first` is cheap, `second` ten times as dear; `auto` picks one of them: the cheap one, unless there is code."""
    async with FakeProvider(CHEAP) as first, FakeProvider(DEAR) as second:
        world = World(database, first, second)
        for name, fake, price in (("first", first, 1), ("second", second, 10)):
            world.ids[name] = await add_model(fake.base_url("openai"), name)
            await world.set(name, input_usd_per_mtok=Decimal(price), output_usd_per_mtok=Decimal(price))
        rule = Rule(When.CODE, "", world.ids["second"])
        settings = AutoSettings((world.ids["first"], world.ids["second"]), (rule,), 0, 0)
        async with database.writing() as session:
            world.ids["auto"] = await autos.add_auto(session, SYSTEM, AutoChange("Best", "", settings))
        yield world


async def a_key(world: World, actor: Actor, *models: str) -> dict[str, str]:
    async with world.database.writing() as session:
        ids = frozenset(world.ids[name] for name in models)
        made = await keys.create(session, actor, NewKey("script", models=ids) if models else NewKey("script"))
    return {"Authorization": f"Bearer {made.token}"}


async def posted(
    config: Config, key: dict[str, str], text: str = "hi", path: str = "chat/completions", **more: Any
) -> httpx2.Response:
    body = {"model": "best", "messages": [{"role": "user", "content": text}], **more}
    async with httpx2.AsyncClient(trust_env=False, base_url=config.llm_api_url, timeout=30) as http:
        return await http.post(f"/v1/{path}", json=body, headers=key)


async def test_a_chat_is_answered_by_whom_it_picks_stays_and_tells_why(
    world: World, client_of: ClientOf, a_user: Actor, an_admin: Actor
) -> None:
    client = client_of(a_user)

    events = await everything(client, asking("Why does this fail here:\ndef x():\n  pass", model_id=world.ids["auto"]))
    again = await everything(client, asking("no code", chat_id=started(events).chat_id))
    new = await everything(client, asking("no code", model_id=world.ids["auto"]))

    assert (started(events).model_name, started(events).auto_name) == ("second", "Best")
    assert [text_of(each) for each in (events, again, new)] == ["dear", "dear", "cheap"]
    async with world.database.reading() as session:
        told = [await explain_answer(session, a_user, MessageId(started(each).answer_id)) for each in (events, again)]
        run = await details(session, an_admin, (await session.scalars(select(Run))).first().id)  # type: ignore[union-attr]
    first, second = (one.choice for one in told)
    assert first is not None
    assert second is not None
    assert first.why == "A rule sends questions with code to second."
    assert second.why == "second has answered in this chat before, and stays."
    assert {one.model: one.is_picked for one in first.judged} == {"first": False, "second": True}
    assert run.choice == first


async def test_the_first_is_told_to_go_and_the_others_are_asked_where_it_does_not_answer(
    world: World, client_of: ClientOf, a_user: Actor
) -> None:
    answering(world.first, refusing(503))

    events = await everything(client_of(a_user), asking(model_id=world.ids["auto"]))

    assert text_of(events) == "dear"
    (booked,) = await world.booked()
    assert booked.model_name == "second"


@pytest.mark.parametrize("path", ["chat/completions", "messages"])
async def test_a_script_is_told_who_answered_and_why_is_kept(
    world: World, database_config: Config, a_user: Actor, path: str
) -> None:
    key = await a_key(world, a_user)

    response = await posted(database_config, key, "def x():\n  pass", path, max_tokens=50)

    assert response.status_code == 200, response.text
    assert "dear" in response.text
    assert (response.headers["x-llm-ui-model"], response.headers["x-llm-ui-auto"]) == ("second/second", "Best")
    (booked,) = await world.booked()
    choice = choice_of(booked.auto_choice)
    assert choice is not None
    assert (choice.model, choice.why) == ("second", "A rule sends questions with code to second.")


async def test_it_is_no_way_round_a_wall(
    world: World, database_config: Config, client_of: ClientOf, a_user: Actor
) -> None:
    narrow = await a_key(world, a_user, "auto", "second")
    alone = await a_key(world, a_user, "auto")
    assert "dear" in (await posted(database_config, narrow)).text
    refused = await posted(database_config, alone)
    assert (refused.status_code, "None of the models of Best" in refused.text) == (400, True)

    team_id = await a_team(world.database)
    async with world.database.writing() as session:
        session.add(TeamModel(team_id=team_id, model_id=world.ids["first"]))
    events = await everything(client_of(a_user), asking(model_id=world.ids["auto"]))

    assert text_of(events) == "dear"
    async with world.database.reading() as session:
        told = await explain_answer(session, a_user, MessageId(started(events).answer_id))
    assert told.choice is not None
    assert [one.model for one in told.choice.judged] == ["second"], "what is not theirs is not named either"


async def test_what_is_left_of_the_money_counts(world: World, database_config: Config, a_user: Actor) -> None:
    await limit(world, LimitKind.DAY_USD, 1, LimitAction.STOP)
    key = await a_key(world, a_user)

    response = await posted(database_config, key, "def x():\n  pass", max_tokens=2_000)

    assert response.status_code == 200, response.text
    assert "cheap" in response.text
    assert [row.model_name for row in await world.booked()] == ["first"]


async def test_images_tools_and_long_questions_find_a_model_that_takes_them(
    world: World, database_config: Config, a_user: Actor
) -> None:
    await world.set("first", can_use_tools=False, context_window=400)
    await world.set("second", can_use_tools=True)
    key = await a_key(world, a_user)
    tool = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}

    found = [await posted(database_config, key, **more) for more in ({"tools": [tool]}, {"text": "word " * 600}, {})]

    assert [one.headers["x-llm-ui-model"] for one in found] == ["second/second", "second/second", "first/first"]


async def test_it_takes_two_statements_more_at_most_and_none_where_it_is_not_asked(
    world: World, database_config: Config, a_user: Actor
) -> None:
    key, said = await a_key(world, a_user), list[str]()

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        # Only these tables: the product has work of its own to do meanwhile.
        if "FROM ai_models" in statement or "message_feedback" in statement:
            said.append(statement)

    async def statements(model: str) -> int:
        said.clear()
        await posted(database_config, key, model=model)
        return len(said)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        plain = await statements("first")
        found = [await statements("best") for _ in range(3)]
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert found == [plain + 2, plain + 1, plain + 1]
    assert plain == 1


async def test_the_gauge_reckons_by_who_is_likely_and_a_trial_asks_nobody(
    world: World, client_of: ClientOf, a_user: Actor, an_admin: Actor
) -> None:
    preview = await client_of(a_user).preview(PreviewRequest(model_id=world.ids["auto"], text="hello"))
    tried = await client_of(an_admin).try_auto(AutoTryRequest(model_id=world.ids["auto"], text="```\nx\n```"))

    assert (preview.likely_model, Decimal(preview.input_usd_per_mtok or 0)) == ("first", 1)
    choice = choice_of(tried.choice)
    assert choice is not None
    assert choice.model == "second"
    assert world.first.requests == world.second.requests == []
    with pytest.raises(Forbidden):
        await client_of(a_user).try_auto(AutoTryRequest(model_id=world.ids["auto"], text="x"))
    with pytest.raises(InvalidInput, match="no Auto model"):
        await client_of(an_admin).try_auto(AutoTryRequest(model_id=world.ids["first"], text="x"))
