"""The chat workspace of one open page: what it shows and what a person can do on it."""

import asyncio
import re
from collections.abc import AsyncGenerator, Callable, Coroutine
from uuid import UUID

import param

from llm_ui.chat import ops
from llm_ui.chat.follow import AnswerFollower, Op
from llm_ui.chat.hub import Change, Hub
from llm_ui.chat.shown import Shown, empty_answer, question, shown_chats, shown_messages
from llm_ui.contract import ChatRequest, StartEvent
from llm_ui.errors import LLMUIError, NotFound, NotSignedIn
from llm_ui.kit.ids import ChatId, MessageId
from llm_ui.llm_client import Numbered, UserClient
from llm_ui.observability.logging import get_logger
from llm_ui.services import chats
from llm_ui.services.ai_models import ModelInfo, list_models
from llm_ui.services.messages import read_messages
from llm_ui.services.runs import live_run
from llm_ui.ui.page import PageContext

log = get_logger(__name__)

CHAT_PATH = re.compile(r"/c/([0-9a-f\-]{36})/?")
NO_MODEL = "No model is set up yet. An administrator can connect one under Admin."


class ChatState(param.Parameterized):
    """The open chat, its controls and the list of chats. Authority is asked of the services, each time."""

    chat_id = param.Parameter(default=None, doc="The chat that is open, or None for a new one.")
    title = param.String(default="", doc="Title of the open chat.")
    is_streaming = param.Boolean(default=False, doc="Whether an answer is being written in the open chat.")
    model = param.Selector(default=None, objects={}, doc="The model that is asked next.")
    temperature = param.Number(default=None, bounds=(0, 2), allow_None=True, doc="0 sticks to the likeliest, 2 roams.")
    max_tokens = param.Integer(default=None, bounds=(1, 1_000_000), allow_None=True, doc="Most tokens of an answer.")

    def __init__(self, context: PageContext, hub: Hub, tell: Callable[[Op], None]) -> None:
        super().__init__()
        self.context = context
        self._hub = hub
        self._tell = tell
        self._client: UserClient = context.backend.llm.signed_in(context.user_id, context.session_id)
        self._follower: AnswerFollower | None = None
        self._following: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._keys_in_flight: set[str] = set()
        self._models: dict[str, ModelInfo] = {}
        self._cursor: chats.ChatCursor | None = None
        self._last_model = ""
        self._loaded = asyncio.Event()
        self._listener = self._changed_elsewhere
        hub.listen(context.user_id, self._listener)

    def close(self) -> None:
        """Leave: the page is gone. Answers go on without it."""
        self._hub.leave(self.context.user_id, self._listener)
        for task in list(self._tasks):
            task.cancel()

    async def load_models(self) -> None:
        """Read which models may be asked; keep the chosen one while it is among them."""
        async with self.context.backend.database.reading() as session:
            found = await list_models(session, await self.context.actor())
        names = [model.display_name for model in found]
        labels = {
            model.display_name
            if names.count(model.display_name) == 1
            else f"{model.display_name} · {model.provider_name}": str(model.id)
            for model in found
        }
        self._models = {str(model.id): model for model in found}
        chosen = self.model if self.model in self._models else next(iter(self._models), None)
        self.param.model.objects = labels
        self.model = chosen
        self._loaded.set()

    async def ask(self, asked: ops.Asked) -> None:
        """Do what the page asks; a refusal is told on the page."""
        try:
            await self._do(asked)
        except NotSignedIn:
            self._tell({"op": "signed_out"})
        except LLMUIError as error:
            self._tell({"op": "toast", "text": error.message, "is_error": True})

    async def _do(self, asked: ops.Asked) -> None:
        match asked:
            case ops.Ack():
                if self._follower is not None:
                    self._follower.acknowledged()
            case ops.Send():
                await self._send(asked)
            case ops.Regenerate():
                await self._regenerate(asked)
            case ops.Stop():
                if self._follower is not None and self._follower.run_id is not None:
                    await self._client.stop(self._follower.run_id)
            case ops.Rename() | ops.Delete() | ops.Restore():
                await self._change_chat(asked)
            case _:
                await self._show(asked)

    async def _show(self, asked: ops.Asked) -> None:
        match asked:
            case ops.Ready():
                await self.load_models()
                await self._open(asked.path)
                await self._show_chats()
            case ops.Open():
                await self._open(asked.path)
            case ops.Older():
                await self._older(MessageId(asked.before))
            case ops.MoreChats():
                await self._more_chats()
            case _:
                pass

    async def _send(self, asked: ops.Send) -> None:
        """Ask the model. The page is told `sent` once the question is stored, or `refused` with the sentence."""
        # After a reconnect a question may come before the answer to `ready`.
        await self._loaded.wait()
        if asked.key in self._keys_in_flight:
            return
        request = ChatRequest(
            idempotency_key=asked.key,
            text=asked.text,
            chat_id=asked.chat,
            model_id=None if self.model is None else UUID(self.model),
            temperature=self.temperature,
            max_tokens=self.max_tokens,
        )
        if not self._models:
            self._tell({"op": "refused", "key": asked.key, "text": asked.text, "message": NO_MODEL})
            return
        self._follow(self._client.chat_stream(request), key=asked.key, text=asked.text)

    async def _regenerate(self, asked: ops.Regenerate) -> None:
        if self.chat_id is None or asked.key in self._keys_in_flight:
            return
        request = ChatRequest(
            idempotency_key=asked.key,
            chat_id=self.chat_id,
            regenerate_of=asked.answer,
            model_id=None if self.model is None else UUID(self.model),
            temperature=self.temperature,
            max_tokens=self.max_tokens,
        )
        self._follow(self._client.chat_stream(request), key=asked.key, text=None)

    def _follow(self, events: AsyncGenerator[Numbered], *, key: str = "", text: str | None = None) -> None:
        """Follow a run in a task; the page stops following the one before."""

        def started(event: StartEvent) -> None:
            if key:
                self._spawn(self._show_turn(event, key, text))

        follower = AnswerFollower(self._tell, started, self._titled)
        previous = self._following
        if previous is not None:
            previous.cancel()
        self._follower = follower
        self.is_streaming = True
        self._following = self._spawn(self._follow_to_end(follower, events, key, text))

    async def _follow_to_end(
        self, follower: AnswerFollower, events: AsyncGenerator[Numbered], key: str, text: str | None
    ) -> None:
        self._keys_in_flight.add(key)
        try:
            await follower.follow(events)
        except NotSignedIn:
            self._tell({"op": "signed_out"})
        except LLMUIError as error:
            if error.code == "not_signed_in":
                self._tell({"op": "signed_out"})
            else:
                self._tell({"op": "refused", "key": key, "text": text or "", "message": error.message})
        finally:
            self._keys_in_flight.discard(key)
            if self._follower is follower:
                self._follower, self.is_streaming = None, False
                self._tell({"op": "status", "is_streaming": False})
        await self._show_chats()

    async def _show_turn(self, event: StartEvent, key: str, text: str | None) -> None:
        """Show what was stored: the question and the empty answer, or, after more has changed, all messages."""
        is_new_chat = self.chat_id is None
        has_switched = text is None or self._has_switched_model(event)
        self.chat_id = ChatId(event.chat_id)
        sent: Op = {"op": "sent", "key": key, "chat": str(event.chat_id)}
        if has_switched:
            self._tell(sent)
            await self._show_messages()
        else:
            answer = empty_answer(str(event.answer_id))
            if self._follower is not None and self._follower.answer_id == event.answer_id:
                answer |= self._follower.shown()
            self._tell({**sent, "messages": [question(str(event.question_id), text or ""), answer]})
        self._last_model = event.model_name
        self._hub.tell(self.context.user_id, Change(self.chat_id, is_in_list=True), but=self._listener)
        if is_new_chat:
            await self._show_chats()

    def _has_switched_model(self, event: StartEvent) -> bool:
        return self.chat_id is not None and self._last_model not in ("", event.model_name)

    def _titled(self, title: str) -> None:
        self.title = title
        self._tell({"op": "title", "title": title})

    async def _open(self, path: str) -> None:
        """Show the chat of a path, or a new one. A chat that is not there is said so."""
        found = CHAT_PATH.fullmatch(path)
        chat_id = None if found is None else ChatId(UUID(found.group(1)))
        if chat_id != self.chat_id and self._following is not None:
            self._following.cancel()
            self._follower, self._following, self.is_streaming = None, None, False
        self.chat_id, self.title, self._last_model = chat_id, "", ""
        if chat_id is None:
            self._tell(
                {"op": "snapshot", "chat": None, "title": "", "messages": [], "has_older": False, "is_streaming": False}
            )
            return
        try:
            await self._show_messages()
        except NotFound as error:
            self.chat_id = None
            self._tell({"op": "missing", "text": error.message})

    async def _show_messages(self) -> None:
        """Tell the open chat's last messages, and follow its running answer."""
        assert self.chat_id is not None  # noqa: S101 - callers have just set it
        actor = await self.context.actor()
        async with self.context.backend.database.reading() as session:
            detail = await chats.open_chat(session, actor, self.chat_id)
            page = await read_messages(session, actor, self.chat_id)
            live = await live_run(session, actor, self.chat_id)
        runs = [message.run for message in page.items if message.run is not None]
        self._last_model = runs[-1].model_name if runs else ""
        self.title = detail.title
        if str(detail.model_id) in self._models and not self.is_streaming:
            self.param.update(model=str(detail.model_id), temperature=detail.temperature, max_tokens=detail.max_tokens)
        messages = await shown_messages(page.items)
        is_followed = self._follower is not None and live is not None and self._follower.run_id == live.id
        if is_followed and self._follower is not None:
            _fill(messages, self._follower)
        self._tell(
            {
                "op": "snapshot",
                "chat": str(detail.id),
                "title": detail.title,
                "messages": messages,
                "has_older": page.has_older,
                "is_streaming": live is not None,
            }
        )
        if live is not None and not is_followed:
            self._follow(self._client.follow(live.id))

    async def _older(self, before: MessageId) -> None:
        if self.chat_id is None:
            return
        actor = await self.context.actor()
        async with self.context.backend.database.reading() as session:
            page = await read_messages(session, actor, self.chat_id, before=before)
        messages = await shown_messages(page.items)
        self._tell({"op": "older", "before": str(before), "messages": messages, "has_older": page.has_older})

    async def _show_chats(self) -> None:
        actor = await self.context.actor()
        async with self.context.backend.database.reading() as session:
            page = await chats.list_chats(session, actor)
        self._cursor = page.next
        self._tell(
            {"op": "chats", "chats": shown_chats(page.items), "has_more": page.next is not None, "is_first": True}
        )

    async def _more_chats(self) -> None:
        if self._cursor is None:
            return
        actor = await self.context.actor()
        async with self.context.backend.database.reading() as session:
            page = await chats.list_chats(session, actor, after=self._cursor)
        self._cursor = page.next
        self._tell(
            {"op": "chats", "chats": shown_chats(page.items), "has_more": page.next is not None, "is_first": False}
        )

    async def _change_chat(self, asked: ops.Rename | ops.Delete | ops.Restore) -> None:
        actor = await self.context.actor()
        async with self.context.backend.database.writing() as session:
            match asked:
                case ops.Rename():
                    title = await chats.rename(session, actor, ChatId(asked.chat), asked.title)
                    if asked.chat == self.chat_id:
                        self._titled(title)
                case ops.Delete():
                    await chats.delete(session, actor, ChatId(asked.chat))
                case ops.Restore():
                    await chats.restore(session, actor, ChatId(asked.chat))
        if isinstance(asked, ops.Delete):
            self._tell({"op": "deleted", "chat": str(asked.chat)})
        self._hub.tell(self.context.user_id, Change(None, is_in_list=True), but=self._listener)
        await self._show_chats()

    def _changed_elsewhere(self, change: Change) -> None:
        self._spawn(self._catch_up(change))

    async def _catch_up(self, change: Change) -> None:
        try:
            if change.chat_id is not None and change.chat_id == self.chat_id:
                await self._show_messages()
            if change.is_in_list:
                await self._show_chats()
        except LLMUIError as error:
            log.info("page.catch_up_failed", code=error.code)

    def _spawn(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        if not isinstance(error, NotSignedIn):
            log.error("page.task_crashed", error=repr(error), user_id=self.context.user_id)


def _fill(messages: list[Shown], follower: AnswerFollower) -> None:
    """Put what a follower has so far into its answer."""
    for message in messages:
        if message["id"] == str(follower.answer_id):
            message |= follower.shown()
