import pytest
from sqlalchemy import event, func, select, update

from llm_ui.contract import ChatRequest, Usage
from llm_ui.db import Database
from llm_ui.errors import ContextTooLong
from llm_ui.kit.calibration import Calibration
from llm_ui.kit.ids import ModelId
from llm_ui.models import ChatHistory, ChatMessage, MessageRole, MessageStatus, Run, RunStatus, SystemPrompt
from llm_ui.runs.live_run import LiveRun
from llm_ui.services import calibrations
from llm_ui.services.access import Actor
from tests.runs.conftest import Ask

LONG = "word " * 1_000
"""Some 1,100 tokens: two of them and an answer fit into the window of 4,000."""


async def answered(
    database: Database, live: LiveRun, text: str, status: MessageStatus = MessageStatus.COMPLETE
) -> None:
    """End a run with this answer."""
    async with database.writing() as session:
        answer = update(ChatMessage).where(ChatMessage.id == live.turn.answer_id)
        await session.execute(answer.values(text=text, status=status))
        ended = update(Run).where(Run.id == live.turn.run_id)
        await session.execute(ended.values(status=RunStatus.COMPLETED))


def sent(live: LiveRun) -> list[tuple[str, str]]:
    return [(message.role, message.text) for message in live.context.messages]


def parts(live: LiveRun) -> dict[str, int]:
    found = live.context.manifest["parts"]
    assert isinstance(found, list)
    return {part["origin"]: part["count"] for part in found}


async def test_a_first_question_goes_with_the_default_instructions(ask: Ask, database: Database) -> None:
    live = await ask("hi there")

    async with database.reading() as session:
        prompt = await session.scalar(select(SystemPrompt).where(SystemPrompt.is_default))
        stored = await session.get_one(Run, live.turn.run_id)
    assert prompt is not None
    assert live.context.system == prompt.text
    assert sent(live) == [("user", "hi there")]
    assert parts(live) == {"instructions": 1, "question": 1}
    assert stored.manifest == live.context.manifest
    assert live.context.manifest["reserved_for_answer"] == 2_000


async def test_the_chats_own_instructions_win(ask: Ask, database: Database) -> None:
    async with database.reading() as session:
        prompt = await session.scalar(select(SystemPrompt).where(SystemPrompt.is_default.is_(False)).limit(1))
    assert prompt is not None

    first = await ask(system_prompt_id=prompt.id)
    await answered(database, first, "hello")
    second = await ask("and now?", chat_id=first.turn.chat_id)

    assert first.context.system == second.context.system == prompt.text


async def test_earlier_messages_go_along_in_their_order(ask: Ask, database: Database) -> None:
    first = await ask("one")
    await answered(database, first, "two")

    second = await ask("three", chat_id=first.turn.chat_id)

    assert sent(second) == [("user", "one"), ("assistant", "two"), ("user", "three")]
    assert parts(second) == {"instructions": 1, "history": 2, "question": 1}
    assert second.context.manifest["cut"] == ""


async def test_old_messages_that_do_not_fit_are_left_out_and_that_is_said(ask: Ask, database: Database) -> None:
    chat_id = None
    for number in range(3):
        live = await ask(f"{number} {LONG}", chat_id=chat_id)
        await answered(database, live, "ok")
        chat_id = live.turn.chat_id

    last = await ask("the last", chat_id=chat_id)

    texts = [text for _, text in sent(last)]
    assert texts[0].startswith("2 ")
    assert texts[1:] == ["ok", "the last"]
    assert "did not fit" in str(last.context.manifest["cut"])


async def test_a_conversation_never_begins_with_an_answer(ask: Ask, database: Database) -> None:
    first = await ask(LONG)
    await answered(database, first, "an answer that would fit")
    second = await ask(LONG, chat_id=first.turn.chat_id)
    await answered(database, second, "short")

    third = await ask("x", chat_id=first.turn.chat_id)

    assert sent(third)[0] == ("user", LONG)


async def test_notes_and_answers_without_text_are_not_sent(ask: Ask, database: Database) -> None:
    first = await ask("one")
    await answered(database, first, "", MessageStatus.FAILED)
    second = await ask("two", chat_id=first.turn.chat_id)
    await answered(database, second, "half an ans", MessageStatus.INTERRUPTED)
    await add_a_note(database, second)

    third = await ask("three", chat_id=first.turn.chat_id)

    assert sent(third) == [("user", "one"), ("user", "two"), ("assistant", "half an ans"), ("user", "three")]


async def add_a_note(database: Database, live: LiveRun) -> None:
    async with database.writing() as session:
        chat = await session.get_one(ChatHistory, live.turn.chat_id)
        note = ChatMessage(
            chat_id=chat.id,
            parent_id=chat.active_leaf_id,
            position=chat.next_position,
            role=MessageRole.NOTE,
            status=MessageStatus.COMPLETE,
            text="Model changed",
        )
        session.add(note)
        await session.flush()
        chat.active_leaf_id, chat.next_position = note.id, chat.next_position + 1


async def test_a_question_that_cannot_fit_is_refused_with_sizes_and_not_stored(ask: Ask, database: Database) -> None:
    with pytest.raises(ContextTooLong, match=r"about \d,\d{3} tokens; Model One takes at most \d,\d{3}"):
        await ask(LONG * 4)

    async with database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(ChatMessage)) == 0


async def test_room_is_kept_for_the_answer_the_person_asks_for(ask: Ask) -> None:
    live = await ask(LONG, max_tokens=100)

    assert live.context.manifest["reserved_for_answer"] == 100


async def test_what_the_provider_counted_before_corrects_the_estimate(
    ask: Ask, database: Database, model_id: ModelId
) -> None:
    plain = await ask(LONG)
    async with database.writing() as session:
        await calibrations.keep(session, model_id, Calibration(1.5, 20))

    live = await ask(LONG)

    assert plain.context.manifest["counts"] == "estimate"
    assert live.context.manifest["counts"] == "calibrated"
    assert live.context.input_tokens == pytest.approx(1.5 * plain.context.input_tokens, abs=2)
    with pytest.raises(ContextTooLong):
        await ask("word " * 1_500)
    reported = Usage(input_tokens=plain.context.input_tokens * 2, output_tokens=1, source="provider")
    learnt = live.learnt(reported)
    assert learnt is not None
    assert 1.5 < learnt.ratio < 1.54, "what was counted is compared with the estimate as it was before"
    assert live.learnt(reported.model_copy(update={"source": "estimate"})) is None


async def test_a_long_chat_is_read_only_as_far_as_it_fits(ask: Ask, database: Database, a_user: Actor) -> None:
    first = await ask("begin")
    await answered(database, first, "ok")
    await fill(database, first, 400)
    read: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        read.append(statement)

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    live = await ask("the last", chat_id=first.turn.chat_id)

    assert sum("RECURSIVE" in statement for statement in read) == 1, "one page holds more than fits"
    assert 1 < len(live.context.messages) < 50


async def fill(database: Database, live: LiveRun, count: int) -> None:
    """Add so many messages of some 100 tokens to the chat's branch."""
    async with database.writing() as session:
        chat = await session.get_one(ChatHistory, live.turn.chat_id)
        for number in range(count):
            message = ChatMessage(
                chat_id=chat.id,
                parent_id=chat.active_leaf_id,
                position=chat.next_position,
                role=MessageRole.ASSISTANT if number % 2 else MessageRole.USER,
                status=MessageStatus.COMPLETE,
                text=f"{number} " + "word " * 90,
            )
            session.add(message)
            await session.flush()
            chat.active_leaf_id, chat.next_position = message.id, chat.next_position + 1


def test_a_request_needs_a_key_that_any_database_can_hold() -> None:
    for key in ("short", "x" * 65, "with\0nul-inside", "line\nbreak-inside"):
        with pytest.raises(ValueError, match="idempotency_key"):
            ChatRequest(idempotency_key=key)
