"""Several models asked the same at once: the answers beside the one that the chat shows, and their runs."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Iterable, Sequence
from typing import Protocol
from uuid import UUID

from llm_ui.chat.follow import Op
from llm_ui.chat.shown import Shown, empty_answer
from llm_ui.chat.turn import Submission, Turn
from llm_ui.contract import ChatRequest, StartEvent
from llm_ui.errors import LLMUIError
from llm_ui.kit.ids import ChatId
from llm_ui.llm_client import Numbered, UserClient


class Page(Protocol):
    """What a comparison needs of the page it is on."""

    def tell(self, op: Op) -> None:
        """Tell the page."""

    def spawn(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Run work in a task that ends with the page."""

    def stored(self, submission: Submission, chat_id: ChatId) -> None:
        """What was submitted is stored."""

    def refuse(self, error: LLMUIError, submission: Submission | None = None) -> None:
        """Say why something was not done."""

    def compared(self) -> None:
        """An answer beside the one shown has begun or ended."""


class Comparison:
    """The comparison that is open on one page, if any."""

    def __init__(self, client: UserClient, page: Page) -> None:
        self._client = client
        self._page = page
        self._turns: set[Turn] = set()
        self.answer_id: UUID | None = None
        """The answer whose siblings are shown beside it."""

    @property
    def is_streaming(self) -> bool:
        """Whether one of these answers is being written."""
        return bool(self._turns)

    def ask(self, request: ChatRequest, models: Iterable[UUID], first: StartEvent) -> None:
        """Ask models what another one has just been asked. The same request asks nothing twice."""
        self.answer_id = first.answer_id
        for number, model in enumerate(models, 1):
            key = f"{request.idempotency_key[:60]}-{number}"
            same = {
                "text": "",
                "attachments": None,
                "chat_id": first.chat_id,
                "edit_of": None,
                "regenerate_of": first.answer_id,
            }
            again = request.model_copy(update={**same, "model_id": model, "idempotency_key": key})
            self.replay(again)

    def replay(self, request: ChatRequest) -> None:
        """Ask for another answer beside one."""
        self.answer_id = self.answer_id or request.regenerate_of
        submission = Submission(request.idempotency_key, None, None, shows_more=False)
        beside = request.model_copy(update={"is_beside": True})
        self._follow(self._client.chat_stream(beside), submission)

    def follow(self, answer_id: UUID | None, runs: Iterable[UUID]) -> None:
        """Follow runs that write answers beside this one, which is shown."""
        self.answer_id = answer_id
        followed = {turn.run_id for turn in self._turns}
        for run_id in runs:
            if run_id not in followed:
                self._follow(self._client.follow(run_id), None)

    async def stop(self) -> None:
        """End these runs and keep what was said."""
        await asyncio.gather(*(turn.stop() for turn in self._turns))

    def close(self) -> None:
        """Show one answer again. Runs go on by themselves."""
        self.answer_id = None
        for turn in self._turns:
            turn.leave()
        self._turns.clear()

    def acknowledged(self) -> None:
        """The page has drawn the last batch."""
        for turn in self._turns:
            turn.follower.acknowledged()

    async def with_text(self, answers: Sequence[Shown]) -> list[Shown]:
        """Return answers with what is known of those that are being written put into them."""
        written = {str(turn.follower.answer_id): await turn.follower.shown() for turn in self._turns if turn.run_id}
        return [{**answer, **written.get(str(answer["id"]), {})} for answer in answers]

    def _follow(self, events: AsyncGenerator[Numbered], submission: Submission | None) -> None:
        turn = Turn(self._client, self._page.tell, self._started, lambda *_: None, submission)
        self._turns.add(turn)
        turn.task = self._page.spawn(self._follow_to_end(turn, events))

    def _started(self, turn: Turn, event: StartEvent) -> None:
        if turn.is_stop_asked:
            self._page.spawn(turn.stop())
        if turn.submission is not None:
            self._page.stored(turn.submission, ChatId(event.chat_id))
        if turn not in self._turns:
            turn.leave()
        elif turn.submission is not None:
            self._page.tell({"op": "beside", "of": str(self.answer_id), "message": empty_answer(event)})
            self._page.compared()

    async def _follow_to_end(self, turn: Turn, events: AsyncGenerator[Numbered]) -> None:
        try:
            await turn.follow(events)
        except LLMUIError as error:
            self._page.refuse(error, turn.submission)
        finally:
            is_here = turn in self._turns
            self._turns.discard(turn)
        if is_here:
            self._page.compared()
