"""The chat workspace of one open page: what it shows and what a person can do on it."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Callable, Coroutine
from functools import partial
from uuid import UUID

import param

from llm_ui.chat import op, ops, place_ops
from llm_ui.chat.aftermath import look_after
from llm_ui.chat.comparison import Comparison
from llm_ui.chat.defaults import Choice, Defaults
from llm_ui.chat.follow import Op
from llm_ui.chat.gauge import gauge
from llm_ui.chat.hub import Hub
from llm_ui.chat.labels import model_labels, shown_models
from llm_ui.chat.message import change_message, show_branch_of
from llm_ui.chat.open_chat import EMPTY, OpenChat, chat_of, older, read_open_chat
from llm_ui.chat.places import places
from llm_ui.chat.reply import reply
from llm_ui.chat.shown import empty_answer, question
from llm_ui.chat.sidebar import Sidebar
from llm_ui.chat.tasks import Tasks
from llm_ui.chat.temporary import Temporary
from llm_ui.chat.turn import Submission, Submitted, Turn, meant
from llm_ui.contract import ChatRequest, StartEvent
from llm_ui.errors import LLMUIError, NotFound
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import later, told
from llm_ui.kit.ids import ChatId, MessageId, ProjectId
from llm_ui.llm_client import Numbered, UserClient
from llm_ui.observability.logging import get_logger
from llm_ui.ui.page import PageContext

log = get_logger(__name__)

NO_MODEL = later("No model is set up yet. An administrator can connect one under Admin.")
CRASHED = later("Something went wrong here. Reload the page; if it stays, tell an administrator: {error_id}.")


class ChatState(param.Parameterized):
    """The open chat, its controls and the list of chats. Authority is asked of the services, each time."""

    chat_id = param.Parameter(default=None, doc="The chat that is open, or None for a new one.")
    title = param.String(default="", doc="Title of the open chat.")
    is_streaming = param.Boolean(default=False, doc="Whether an answer is being written in the open chat.")
    metrics = param.String(default="", doc="Figures of the answer that ended last.")
    model = param.Selector(default=None, objects={}, doc="The model that is asked next.")
    temperature = param.Number(default=None, bounds=(0, 2), allow_None=True, doc="0 sticks to the likeliest, 2 roams.")
    max_tokens = param.Integer(default=None, bounds=(1, 1_000_000), allow_None=True, doc="Most tokens of an answer.")

    def __init__(self, context: PageContext, hub: Hub, tell: Callable[[Op], None]) -> None:
        super().__init__()
        self.context = context
        self._hub = hub
        self.tell = tell
        self._client: UserClient = context.backend.llm.signed_in(context.user_id, context.session_id)
        self._sidebar = Sidebar(context, tell)
        self._models: frozenset[str] = frozenset()
        self._last_asked: tuple[object, object] | None = None
        self._turn: Turn | None = None
        self._comparison = Comparison(self._client, self)
        self._temporary = Temporary(self._client, self)
        self._defaults = Defaults(context, self, tell)
        self._submitted = Submitted()
        self._looking: asyncio.Task[None] | None = None
        self._one_at_a_time = asyncio.Lock()
        self._tasks = Tasks(self.refuse, self._crashed)
        self._listener = self._changed_elsewhere
        hub.listen(context.user_id, self._listener, context.is_open)
        self.param.watch(lambda _: self.tell({"op": "gauge_changed", "model": self.model}), ["model", "max_tokens"])

    def close(self) -> None:
        """Leave: the page is gone. Answers go on without it."""
        self._hub.leave(self.context.user_id, self._listener)
        self._tasks.close()

    async def ask(self, asked: ops.Asked) -> None:
        """Do what the page asks, one thing after the other; a refusal is told on the page."""
        try:
            match asked:
                case ops.Ack():
                    if self._turn is not None:
                        self._turn.follower.acknowledged()
                    self._comparison.acknowledged()
                    self._temporary.acknowledged()
                case ops.Stop():
                    await self.stop()
                case _:
                    async with self._one_at_a_time:
                        await self._do(asked)
        except LLMUIError as error:
            self.refuse(error)
        except Exception:  # noqa: BLE001 - the edge of a page's event
            self._crashed()

    async def _do(self, asked: ops.InOrder) -> None:
        match asked:
            case ops.Ready():
                self._defaults.tools.time_zone = asked.time_zone
                await self.load_models()
                await self.open_path(asked.path, asked.at)
                await self._show_chats()
            case ops.Send():
                self.send(asked)
            case ops.AskTemporary():
                self._temporary.ask(asked, self._request(asked.key, text=asked.text, chat_id=None))
            case ops.Regenerate() | ops.Continue() | ops.Edit() | ops.Merge() | ops.Replay():
                self.again(asked)
            case ops.Look():
                await self._look_through(asked)
            case ops.ToChat():
                await self._change_chat(asked)
            case op.Reply():
                tell_people = partial(self._hub.tell_all, but=self._listener)
                self.tell(await reply(self.context, self._client, asked, tell_people))
            case _:
                await self._change_message(asked)

    async def _look_through(self, asked: ops.Look) -> None:
        match asked:
            case ops.Open():
                await self._go_to(asked.path, asked.at)
            case ops.ChooseTools():
                await self._defaults.tools.choose(self.chat_id, asked.off)
            case ops.Gauge():
                self.tell(await gauge(self._client, self.chat_id, self.model, self.max_tokens, asked))
            case ops.PickModel() | ops.PickAgent():
                await self._defaults.pick(asked)
            case ops.Older() if self.chat_id is not None:
                self.tell(await older(self.context, self.chat_id, MessageId(asked.before)))
            case ops.MoreChats():
                await self._sidebar.more()
            case ops.ShowShelf():
                self._sidebar.choose(asked.shelf, None if asked.project is None else ProjectId(asked.project))
                if self.chat_id is None:
                    await self._defaults.begin(self._sidebar.project_id)
                await self._show_chats()
            case ops.Compare():
                self._comparison.answer_id = asked.answer if asked.is_on else None
                await self._show_open_chat()

    async def _go_to(self, path: str, at: UUID | None) -> None:
        has_left = self._turn is not None
        await self.open_path(path, at)
        if has_left:
            await self._show_chats()

    async def load_models(self) -> None:
        """Read which models may be asked; keep the chosen one while it is among them."""
        labels = await model_labels(self.context)
        ids = {label: str(model.id) for label, model in labels.items()}
        self._models = frozenset(ids.values())
        chosen = self.model if self.model in self._models else next(iter(ids.values()), None)
        self.param.model.objects = ids
        self.tell({"op": "models", "models": shown_models(labels)})
        self.model = chosen

    def controls(self, chosen: Choice | None = None) -> Choice:
        """Return what is asked next, and how; once it is what is given."""
        if chosen is not None:
            self.param.update(model=chosen.model, temperature=chosen.temperature, max_tokens=chosen.max_tokens)
        return Choice(self.model, self.temperature, self.max_tokens)

    def offers(self, model: str) -> bool:
        """Return whether this model may be asked."""
        return model in self._models

    def send(self, asked: ops.Send) -> None:
        """Ask the model, and others beside it; a chat that begins is kept in the project that is named.

        The page is told `sent` once the question is stored, or `refused` with the sentence. The same key
        again asks nothing again: once its question is stored, that is told once more.
        """
        key, chat_id = asked.key, None if asked.chat is None else ChatId(asked.chat)
        if key in self._submitted:
            self._tell_sent(key)
            return
        is_same = self._last_asked in (None, self._defaults.asks) and self._comparison.answer_id is None
        shows_more = bool(asked.attachments) or (chat_id is not None and chat_id == self.chat_id and not is_same)
        more: dict[str, object] = {"attachments": asked.attachments or None, "documents": asked.documents}
        if chat_id is None:
            more["project_id"] = asked.project
        request = self._request(key, text=asked.text, chat_id=chat_id).model_copy(update=more)
        submission = Submission(key, asked.text, chat_id, shows_more, request, asked.beside)
        if not self._models:
            self._say(_(NO_MODEL), submission)
            return
        self._comparison.close()
        self._follow(self._client.chat_stream(request), submission)

    def again(self, asked: ops.Again) -> None:
        """Ask once more in the open chat: for another answer, for the rest of one, or in other words."""
        if asked.key in self._submitted:
            self._tell_sent(asked.key)
        elif self.chat_id is not None:
            text = asked.text if isinstance(asked, ops.Edit) else None
            request = self._request(asked.key, chat_id=self.chat_id, text=text or "")
            request = request.model_copy(update=meant(asked))
            if isinstance(asked, ops.Replay):
                self._comparison.replay(request)
                return
            submission = Submission(asked.key, text, self.chat_id, shows_more=True)
            self._comparison.close()
            self._follow(self._client.chat_stream(request), submission)

    async def stop(self) -> None:
        """End the running answer of the open chat and keep what was said."""
        if self._turn is not None:
            await self._turn.stop()
        await self._comparison.stop()
        await self._temporary.stop()

    async def open_path(self, path: str, at: UUID | None = None) -> None:
        """Show the chat of a path, at a message of it or at its end, or a new one. What is not there is said so."""
        chat_id = chat_of(path)
        is_other = chat_id != self.chat_id
        self._temporary.leave()
        if is_other:
            self._comparison.close()
            self.is_streaming = False
            if self._turn is not None:
                self._turn.leave()
                self._turn = None
        self.chat_id, self.title, self._last_asked, self._defaults.path = chat_id, "", None, path
        await self._show_open_chat(is_opened=is_other, at=None if at is None else MessageId(at))

    def _request(self, key: str, *, text: str, chat_id: ChatId | None) -> ChatRequest:
        model_id = None if self.model is None else UUID(self.model)
        asked = ChatRequest(idempotency_key=key, text=text, chat_id=chat_id, model_id=model_id)
        how = {"temperature": self.temperature, "max_tokens": self.max_tokens, **self._defaults.wanted()}
        return asked.model_copy(update=how)

    def _follow(self, events: AsyncGenerator[Numbered], submission: Submission | None = None) -> None:
        """Follow a run in a task; the page stops following the one before."""
        if submission is not None:
            self._submitted.begin(submission.key)
        if self._turn is not None:
            self._turn.leave()
        turn = Turn(self._client, self.tell, self._started, self._titled, submission)
        self._turn, self.is_streaming = turn, True
        turn.task = self.spawn(self._follow_to_end(turn, events))

    async def _follow_to_end(self, turn: Turn, events: AsyncGenerator[Numbered]) -> None:
        try:
            await turn.follow(events)
        except LLMUIError as error:
            self.refuse(error, turn.submission)
        except Exception:  # noqa: BLE001 - the root of a task
            self._crashed(turn.submission)
        finally:
            is_shown = self._turn is turn
            if is_shown:
                self._turn = None
                self.metrics = turn.follower.figures
                self._tell_streaming()
        async with self._one_at_a_time:
            if is_shown and turn.run_id is None and self.chat_id is not None:
                # Refused: perhaps because another page began an answer here.
                await self._show_open_chat()
            await self._show_chats()
        if is_shown and turn.run_id is not None:
            await look_after(self, self._client, turn.run_id)

    async def retitled(self, chat_id: ChatId, title: str) -> None:
        """A chat has a better title, or tags: tell it, here and on the person's other pages."""
        if chat_id == self.chat_id:
            self._titled(None, title)
        await self._tell_others(chat_id)

    def _started(self, turn: Turn, event: StartEvent) -> None:
        """The question is stored: tell it, on the page that shows its chat."""
        if turn.is_stop_asked:
            self.spawn(turn.stop())
        submission = turn.submission
        if submission is None:
            return
        self._submitted.store(submission.key, ChatId(event.chat_id))
        if self._turn is not turn:
            # The page has moved on: it only learns that nothing was lost.
            self._tell_sent(submission.key)
            turn.leave()
            self.spawn(self._tell_others(ChatId(event.chat_id)))
            return
        self.chat_id, self._last_asked = ChatId(event.chat_id), self._defaults.asks
        if submission.request is not None and submission.beside:
            self._comparison.ask(submission.request, submission.beside, event)
        self.spawn(self._show_turn(turn, submission, event))

    async def _show_turn(self, turn: Turn, submission: Submission, event: StartEvent) -> None:
        """Show what was stored: the question and the empty answer, or, when more has changed, all messages."""
        answer = await turn.follower.shown()
        if submission.shows_more or turn.follower.is_over:
            # Of an answer that is over the page was told before it had its place: what is stored says that it ended.
            self._tell_sent(submission.key)
            async with self._one_at_a_time:
                if self.chat_id == event.chat_id:
                    await self._show_open_chat()
        else:
            messages = [question(str(event.question_id), submission.text or ""), empty_answer(event) | answer]
            self._tell_sent(submission.key, messages=messages)
        await turn.follower.begun()
        await self._tell_others(ChatId(event.chat_id), is_listed=not turn.follower.is_over)

    def _tell_sent(self, key: str, **more: object) -> None:
        """Tell that a submission is stored, once it is."""
        chat_id = self._submitted.chat_of(key)
        if chat_id is not None:
            self.tell({"op": "sent", "key": key, "chat": str(chat_id), **more})

    async def _tell_others(self, chat_id: ChatId, *, is_listed: bool = True) -> None:
        self._hub.tell(self.context.user_id, chat_id, but=self._listener)
        async with self._one_at_a_time:
            if is_listed:
                await self._show_chats()

    def _titled(self, turn: Turn | None, title: str) -> None:
        if turn is self._turn or turn is None:
            self.title = title
            self.tell({"op": "title", "title": title})

    async def _show_open_chat(self, *, is_opened: bool = False, at: MessageId | None = None) -> None:
        """Tell the open chat's last messages, or those around one, and follow its running answer."""
        if self.chat_id is None:
            await self._defaults.begin(self._sidebar.project_id)
            self.tell(EMPTY)
            return
        try:
            opened = await self._read_open_chat(self.chat_id, at)
        except NotFound as error:
            self.chat_id = None
            self.tell({"op": "missing", "text": told(error.message)})
            return
        detail, live = opened.detail, opened.live_run_id
        self.title = detail.title
        self._last_asked = None if detail.model_id is None else (str(detail.model_id), detail.agent_id or "none")
        if is_opened:
            await self._defaults.opened(detail)
        self.tell(opened.snapshot(at, beside=await self._comparison.with_text(opened.beside)))
        self._comparison.follow(opened.compared, opened.live_beside)
        if live is not None and (self._turn is None or self._turn.run_id not in (None, live)):
            self._follow(self._client.follow(live))

    async def _read_open_chat(self, chat_id: ChatId, at: MessageId | None) -> OpenChat:
        """Read the chat; a message on another branch brings that one to the front.

        What is followed of its running answer is in it, and what is told next goes on from there.
        """
        if at is not None:
            await show_branch_of(self.context, at)
        while True:
            actor, compared = await self.context.actor(), self._comparison.answer_id
            opened = await read_open_chat(self.context.backend.database, actor, chat_id, at, compared=compared)
            turn = self._turn
            if turn is None or turn.run_id is None or turn.run_id != opened.live_run_id:
                return opened
            shown = await turn.follower.shown()
            if not turn.follower.is_over:
                return opened.with_answer(str(turn.follower.answer_id), shown)
            # It ended meanwhile, and the page was told so: what was read is out of date.

    async def _show_chats(self) -> None:
        await self._sidebar.show(followed=self._followed())
        if self._sidebar.is_unfinished and (self._looking is None or self._looking.done()):
            self._looking = self.spawn(self._sidebar.keep_looking(self._followed))

    def stored(self, submission: Submission, chat_id: ChatId) -> None:
        """What was submitted is stored: tell it."""
        self._submitted.store(submission.key, chat_id)
        self._tell_sent(submission.key)

    def compared(self) -> None:
        """An answer beside the one shown has begun or ended."""
        self._tell_streaming()
        if self.chat_id is not None:
            self._hub.tell(self.context.user_id, self.chat_id, but=self._listener)
        if not self.is_streaming:
            self.spawn(self._show_compared())

    async def _show_compared(self) -> None:
        async with self._one_at_a_time:
            await self._show_open_chat()
            await self._show_chats()

    def _tell_streaming(self) -> None:
        self.is_streaming = self._turn is not None or self._comparison.is_streaming
        self.tell({"op": "status", "is_streaming": self.is_streaming})

    def _followed(self) -> ChatId | None:
        return self.chat_id if self._turn is not None else None

    async def _change_chat(self, asked: ops.ChatChanges) -> None:
        title = await self._sidebar.change(asked)
        if title is not None and asked.chat == self.chat_id:
            self._titled(None, title)
        if isinstance(asked, ops.Delete):
            self.tell({"op": "deleted", "chat": str(asked.chat)})
        self._hub.tell(self.context.user_id, ChatId(asked.chat), but=self._listener)
        await self._show_chats()

    async def _change_message(self, asked: ops.Change) -> None:
        outcome = await change_message(self.context, asked)
        if outcome.gone:
            self.tell({"op": "message_deleted", "messages": [str(each) for each in outcome.gone]})
        if outcome.new_chat is not None:
            self.tell({"op": "go", "path": f"/c/{outcome.new_chat}"})
            await self._show_chats()
        elif outcome.has_changed:
            if isinstance(asked, ops.ShowBranch):
                self._comparison.close()
            await self._show_open_chat()
            if self.chat_id is not None:
                self._hub.tell(self.context.user_id, self.chat_id, but=self._listener)

    def _changed_elsewhere(self, chat_id: ChatId | None) -> None:
        self.spawn(self._catch_up(chat_id))

    async def _catch_up(self, chat_id: ChatId | None) -> None:
        async with self._one_at_a_time:
            if chat_id is None:
                self.tell(await places(self.context, place_ops.ListPlaces(op="list_places")))
            elif chat_id == self.chat_id:
                await self._show_open_chat()
            await self._show_chats()

    def refuse(self, error: LLMUIError, submission: Submission | None = None) -> None:
        """Say why something was not done."""
        if error.code == "not_signed_in":
            self.tell({"op": "signed_out"})
        else:
            self._say(told(error.message), submission)

    def spawn(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Run work in a task that ends with the page."""
        return self._tasks.spawn(work)

    def _crashed(self, submission: Submission | None = None) -> None:
        error_id = secrets.token_hex(4)
        log.exception("page.event_crashed", error_id=error_id, user_id=self.context.user_id)
        self._say(_(CRASHED).format(error_id=error_id), submission)

    def _say(self, sentence: str, submission: Submission | None) -> None:
        """Tell why something was not done: beside the text that was not sent, or for a moment."""
        if submission is None:
            self.tell({"op": "toast", "text": sentence, "is_error": True})
            return
        self._submitted.forget(submission.key)
        self.tell({"op": "refused", "key": submission.key, "text": submission.text or "", "message": sentence})
