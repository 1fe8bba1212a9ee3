"""Answers on their way to several who asked the same: asked for once, told to each from its first piece.

The first who asks pays. When it goes away and others still follow, the next of them pays in its place, and the answer
goes on; when nobody follows any more, it ends.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

from llm_ui.errors import LLMUIError
from llm_ui.providers.base import Delta, Finish
from llm_ui.services.targets import ModelTarget


class Payer(Protocol):
    """Whoever can be told that the answer is another's."""

    def served(self, *, is_free: bool) -> None:
        """The answer is paid by somebody else from now on, or no longer."""
        ...


@dataclass(frozen=True, slots=True)
class Moved:
    """Another model is asked."""

    target: ModelTarget
    error: LLMUIError


class Flight:
    """One answer on its way."""

    def __init__(self) -> None:
        self.pieces: list[tuple[float, Delta | Moved]] = []
        """With when they came, in seconds of the monotonic clock."""
        self.error: BaseException | None = None
        self.is_over = False
        self._followers: list[Payer] = []
        self._task: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()

    def is_paid_by(self, follower: Payer) -> bool:
        """Return whether this one pays."""
        return bool(self._followers) and self._followers[0] is follower

    def start(self, deltas: Callable[[], AsyncGenerator[Delta]], tasks: set[asyncio.Task[None]]) -> asyncio.Task[None]:
        """Begin to take the answer in; the task is over with it."""
        self._task = asyncio.create_task(self._take_in(deltas))
        tasks.add(self._task)
        self._task.add_done_callback(tasks.discard)
        return self._task

    def moved(self, target: ModelTarget, error: LLMUIError) -> None:
        """Note that another model is asked."""
        self._add(Moved(target, error))

    async def follow(self, follower: Payer) -> AsyncGenerator[Delta | Moved]:
        """Yield the answer from its first piece. Raises what asking for it raised."""
        self._followers.append(follower)
        told = 0
        try:
            while True:
                while told < len(self.pieces):
                    told += 1
                    yield self.pieces[told - 1][1]
                if self.is_over:
                    break
                changed = self._changed
                await changed.wait()
        finally:
            await self._leave(follower, has_all=told == len(self.pieces) and self._is_whole)
        if self.error is not None:
            raise self.error

    @property
    def _is_whole(self) -> bool:
        """Whether nothing more is told. What is done after the last piece may still go on."""
        return self.is_over or (bool(self.pieces) and isinstance(self.pieces[-1][1], Finish))

    async def _leave(self, follower: Payer, *, has_all: bool) -> None:
        was_payer = self.is_paid_by(follower)
        self._followers.remove(follower)
        if self._followers:
            if was_payer and not has_all:
                follower.served(is_free=True)
                self._followers[0].served(is_free=False)
        elif not self._is_whole and self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _take_in(self, deltas: Callable[[], AsyncGenerator[Delta]]) -> None:
        try:
            async with aclosing(deltas()) as coming:
                async for delta in coming:
                    self._add(delta)
        except Exception as error:  # noqa: BLE001 - told to each who follows, who knows what to do
            self.error = error
        finally:
            self.is_over = True
            self._wake()

    def _add(self, piece: Delta | Moved) -> None:
        self.pieces.append((time.monotonic(), piece))
        self._wake()

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
