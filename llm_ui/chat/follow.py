"""From a run's events to a page's operations: blocks of HTML, coalesced, one batch in flight."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from uuid import UUID

from llm_ui.chat import figures
from llm_ui.chat.growing import GrowingAnswer
from llm_ui.contract import (
    CompleteEvent,
    ErrorEvent,
    MetricsEvent,
    ReasoningEvent,
    Source,
    StartEvent,
    TitleEvent,
    TokenEvent,
    ToolCallEvent,
    ToolResultEvent,
)
from llm_ui.contract.filters import WarnedEvent
from llm_ui.contract.stand_ins import StandInEvent
from llm_ui.contract.steps import Step
from llm_ui.kit.markdown import Change
from llm_ui.llm_client import Numbered

FRAME_S = 0.033
"""At most one batch in this time: what a screen shows in two frames."""
LISTS_WAIT_S = 0.25
"""For how long lists of chats wait for an answer's first piece: a person hardly looks there yet."""
RENDER_SHARE = 4
"""Pause at least so many times as long as rendering took, so that it never takes more than a fifth of a core."""

Op = dict[str, object]


class AnswerFollower:
    """Follows one answer and tells one page about it."""

    def __init__(
        self, tell: Callable[[Op], None], on_start: Callable[[StartEvent], None], on_title: Callable[[str], None]
    ) -> None:
        self._tell = tell
        self._on_start = on_start
        self._on_title = on_title
        self._answer = _Pieces()
        self._thoughts = _Pieces()
        self._growing = GrowingAnswer()
        self._steps: dict[int, Step] = {}
        self._found: list[Source] = []
        self._found_told = 0
        self._rendering = asyncio.Lock()
        self._dirty = asyncio.Event()
        self._acked = asyncio.Event()
        self._acked.set()
        self.is_over = False
        """Whether the run has ended."""
        self._has_told = asyncio.Event()
        self.figures = ""
        """The small line under the answer."""
        self._thought = ""
        self._started: StartEvent | None = None

    @property
    def run_id(self) -> UUID | None:
        """The run that is followed, once it is known."""
        return None if self._started is None else self._started.run_id

    @property
    def answer_id(self) -> UUID | None:
        """The answer that is written, once it is known."""
        return None if self._started is None else self._started.answer_id

    async def begun(self) -> None:
        """Return once the page has the answer's first piece, or after a while: lists can wait that long.

        Reading them first was half of what that piece took from here to the page.
        """
        with suppress(TimeoutError):
            await asyncio.wait_for(self._has_told.wait(), LISTS_WAIT_S)
        # Told is not sent: the websocket writes when nothing else is done.
        await asyncio.sleep(FRAME_S)

    def acknowledged(self) -> None:
        """The page has drawn the last batch."""
        self._acked.set()

    async def shown(self) -> Op:
        """Return the answer for a page that has nothing of it; what is told afterwards goes on from there."""
        async with self._rendering:
            self._acked.set()
            thoughts = self._thoughts.whole()
            self._thoughts.told = len(thoughts)
            self._found_told = len(self._found)
            told: Op = {"blocks": self._growing.all_blocks(), "reasoning": thoughts, "figures": self.figures}
            told["note"] = self._note()
        return {**told, "sources": self._sources()} if self._found else told

    async def follow(self, events: AsyncGenerator[Numbered]) -> None:
        """Take the events to the run's end. Raises what the client raises; may then be called again."""
        flushing = asyncio.create_task(self._keep_flushing())
        try:
            async with aclosing(events):
                async for numbered in events:
                    await self._take(numbered.event)
        finally:
            flushing.cancel()
            await asyncio.gather(flushing, return_exceptions=True)

    async def _take(self, event: object) -> None:
        match event:
            case TokenEvent():
                self._answer.put(event.offset, event.token)
                self._dirty.set()
            case ReasoningEvent():
                self._thoughts.put(event.offset, event.token)
                self._dirty.set()
            case ToolCallEvent() | ToolResultEvent():
                self._use(event)
            case StartEvent():
                self._begin(event)
            case StandInEvent() | WarnedEvent() if self._started is not None:
                self._started = self._started.model_copy(update=event.model_dump(exclude={"type"}))
                self._dirty.set()
            case MetricsEvent() if self._started is not None:
                self.figures = figures.of_metrics(figures.who(self._started), event.metrics, event.usage, None)
                self._thought = figures.thought(event.metrics.reasoning_ms)
                self._dirty.set()
            case TitleEvent():
                self._on_title(event.title)
            case CompleteEvent() | ErrorEvent():
                await self._finish(event)
            case _:
                pass

    def _begin(self, event: StartEvent) -> None:
        """Begin. A second start says that the text follows once more from its first character."""
        if self._started is None:
            self._started = event
            self._on_start(event)
        else:
            self._answer, self._thoughts, self._growing = _Pieces(), _Pieces(), GrowingAnswer()
            self._steps.clear()
            who = {"model_name", "provider_name", "auto_name", "instead_of", "broke_off", "limit_note", "warned"}
            self._started = self._started.model_copy(update=event.model_dump(include=who))
            # What tools had found by then is among what may be cited.
            known = {source.number for source in (*(self._started.sources or ()), *self._found)}
            self._found += [source for source in event.sources or () if source.number not in known]

    def _use(self, event: ToolCallEvent | ToolResultEvent) -> None:
        """A tool is used, or is done; what it has found can be cited before the answer does."""
        self._steps[event.step.number] = event.step
        if isinstance(event, ToolResultEvent):
            self._found += event.sources
        self._dirty.set()

    def _sources(self) -> list[dict[str, object]]:
        """Return all that may be cited."""
        first = () if self._started is None else self._started.sources or ()
        return [source.model_dump(mode="json") for source in (*first, *self._found)]

    def _note(self, *, has_failed: bool = False) -> str:
        """Return what to say about who answers."""
        return "" if self._started is None else figures.note(self._started, has_failed=has_failed)

    async def _finish(self, event: CompleteEvent | ErrorEvent) -> None:
        self.is_over = True
        change = await self._render(is_last=True)
        name = figures.who(self._started) if self._started else ""
        self.figures = figures.of_metrics(name, event.metrics, event.usage, event.cost_usd)
        self._thought = figures.thought(event.metrics.reasoning_ms)
        self._tell(
            {
                **self._changed("finish", change),
                "note": self._note(has_failed=event.status == "failed"),
                "similar": figures.means_the_same(event.metrics),
                "status": event.status,
                "text": self._answer.whole(),
                "remark": figures.remark_of_end(event),
                "can_go_on": self._can_go_on(event),
                "can_explain": True,
                "is_error": isinstance(event, ErrorEvent),
            }
        )
        self._has_told.set()

    def lost(self, remark: str) -> Op:
        """Return the operation that ends an answer whose run is gone; what came of it stays."""
        self.is_over = True
        told = {"status": "interrupted", "text": self._answer.whole(), "remark": remark, "is_error": True}
        return {**self._changed("finish", None), **told}

    def _can_go_on(self, event: CompleteEvent | ErrorEvent) -> bool:
        is_cut = event.status in ("stopped", "interrupted")
        is_too_long = isinstance(event, CompleteEvent) and event.finish_reason in ("length", "cap")
        return bool(self._answer.whole().strip()) and (is_cut or is_too_long)

    async def _keep_flushing(self) -> None:
        """Send what is new: the first piece at once, later ones a frame apart and after an acknowledgement."""
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            if self.is_over:
                return
            began = time.perf_counter()
            change = await self._render(is_last=False)
            took = time.perf_counter() - began
            if change is not None:
                self._acked.clear()
                self._tell(self._changed("delta", change))
                self._has_told.set()
            await asyncio.sleep(max(FRAME_S, took * RENDER_SHARE))
            await self._acked.wait()

    def _changed(self, op: str, change: Change | None) -> Op:
        """Return an operation with what is new since the last one."""
        told: Op = {"op": op, "id": str(self.answer_id), "figures": self.figures, "thought": self._thought}
        told["note"] = self._note()
        if change is not None and change.code is not None:
            told |= {"from": change.start, "code": {"added": change.code.added, "tail": change.code.tail}}
        elif change is not None:
            told |= {"from": change.start, "blocks": list(change.blocks)}
        if len(self._found) != self._found_told:
            told["sources"] = self._sources()
            self._found_told = len(self._found)
        thoughts = self._thoughts.whole()
        if len(thoughts) != self._thoughts.told:
            told["reasoning"] = {"at": self._thoughts.told, "text": thoughts[self._thoughts.told :]}
            self._thoughts.told = len(thoughts)
        return told

    async def _render(self, *, is_last: bool) -> Change | None:
        """Return what became of the blocks; None when the text began anew meanwhile."""
        async with self._rendering:
            growing, text, steps = self._growing, self._answer.whole(), list(self._steps.values())
            if growing.is_quick(text, steps):
                change = growing.update(text, steps, is_last=is_last)
            else:
                change = await asyncio.to_thread(growing.update, text, steps, is_last=is_last)
            return change if growing is self._growing else None


class _Pieces:
    """A text that arrives in pieces with their places, so that none can come twice."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self.told = 0
        """How much of it a page has, in characters."""

    def put(self, offset: int, piece: str) -> None:
        """Put a piece at its place; whatever stood behind that place is gone."""
        if offset != self._length:
            self._parts = [self.whole()[:offset]]
        self._parts.append(piece)
        self._length = offset + len(piece)

    def whole(self) -> str:
        """Return the text."""
        if len(self._parts) > 1:
            self._parts = ["".join(self._parts)]
        return self._parts[0] if self._parts else ""
