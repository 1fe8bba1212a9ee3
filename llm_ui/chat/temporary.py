"""The temporary chat of one page: its answers are followed and told; what is said is kept by the page alone."""

from llm_ui.chat import ops
from llm_ui.chat.comparison import Page
from llm_ui.chat.shown import empty_answer, question
from llm_ui.chat.turn import Submission, Turn
from llm_ui.contract import ChatRequest, StartEvent, TemporaryRequest
from llm_ui.errors import LLMUIError
from llm_ui.kit.i18n import gettext as _
from llm_ui.llm_client import UserClient

PLACE = "temporary"
"""What stands for the chat's id on the page."""


class Temporary:
    """The answer that is being written in it, if any."""

    def __init__(self, client: UserClient, page: Page) -> None:
        self._client = client
        self._page = page
        self._turn: Turn | None = None

    def ask(self, asked: ops.AskTemporary, request: ChatRequest) -> None:
        """Ask the model; the same key gives the same answer. `request` says which model, and how."""
        self.leave()
        temporary = TemporaryRequest(
            idempotency_key=request.idempotency_key,
            text=request.text,
            earlier=asked.earlier,
            model_id=request.model_id,
            agent_id=None if request.agent_id == "none" else request.agent_id,
            temperature=request.temperature,
            max_tokens=request.max_tokens,
            tools_off=request.tools_off or frozenset(),
            time_zone=request.time_zone,
        )
        submission = Submission(asked.key, asked.text, None, shows_more=False)
        turn = Turn(self._client, self._page.tell, self._started, lambda *_: None, submission)
        self._turn = turn
        turn.task = self._page.spawn(self._follow(turn, temporary))

    async def stop(self) -> None:
        """End the answer and keep what was said."""
        if self._turn is not None:
            await self._turn.stop()

    def leave(self) -> None:
        """Stop following: the page shows another chat. It asks again when it comes back."""
        if self._turn is not None:
            self._turn.leave()
            self._turn = None

    def acknowledged(self) -> None:
        """The page has drawn the last batch."""
        if self._turn is not None:
            self._turn.follower.acknowledged()

    def _started(self, turn: Turn, event: StartEvent) -> None:
        if turn.is_stop_asked:
            self._page.spawn(turn.stop())
        submission = turn.submission
        if submission is None:
            return
        here = {"is_temporary": True}
        messages = [question(str(event.question_id), submission.text or "") | here, empty_answer(event) | here]
        self._page.tell({"op": "sent", "key": submission.key, "chat": PLACE, "messages": messages})
        if self._turn is not turn:
            turn.leave()

    async def _follow(self, turn: Turn, request: TemporaryRequest) -> None:
        try:
            await turn.follow(self._client.chat_stream(request))
        except LLMUIError as error:
            if turn.run_id is None:
                self._page.refuse(error, turn.submission)
            else:
                # What made it is gone, and nothing of it is stored.
                self._page.tell(turn.follower.lost(_("The server stopped in mid-answer. Retry asks again.")))
        finally:
            if self._turn is turn:
                self._turn = None
