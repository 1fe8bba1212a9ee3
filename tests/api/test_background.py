"""What is done after an answer: by a helper model that is well, slow, gone or talks nonsense; never in its way."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest
from sqlalchemy import select

from llm_ui.contract import Aftermath, CompleteEvent
from llm_ui.db import Database
from llm_ui.kit.ids import ChatId, MessageId, ModelId, RunId
from llm_ui.llm_client import UserClient
from llm_ui.models import ChatHistory, RunStatus, UsageLog, UsagePurpose, UsageSource
from llm_ui.services import chats, follow_ups, settings, summaries, tags
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.ai_models import ModelChange, change_model, set_model_enabled
from llm_ui.services.explanations import explain_answer
from llm_ui.services.helper import set_helper_model
from llm_ui.services.prices import Prices
from llm_ui.services.settings import HELPER_FOLLOW_UPS, HELPER_SUMMARIES, HELPER_TAGS, HELPER_TITLES
from tests.api.conftest import AddModel, RunningApi
from tests.api.test_answers import ClientOf, asking, everything, started
from tests.documents.ready import a_project
from tests.fakes.provider import HELPING, FakeProvider, Received, Reply, answer, numbered_words, reply

on_sqlite = pytest.mark.parametrize("database_config", ["sqlite"], indirect=True)
"""For what does not depend on the kind of database."""
Respond = Callable[[Received], Reply]
Helped = Callable[[str], Awaitable[ModelId]]
TITLE = "A walk by the river"


@pytest.fixture
async def help_with(database: Database, add_model: AddModel) -> Helped:
    """Make a model at an address the helper model; it costs a dollar in and two out for a million tokens."""

    async def make(base_url: str) -> ModelId:
        model_id = await add_model(base_url, "small")
        async with database.writing() as session:
            prices = Prices(Decimal(1), Decimal(1), Decimal(2))
            await change_model(session, SYSTEM, model_id, ModelChange("Small", 4_000, None, prices))
            await set_helper_model(session, SYSTEM, model_id)
        return model_id

    return make


@asynccontextmanager
async def provider(respond: Respond | None = None) -> AsyncIterator[FakeProvider]:
    async with FakeProvider(respond or numbered_words({"pieces": 20})) as fake:
        yield fake


def for_helper(request: Received) -> bool:
    return any(begins in request.body for begins in HELPING)


def helping(helped: Reply, *, to: bytes = b"", asked: asyncio.Event | None = None) -> Callable[[Received], Reply]:
    """Answer the helper, or only what it asks with these words, and chats as ever; `asked` is set when it asks."""

    def respond(request: Received) -> Reply:
        if not for_helper(request) or to not in request.body:
            return numbered_words({"pieces": 20})(request)
        if asked is not None:
            asked.set()
        return helped

    return respond


async def made(client_of: ClientOf, actor: Actor, run_id: object) -> Aftermath:
    async with asyncio.timeout(30):
        while not (found := await client_of(actor).aftermath(run_id)).is_over:  # type: ignore[arg-type]
            pass
    return found


async def booked(database: Database) -> dict[UsagePurpose, UsageLog]:
    async with database.reading() as session:
        return {row.purpose: row for row in await session.scalars(select(UsageLog))}


async def test_a_chat_is_named_and_tagged_and_questions_are_suggested_and_all_is_booked(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor, add_model: AddModel, help_with: Helped
) -> None:
    async with provider() as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        helper_id = await help_with(fake.base_url("openai"))
        project_id = await a_project(database, a_user)
        events = await everything(client_of(a_user), asking(model_id=model_id, project_id=project_id))
        found = await made(client_of, a_user, started(events).run_id)

    assert isinstance(events[-1].event, CompleteEvent)
    assert (found.title, found.tags, len(found.follow_ups)) == (TITLE, ("a walk", "river"), 3)
    rows = await booked(database)
    assert set(rows) == {UsagePurpose.ANSWER, UsagePurpose.TITLE, UsagePurpose.TAGS, UsagePurpose.FOLLOW_UPS}
    assert {row.project_id for row in rows.values()} == {project_id}
    title = rows[UsagePurpose.TITLE]
    assert (title.model_id, title.user_id, title.status) == (helper_id, a_user.user_id, RunStatus.COMPLETED)
    assert (title.input_tokens, title.output_tokens, title.usage_source) == (7, 2, UsageSource.PROVIDER)
    assert title.cost_usd == Decimal(7 + 2 * 2) / 1_000_000


@on_sqlite
async def test_an_answer_is_told_whole_before_a_hanging_helper_is_asked(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor, add_model: AddModel, help_with: Helped
) -> None:
    happened: list[str] = []

    def respond(request: Received) -> Reply:
        if for_helper(request):
            happened.append("helper asked")
            return Reply(first_delay_s=60, end="hang")
        return numbered_words({"pieces": 20})(request)

    async with provider(respond) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        await help_with(fake.base_url("openai"))
        async for numbered in client_of(a_user).chat_stream(asking(model_id=model_id)):
            happened.append(type(numbered.event).__name__)
        while happened.count("helper asked") < 3:
            await asyncio.sleep(0.01)
        again = await everything(client_of(a_user), asking("once more", model_id=model_id))
        await api.stop()
        rows = await booked(database)
        await api.start()

    assert happened.index("CompleteEvent") < happened.index("helper asked")
    assert isinstance(again[-1].event, CompleteEvent), "answers go on while the helper hangs"
    assert rows[UsagePurpose.TITLE].status is RunStatus.FAILED
    assert rows[UsagePurpose.TITLE].usage_source is UsageSource.ESTIMATE
    assert rows[UsagePurpose.TITLE].input_tokens > 20, "what was asked in vain may have cost something"


@on_sqlite
async def test_a_failing_helper_is_told_to_nobody_and_logged_once(
    api: RunningApi,
    client_of: ClientOf,
    a_user: Actor,
    add_model: AddModel,
    help_with: Helped,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with provider(helping(Reply([b'{"error": {"message": "no such model"}}'], status=404))) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        await help_with(fake.base_url("openai"))
        for number in range(3):
            events = await everything(client_of(a_user), asking(f"question {number}", model_id=model_id))
            found = await made(client_of, a_user, started(events).run_id)

            assert isinstance(events[-1].event, CompleteEvent)
            assert (found.title, found.tags, found.follow_ups) == (f"question {number}", (), ())

    assert [record.getMessage() for record in caplog.records].count("helper.failed") == 1


async def test_a_name_that_the_person_gives_meanwhile_stays(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor, add_model: AddModel, help_with: Helped
) -> None:
    asked = asyncio.Event()

    helped = reply("openai", answer("openai", [TITLE]), first_delay_s=0.5)
    async with provider(helping(helped, to=b"You name conversations", asked=asked)) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        await help_with(fake.base_url("openai"))
        events = await everything(client_of(a_user), asking(model_id=model_id))
        await asked.wait()
        async with database.writing() as session:
            await chats.rename(session, a_user, ChatId(started(events).chat_id), "Mine")
        found = await made(client_of, a_user, started(events).run_id)

    assert found.title == "Mine"


@on_sqlite
async def test_only_the_first_answer_names_and_tags_a_chat(
    api: RunningApi, client_of: ClientOf, a_user: Actor, add_model: AddModel, help_with: Helped
) -> None:
    async with provider() as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        await help_with(fake.base_url("openai"))
        events = await everything(client_of(a_user), asking(model_id=model_id))
        await made(client_of, a_user, started(events).run_id)
        later = asking("and then?", model_id=model_id, chat_id=started(events).chat_id)
        again = await everything(client_of(a_user), later)
        await made(client_of, a_user, started(again).run_id)

        assert sum(b"You name conversations" in request.body for request in fake.requests) == 1
        assert sum(b"You tag conversations" in request.body for request in fake.requests) == 1
        assert sum(b"You suggest what" in request.body for request in fake.requests) == 2


async def tagged(database: Database, actor: Actor, chat_id: ChatId) -> tuple[str, ...]:
    async with database.reading() as session:
        return (await tags.tags_of(session, actor, [chat_id])).get(chat_id, ())


async def test_the_persons_own_tags_are_told_and_preferred(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor, add_model: AddModel, help_with: Helped
) -> None:
    async with provider() as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        first = started(await everything(client_of(a_user), asking("one", model_id=model_id)))
        async with database.writing() as session:
            await tags.tag(session, a_user, ChatId(first.chat_id), ["Hiking"])
        await help_with(fake.base_url("openai"))
        events = await everything(client_of(a_user), asking("two", model_id=model_id))
        await made(client_of, a_user, started(events).run_id)
        (asked,) = (request.body for request in fake.requests if b"You tag conversations" in request.body)

    assert b"<tags-so-far>\\nhiking\\n</tags-so-far>" in asked
    assert await tagged(database, a_user, ChatId(started(events).chat_id)) == ("a walk", "river")


@pytest.mark.parametrize("mine", [("mine",), ()], ids=["set", "removed"])
async def test_tags_that_the_person_sets_or_removes_meanwhile_stay(
    api: RunningApi,
    database: Database,
    client_of: ClientOf,
    a_user: Actor,
    add_model: AddModel,
    help_with: Helped,
    mine: tuple[str, ...],
) -> None:
    asked = asyncio.Event()

    helped = reply("openai", answer("openai", ["river"]), first_delay_s=0.5)
    async with provider(helping(helped, to=b"You tag conversations", asked=asked)) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        await help_with(fake.base_url("openai"))
        events = await everything(client_of(a_user), asking(model_id=model_id))
        chat_id = ChatId(started(events).chat_id)
        await asked.wait()
        async with database.writing() as session:
            await tags.tag(session, a_user, chat_id, mine)
        await made(client_of, a_user, started(events).run_id)
        answer_id = started(events).answer_id
        again = asking("", model_id=model_id, chat_id=chat_id, regenerate_of=answer_id)
        await made(client_of, a_user, started(await everything(client_of(a_user), again)).run_id)

        assert sum(b"You tag conversations" in request.body for request in fake.requests) == 1
    assert await tagged(database, a_user, chat_id) == mine


@on_sqlite
@pytest.mark.parametrize(
    "said", ["<img src=x onerror=alert(1)>", "x" * 30_000, '{"tags": [{}]}', "\n" * 50, "Sorry, I can not do that."]
)
async def test_what_is_no_tag_never_becomes_one(
    api: RunningApi,
    database: Database,
    client_of: ClientOf,
    a_user: Actor,
    add_model: AddModel,
    help_with: Helped,
    said: str,
) -> None:
    async with provider(helping(reply("openai", answer("openai", [said])), to=b"You tag conversations")) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        await help_with(fake.base_url("openai"))
        events = await everything(client_of(a_user), asking(model_id=model_id))
        found = await made(client_of, a_user, started(events).run_id)

    assert (found.title, found.tags) == (TITLE, ())
    assert UsagePurpose.TAGS in await booked(database)


@on_sqlite
@pytest.mark.parametrize("why", ["no helper", "switched off", "not wanted by the person", "the model is gone"])
async def test_nothing_is_asked_where_nothing_is_wanted(
    api: RunningApi,
    database: Database,
    client_of: ClientOf,
    a_user: Actor,
    add_model: AddModel,
    help_with: Helped,
    why: str,
) -> None:
    async with provider() as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        helper_id = await help_with(fake.base_url("openai"))
        async with database.writing() as session:
            await settings.change(session, SYSTEM, HELPER_TITLES, value=False)
            await settings.change(session, SYSTEM, HELPER_TAGS, value=False)
            match why:
                case "no helper":
                    await set_helper_model(session, SYSTEM, None)
                case "switched off":
                    await settings.change(session, SYSTEM, HELPER_FOLLOW_UPS, value=False)
                case "not wanted by the person":
                    await follow_ups.set_wanted(session, a_user, is_wanted=False)
                case _:
                    await set_model_enabled(session, SYSTEM, helper_id, is_enabled=False)
        events = await everything(client_of(a_user), asking(model_id=model_id))
        found = await made(client_of, a_user, started(events).run_id)

        assert not any(map(for_helper, fake.requests))
    assert (found.title, found.tags, found.follow_ups) == ("hi there", (), ())


@on_sqlite
async def test_what_comes_after_an_answer_is_its_owners_alone(
    api: RunningApi, client_of: ClientOf, a_user: Actor, another_user: Actor
) -> None:
    events = await everything(client_of(a_user), asking("What is 2 + 2?"))

    with pytest.raises(Exception, match="not yours"):
        await client_of(another_user).aftermath(RunId(started(events).run_id))


@on_sqlite
async def test_a_chat_deleted_meanwhile_ends_it_quietly(
    api: RunningApi,
    database: Database,
    client_of: ClientOf,
    a_user: Actor,
    add_model: AddModel,
    help_with: Helped,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with provider(helping(reply("openai", answer("openai", [TITLE]), first_delay_s=1.0))) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        await help_with(fake.base_url("openai"))
        events = await everything(client_of(a_user), asking(model_id=model_id))
        while sum(map(for_helper, fake.requests)) < 3:
            await asyncio.sleep(0.02)
        async with database.writing() as session:
            row = await session.get_one(ChatHistory, ChatId(started(events).chat_id))
            await session.delete(row)
        while len(await booked(database)) < 4:
            await asyncio.sleep(0.02)

    assert "helper.crashed" not in [record.getMessage() for record in caplog.records]


async def long_chat(client: UserClient, model_id: ModelId, turns: int) -> tuple[ChatId, Aftermath]:
    """Ask so often in one chat, some 1,100 tokens each time; return what came after the last answer."""
    chat_id = None
    for number in range(turns):
        events = await everything(client, asking(f"{number} {'word ' * 1_000}", model_id=model_id, chat_id=chat_id))
        chat_id = started(events).chat_id
        while not (found := await client.aftermath(started(events).run_id)).is_over:
            pass
    return ChatId(started(events).chat_id), found


async def test_what_will_not_fit_is_folded_into_a_summary_that_grows(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor, add_model: AddModel, help_with: Helped
) -> None:
    async with provider() as fake:
        helper_id = await help_with(fake.base_url("openai"))
        chat_id, _ = await long_chat(client_of(a_user), helper_id, 1)
        async with database.reading() as session:
            assert await summaries.current(session, a_user, chat_id) is None, "one turn fits well"
        events = await everything(
            client_of(a_user), asking("1 " + "word " * 1_000, model_id=helper_id, chat_id=chat_id)
        )
        await made(client_of, a_user, started(events).run_id)
        async with database.reading() as session:
            first = await summaries.current(session, a_user, chat_id)
        assert first is not None
        async with database.writing() as session:
            await summaries.edit(session, a_user, first.id, "I said words.")
        later = await everything(client_of(a_user), asking("2 " + "word " * 1_500, model_id=helper_id, chat_id=chat_id))
        await made(client_of, a_user, started(later).run_id)
        folds = [request.body for request in fake.requests if b"You sum up" in request.body]

    assert first.text == "The person walks by the river and wants to know how far it is."
    assert b"summary-so-far>" not in folds[0]
    assert b"I said words." in folds[-1], "what the person wrote is built upon"
    async with database.reading() as session:
        second = await summaries.current(session, a_user, chat_id)
        explained = await explain_answer(session, a_user, MessageId(started(later).answer_id))
    assert second is not None
    assert second.id != first.id
    assert "I said words." in next(part for part in explained.parts if part.origin == "summary").texts[0][1]
    assert UsagePurpose.SUMMARY in await booked(database)


@on_sqlite
async def test_a_long_chat_is_summed_up_a_piece_at_a_time(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor, add_model: AddModel, help_with: Helped
) -> None:
    async with provider() as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        chat_id, _ = await long_chat(client_of(a_user), model_id, 6)
        helper_id = await help_with(fake.base_url("openai"))
        events = await everything(client_of(a_user), asking("and now?", model_id=helper_id, chat_id=chat_id))
        await made(client_of, a_user, started(events).run_id)
        folds = [request.body for request in fake.requests if b"You sum up" in request.body]

    assert 1 < len(folds) <= 5
    assert all(folds[number].count(b"<user>") == 1 for number in range(len(folds)))
    assert b"<user>\\n0 word" in folds[0]
    assert b"<user>\\n1 word" in folds[1]


@on_sqlite
async def test_summaries_are_switched_off_by_themselves(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor, help_with: Helped
) -> None:
    async with provider() as fake:
        helper_id = await help_with(fake.base_url("openai"))
        async with database.writing() as session:
            await settings.change(session, SYSTEM, HELPER_SUMMARIES, value=False)
        chat_id, found = await long_chat(client_of(a_user), helper_id, 4)

    assert found.title == TITLE
    async with database.reading() as session:
        assert await summaries.current(session, a_user, chat_id) is None
