"""From a run's events to a page's operations: blocks of HTML, coalesced, one batch in flight."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from uuid import UUID

from llm_ui.chat import figures
from llm_ui.contract import (
    CompleteEvent,
    ErrorEvent,
    MetricsEvent,
    ReasoningEvent,
    StartEvent,
    TitleEvent,
    TokenEvent,
)
from llm_ui.kit.markdown import GrowingText
from llm_ui.llm_client import Numbered

FRAME_S = 0.033
"""At most one batch in this time: what a screen shows in two frames."""
RENDER_SHARE = 4
"""Pause at least so many times as long as rendering took, so that it never takes more than a fifth of a core."""
THREAD_CHARS = 4_000
"""Open text longer than this is rendered in a thread, off the event loop."""

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
        self._rendering = asyncio.Lock()
        self._growing = GrowingText()
        self._blocks: list[str] = []
        self._dirty = asyncio.Event()
        self._acked = asyncio.Event()
        self._acked.set()
        self._over = asyncio.Event()
        self._started: StartEvent | None = None
        self._figures = ""

    @property
    def run_id(self) -> UUID | None:
        """The run that is followed, once it is known."""
        return None if self._started is None else self._started.run_id

    @property
    def answer_id(self) -> UUID | None:
        """The answer that is written, once it is known."""
        return None if self._started is None else self._started.answer_id

    def acknowledged(self) -> None:
        """The page has drawn the last batch."""
        self._acked.set()

    def shown(self) -> Op:
        """Return the answer as a page that has nothing of it shows it now."""
        self._acked.set()
        self._dirty.set()
        return {"blocks": list(self._blocks), "reasoning": self._thoughts.whole(), "figures": self._figures}

    async def follow(self, events: AsyncGenerator[Numbered]) -> None:
        """Take the events to the run's end. Raises what the client raises."""
        flushing = asyncio.create_task(self._keep_flushing())
        try:
            async with aclosing(events):
                async for numbered in events:
                    await self._take(numbered.event)
        finally:
            self._over.set()
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
            case StartEvent():
                if event.is_replay:
                    self._begin_again()
                if self._started is None:
                    self._started = event
                    self._on_start(event)
            case MetricsEvent() if self._started is not None:
                name = self._started.model_name
                self._figures = figures.of_metrics(name, event.metrics, event.usage, None)
                self._dirty.set()
            case TitleEvent():
                self._on_title(event.title)
            case CompleteEvent() | ErrorEvent():
                await self._finish(event)
            case _:
                pass

    def _begin_again(self) -> None:
        """Forget the text: it follows once more from its first character."""
        self._answer, self._thoughts = _Pieces(), _Pieces()
        self._growing, self._blocks = GrowingText(), []

    async def _finish(self, event: CompleteEvent | ErrorEvent) -> None:
        self._over.set()
        start, blocks = await self._render(is_last=True)
        name = self._started.model_name if self._started else ""
        self._figures = figures.of_metrics(name, event.metrics, event.usage, event.cost_usd)
        self._tell(
            {
                "op": "finish",
                "id": str(self.answer_id),
                "status": event.status,
                "from": start,
                "blocks": blocks,
                "count": len(self._blocks),
                "reasoning": self._thoughts.whole(),
                "text": self._answer.whole(),
                "figures": self._figures,
                "remark": figures.remark_of_end(event),
                "is_error": isinstance(event, ErrorEvent),
            }
        )

    async def _keep_flushing(self) -> None:
        """Send what is new: the first piece at once, later ones a frame apart and after an acknowledgement."""
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            if self._over.is_set():
                return
            began = time.perf_counter()
            start, blocks = await self._render(is_last=False)
            if self._over.is_set():
                return
            took = time.perf_counter() - began
            self._acked.clear()
            self._tell(
                {
                    "op": "delta",
                    "id": str(self.answer_id),
                    "from": start,
                    "blocks": blocks,
                    "reasoning": self._thoughts.whole(),
                    "figures": self._figures,
                }
            )
            await asyncio.sleep(max(FRAME_S, took * RENDER_SHARE))
            await self._acked.wait()

    async def _render(self, *, is_last: bool) -> tuple[int, list[str]]:
        """Return the blocks that changed and the index of the first."""
        async with self._rendering:
            growing, text = self._growing, self._answer.whole()
            start = growing.finished_count
            work = growing.finish if is_last else growing.update
            is_long = len(text) - growing.offset > THREAD_CHARS
            blocks = await asyncio.to_thread(work, text) if is_long else work(text)
            if growing is self._growing:
                self._blocks[start:] = blocks
            return start, blocks


class _Pieces:
    """A text that arrives in pieces with their places, so that none can come twice."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0

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
