"""One question on its way to an answer, or an answer that was found being written."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from uuid import UUID

from llm_ui.chat import ops
from llm_ui.chat.follow import AnswerFollower, Op
from llm_ui.contract import ChatRequest, StartEvent
from llm_ui.errors import LLMUIError
from llm_ui.kit.i18n import told
from llm_ui.kit.ids import ChatId
from llm_ui.llm_client import Numbered, UserClient
from llm_ui.observability.logging import get_logger

log = get_logger(__name__)

REMEMBERED_KEYS = 20
RETRY_S = 3.0
"""Pause before an answer whose server went away is looked for again."""


@dataclass(frozen=True, slots=True)
class Submission:
    """What a person submitted. `text` is None for an answer to be made once more."""

    key: str
    text: str | None
    chat_id: ChatId | None
    shows_more: bool
    """Whether more than the question and its answer changes in what is shown, such as a note that the model did."""
    request: ChatRequest | None = None
    beside: tuple[UUID, ...] = ()
    """Models that are asked the same once this question is stored."""


class Submitted:
    """The keys that were submitted last, and the chats they were stored in: one that is sent again is known."""

    def __init__(self) -> None:
        self._chats: OrderedDict[str, ChatId | None] = OrderedDict()

    def __contains__(self, key: str) -> bool:
        return key in self._chats

    def begin(self, key: str) -> None:
        """Remember a key; nothing is stored yet."""
        self._put(key, None)

    def store(self, key: str, chat_id: ChatId) -> None:
        """What was submitted is stored in this chat."""
        self._put(key, chat_id)

    def chat_of(self, key: str) -> ChatId | None:
        """Return the chat; None while nothing is stored."""
        return self._chats.get(key)

    def forget(self, key: str) -> None:
        """It was refused: the key may be used again."""
        self._chats.pop(key, None)

    def _put(self, key: str, chat_id: ChatId | None) -> None:
        self._chats[key] = chat_id
        while len(self._chats) > REMEMBERED_KEYS:
            self._chats.popitem(last=False)


def meant(asked: ops.Again) -> dict[str, object]:
    """Return the fields of a request that say which message is meant, and how."""
    match asked:
        case ops.Edit():
            files = None if asked.attachments is None else tuple(asked.attachments)
            return {"edit_of": asked.question, "attachments": files}
        case ops.Continue():
            return {"continue_of": asked.answer}
        case ops.Merge():
            return {"regenerate_of": asked.answers[0], "merge_of": tuple(asked.answers)}
        case ops.Regenerate() | ops.Replay():
            model = {} if asked.model is None else {"model_id": asked.model}
            how = {"wish": asked.wish} if isinstance(asked, ops.Regenerate) else {"without": asked.without}
            return {"regenerate_of": asked.answer, **how, **model}


class Turn:
    """A run that is asked for or followed, to its end; what it says is told to the page while it is the open one."""

    def __init__(
        self,
        client: UserClient,
        tell: Callable[[Op], None],
        on_start: Callable[["Turn", StartEvent], None],
        on_title: Callable[["Turn", str], None],
        submission: Submission | None = None,
    ) -> None:
        self.submission = submission
        self.task: asyncio.Task[None] | None = None
        self._client = client
        self._tell = tell
        self.is_stop_asked = False
        self.follower = AnswerFollower(tell, lambda event: on_start(self, event), lambda title: on_title(self, title))

    @property
    def run_id(self) -> UUID | None:
        """The run, once it exists."""
        return self.follower.run_id

    async def stop(self) -> None:
        """End the run; of one that does not exist yet it is noted, for when it does."""
        self.is_stop_asked = True
        if self.run_id is not None:
            await self._client.stop(self.run_id)

    def leave(self) -> None:
        """Stop following. A question that is not stored yet goes on until it is; the run goes on in any case."""
        if self.task is not None and (self.submission is None or self.run_id is not None):
            self.task.cancel()

    async def follow(self, events: AsyncGenerator[Numbered]) -> None:
        """Follow to the run's end. Raises our errors when it was refused; a run that exists is never given up."""
        while True:
            try:
                await self.follower.follow(events)
            except LLMUIError as error:
                if self.run_id is None or not error.retryable:
                    raise
                log.warning("answer.lost", run_id=self.run_id, code=error.code)
                self._tell({"op": "toast", "text": told(error.message), "is_error": True})
                await asyncio.sleep(RETRY_S)
                events = self._client.follow(self.run_id)
            else:
                return
