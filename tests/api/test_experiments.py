"""Experiments over real HTTP: who gets which variant in chats and for scripts, what is told, booked and counted."""

from uuid import UUID

import pytest
from sqlalchemy import Engine, delete, event, select, update

from llm_ui.config import Config
from llm_ui.contract import TemporaryRequest
from llm_ui.kit.ids import ExperimentId, MessageId
from llm_ui.llm_client import UserClient
from llm_ui.models import ExperimentAnswer, LimitAction, LimitKind, Rating, SystemPrompt, TeamModel
from llm_ui.models.limit import LimitScope
from llm_ui.services import experiment_results, experiments, feedback, prompts
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.experiment_results import VariantResult
from llm_ui.services.experiments import ExperimentChange, Way
from llm_ui.services.explanations import Explanation, explain_answer
from llm_ui.services.feedback import Feedback
from llm_ui.services.run_details import details
from llm_ui.ui import experiment_words
from tests.api.test_answers import ClientOf, Numbered, asking, everything, started, text_of
from tests.api.test_autos import CHEAP, DEAR, a_key, posted
from tests.api.test_limits import limit
from tests.api.test_stand_ins import World, _no_pauses, answering, database_config, refusing, world
from tests.services.test_teams import a_team

__all__ = ["_no_pauses", "database_config", "world"]

LIKELY = 99
"""Of a hundred: the weight of the other variant."""


async def an_experiment(world: World, change: ExperimentChange, unit: UUID) -> ExperimentId:
    """Return one that goes on and gives this person, or this chat, the other variant: ids are chance."""
    while True:
        async with world.database.writing() as session:
            made = await experiments.add_experiment(session, SYSTEM, change)
            (found,) = [one.plan for one in await experiments.list_experiments(session, SYSTEM) if one.plan.id == made]
            if found.of(unit).key == "b":
                await experiments.start(session, SYSTEM, made)
                return made
            await experiments.delete_experiment(session, SYSTEM, made)


@pytest.fixture
async def split(world: World, a_user: Actor) -> ExperimentId:
    """Whoever asks `first` is likely to get `second`, which costs three times as much; bob does."""
    answering(world.first, CHEAP)
    answering(world.second, DEAR)
    await world.stand_in()
    way = Way(LIKELY, model_id=world.ids["second"])
    change = ExperimentChange("Dearer", 1, (way,), model_id=world.ids["first"])
    return await an_experiment(world, change, a_user.user_id)


async def told(world: World, actor: Actor, events: list[Numbered]) -> Explanation:
    async with world.database.reading() as session:
        return await explain_answer(session, actor, MessageId(started(events).answer_id))


async def lines(world: World, actor: Actor, events: list[Numbered]) -> list[str]:
    return [value for _, value in experiment_words.facts((await told(world, actor, events)).experiments)]


async def results(world: World, experiment_id: ExperimentId) -> tuple[VariantResult, ...]:
    async with world.database.reading() as session:
        return await experiment_results.results(session, SYSTEM, experiment_id)


async def ask(client: UserClient, world: World, text: str = "hi", **more: object) -> list[Numbered]:
    return await everything(client, asking(text, model_id=world.ids["first"], **more))


async def test_a_chat_gets_its_variant_is_told_so_and_its_rating_counts(
    world: World, split: ExperimentId, client_of: ClientOf, a_user: Actor
) -> None:
    client = client_of(a_user)

    events = await ask(client, world)
    chat_id = started(events).chat_id
    again = await everything(client, asking("", chat_id=chat_id, regenerate_of=started(events).answer_id))

    assert (started(events).model_name, text_of(events), text_of(again)) == ("second", "dear", "dear")
    assert await lines(world, a_user, events) == ["Variant B: second"]
    async with world.database.writing() as session:
        await feedback.rate(session, a_user, MessageId(started(again).answer_id), Feedback(Rating.UP))
    first, second = await results(world, split)
    assert (first.answers, second.answers, second.again, second.up, second.failed) == (0, 2, 1, 1, 0)
    booked = await world.booked()
    assert {row.model_name for row in booked} == {"second"}
    assert second.cost_usd == booked[0].cost_usd
    assert second.ttft_ms is not None
    # The chat is still one with the model that was asked for.
    async with world.database.writing() as session:
        await experiments.stop(session, SYSTEM, split)
    assert text_of(await everything(client, asking("and now", chat_id=chat_id))) == "cheap"
    assert (await results(world, split))[1].answers == 2


async def test_a_script_gets_the_same_and_a_failure_counts_though_it_is_not_booked(
    world: World, split: ExperimentId, database_config: Config, a_user: Actor, an_admin: Actor
) -> None:
    key = await a_key(world, a_user)

    response = await posted(database_config, key, model="first")
    answering(world.second, refusing(503))
    helped = await posted(database_config, key, model="first")

    assert (response.headers["x-llm-ui-model"], response.headers["x-llm-ui-experiment"]) == ("second/second", "Dearer")
    assert "cheap" in helped.text, "whoever was asked for is there where the variant does not answer"
    _, second = await results(world, split)
    assert (second.answers, second.failed) == (2, 1)
    async with world.database.reading() as session:
        answers = list(await session.scalars(select(ExperimentAnswer).order_by(ExperimentAnswer.created_at)))
        run = await details(session, an_admin, answers[0].run_id)
    assert [one.name for one in run.experiments] == ["second"]


async def test_nobody_gets_round_a_wall_and_what_cannot_be_steps_aside(
    world: World, split: ExperimentId, database_config: Config, client_of: ClientOf, a_user: Actor
) -> None:
    client, narrow = client_of(a_user), await a_key(world, a_user, "first")
    team_id = await a_team(world.database)
    async with world.database.writing() as session:
        session.add(TeamModel(team_id=team_id, model_id=world.ids["second"]))
    walled = await ask(client, world)
    async with world.database.writing() as session:
        await session.execute(delete(TeamModel))
    by_key = await posted(database_config, narrow, model="first")
    await world.set("second", is_enabled=False)
    off = await ask(client, world, "off")
    await world.set("second", is_enabled=True, context_window=40)
    long = await ask(client, world, "word " * 100)

    assert [text_of(one) for one in (walled, off, long)] == ["cheap"] * 3
    assert "cheap" in by_key.text
    assert "x-llm-ui-experiment" not in by_key.headers
    not_possible = "took no part: one of the models is switched off, or may not be asked here"
    assert await lines(world, a_user, walled) == await lines(world, a_user, off) == [not_possible]
    assert await lines(world, a_user, long) == ["took no part: the question is too long for its window"]
    assert [one.answers for one in await results(world, split)] == [0, 0]


async def test_a_limit_leaves_it_to_the_model_that_was_asked_for_and_is_not_counted(
    world: World, split: ExperimentId, client_of: ClientOf, a_user: Actor
) -> None:
    await limit(world, LimitKind.REQUESTS_MINUTE, 1, LimitAction.STOP, LimitScope.MODEL, world.ids["second"])
    client = client_of(a_user)

    events = [await ask(client, world, text) for text in ("one", "two")]

    assert [text_of(each) for each in events] == ["dear", "cheap"]
    assert (await results(world, split))[1].answers == 1


async def test_what_is_promoted_everybody_gets_until_it_is_stopped_or_deleted(
    world: World, split: ExperimentId, client_of: ClientOf, a_user: Actor, another_user: Actor
) -> None:
    async with world.database.writing() as session:
        await experiments.promote(session, SYSTEM, split, "b")
    events = [await ask(client_of(actor), world) for actor in (a_user, another_user)]
    assert [text_of(each) for each in events] == ["dear", "dear"]
    assert await lines(world, another_user, events[1]) == ["Variant B: second, which was promoted"]
    assert [one.answers for one in await results(world, split)] == [0, 0]

    async with world.database.writing() as session:
        await experiments.delete_experiment(session, SYSTEM, split)

    assert text_of(await ask(client_of(a_user), world, "later")) == "cheap"


async def test_temporary_chats_take_part_and_comparing_models_side_by_side_does_not(
    world: World, split: ExperimentId, client_of: ClientOf, a_user: Actor
) -> None:
    client = client_of(a_user)
    request = TemporaryRequest(idempotency_key="temporary", text="hi", model_id=world.ids["first"])

    temporary = [numbered async for numbered in client.chat_stream(request)]
    events = await ask(client, world)
    beside = asking(
        "", chat_id=started(events).chat_id, regenerate_of=started(events).answer_id, is_beside=True,
        model_id=world.ids["first"],
    )  # fmt: skip

    assert text_of(temporary) == "dear"
    assert text_of(await everything(client, beside)) == "cheap"
    assert (await results(world, split))[1].answers == 2


async def test_instructions_are_told_in_another_way_and_nothing_else_is(
    world: World, client_of: ClientOf, a_user: Actor
) -> None:
    answering(world.first, CHEAP)
    async with world.database.reading() as session:
        default = await prompts.instructions(session, a_user, None)
    assert default is not None
    change = ExperimentChange("Tone", 1, (Way(LIKELY, text="Answer in rhymes."),), prompt_id=default.id)
    split = await an_experiment(world, change, a_user.user_id)
    client = client_of(a_user)

    events = await ask(client, world)

    explained = await told(world, a_user, events)
    (part,) = [one for one in explained.parts if one.origin == "instructions"]
    assert (part.name, part.texts) == (default.name, (("system", "Answer in rhymes."),))
    assert [one.variant for one in explained.experiments] == ["b"]
    assert (await results(world, split))[1].answers == 1
    async with world.database.writing() as session:
        await session.execute(update(SystemPrompt).where(SystemPrompt.id == default.id).values(is_default=False))
    after = await told(world, a_user, await ask(client, world, "without"))
    assert after.experiments == ()


async def test_a_call_takes_no_statement_more_where_its_model_is_not_split(
    world: World, split: ExperimentId, client_of: ClientOf, a_user: Actor
) -> None:
    said: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if "FROM experiments" in statement and not statement.startswith("SELECT ai_models"):
            said.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        await everything(client_of(a_user), asking("other", model_id=world.ids["third"]))
        plain = len(said)
        await ask(client_of(a_user), world)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert (plain, len(said) > 0) == (0, True)
