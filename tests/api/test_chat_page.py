"""What an open page is told of an answer, in which order, with the real API behind it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from uuid import UUID

import pytest

from llm_ui.chat import ops
from llm_ui.chat.conditions import Conditions
from llm_ui.chat.follow import Op
from llm_ui.chat.hub import Hub
from llm_ui.chat.page import build
from llm_ui.chat.state import ChatState
from llm_ui.chat.view import ChatView
from llm_ui.config import Config
from llm_ui.contract import ChatRequest, TemporaryRequest
from llm_ui.db import Database
from llm_ui.kit.ids import SessionId, UserId
from llm_ui.llm_client import LLMClient, Numbered, UserClient
from llm_ui.models import Role
from llm_ui.services.secrets import Secrets
from llm_ui.services.seed import seed
from llm_ui.ui.page import Backend, PageContext
from tests.conftest import make_actor
from tests.open_pages import page_of


class AtOnce(UserClient):
    """A client that hears of an answer late: all its events come in one piece, as after a pause of this process."""

    async def chat_stream(self, request: ChatRequest | TemporaryRequest) -> AsyncGenerator[Numbered]:
        async with aclosing(super().chat_stream(request)) as events:
            heard = [event async for event in events]
        for event in heard:
            yield event


class LateLLM(LLMClient):
    """Gives such clients."""

    def signed_in(self, user_id: UserId, session_id: SessionId) -> UserClient:
        return AtOnce(self._http, self._signer, user_id, session_id)


class Page:
    """Takes what a page is told, as the page does: whether it says that an answer is being written, and its status."""

    def __init__(self) -> None:
        self.is_streaming = False
        self.statuses: dict[str, str] = {}
        self.told: list[Op] = []

    def tell(self, op: Op) -> None:
        self.told.append(op)
        match op["op"]:
            case "sent":
                self.is_streaming = True
                self._show(op.get("messages") or ())
            case "snapshot":
                self.is_streaming = bool(op["is_streaming"])
                self.statuses.clear()
                self._show(op["messages"])
            case "finish":
                self.is_streaming = False
                if op["id"] in self.statuses:
                    self.statuses[str(op["id"])] = "complete"
            case "status":
                self.is_streaming = bool(op["is_streaming"])
            case _:
                pass

    def _show(self, messages: object) -> None:
        assert isinstance(messages, (list, tuple))
        self.statuses |= {str(each["id"]): str(each["status"]) for each in messages}


@pytest.fixture
async def context(database_config: Config, database: Database, secrets: Secrets) -> AsyncIterator[PageContext]:
    """A page of somebody whose answers are heard of late."""
    async with database.writing(lock="seed") as session:
        await seed(session)
    person = await make_actor(database, "bob", Role.USER)
    llm = LateLLM(database_config.llm_api_url, secrets.signer)
    yield page_of(Backend(database_config, database, llm, secrets), person)
    await llm.aclose()


async def told_in_full(page: Page, state: ChatState, key: str) -> None:
    """Wait until the page knows that the question is stored, and has been told all that follows from it."""
    async with asyncio.timeout(20):
        while not any(each["op"] == "sent" and each["key"] == key for each in page.told) or state.is_streaming:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.5)


@pytest.mark.usefixtures("api")
async def test_an_answer_that_is_heard_of_once_it_has_ended_is_shown_as_ended(context: PageContext) -> None:
    page = Page()
    state = ChatState(context, Hub(), page.tell)
    await state.ask(ops.Ready(op="ready", path="/", at=None, time_zone="UTC"))

    await state.ask(ops.Send(op="send", key="the-question", text="What is 6 * 7?"))
    await told_in_full(page, state, "the-question")
    assert not page.is_streaming
    assert list(page.statuses.values()) == ["complete", "complete"]

    answer = UUID(list(page.statuses)[-1])
    await state.ask(ops.Regenerate(op="regenerate", key="once-more", answer=answer))
    await told_in_full(page, state, "once-more")
    assert not page.is_streaming
    assert list(page.statuses.values()) == ["complete", "complete"]
    state.close()


@pytest.mark.usefixtures("api")
async def test_a_question_that_is_sent_again_does_not_overtake_that_the_page_is_ready(
    context: PageContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Op] = []
    monkeypatch.setattr(ChatView, "tell", lambda _view, op: told.append(op))
    page = build(context, Hub(), Conditions(context.backend.database))
    ready = {"op": "ready", "path": "/temporary", "at": None, "time_zone": "UTC"}
    again = {"op": "ask_temporary", "key": "once-more", "text": "What is 6 * 7?", "earlier": []}
    await asyncio.gather(page.view._handle_msg(ready), page.view._handle_msg(again))
    async with asyncio.timeout(20):
        while "finish" not in [op["op"] for op in told]:
            await asyncio.sleep(0.01)

    names = [op["op"] for op in told]
    assert names.index("snapshot") < names.index("sent") < names.index("finish")
    page.close()
