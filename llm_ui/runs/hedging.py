"""A second model is asked beside one that has said nothing yet; whoever says something first gives the answer.

Hedged requests: Dean and Barroso, "The Tail at Scale", Communications of the ACM 56 (2), 2013.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

from llm_ui.providers.base import Delta
from llm_ui.runs.resilience import is_shown

AHEAD = 64
"""Pieces of an answer that are read before somebody takes them."""

Deltas = AsyncGenerator[Delta]


async def soonest(
    first: Deltas, after_s: float, another: Callable[[], Awaitable[Deltas | None]], moved: Callable[[], Awaitable[None]]
) -> Deltas:
    """Yield the answer of whoever says something first.

    `another` is called after so many seconds without a word of the first and returns whom else to ask, or None;
    `moved` before the first piece of that one's answer. Raises what the first failed with, where the other one failed
    too.
    """
    asked = [_Asked(first)]
    try:
        winner = await _winner(asked, after_s, another)
        for other in asked:
            if other is not winner:
                await other.end()
        if winner is not asked[0]:
            await moved()
        async with aclosing(winner.answer()) as deltas:
            async for delta in deltas:
                yield delta
    finally:
        for one in asked:
            await one.end()


async def _winner(asked: "list[_Asked]", after_s: float, another: Callable[[], Awaitable[Deltas | None]]) -> "_Asked":
    """Return who answers, or the first where nobody does; whom `another` returns is put to those that are asked."""
    beginning = {asyncio.create_task(asked[0].begins()): asked[0]}
    try:
        done, _ = await asyncio.wait(beginning, timeout=after_s)
        if not done and (deltas := await another()) is not None:
            asked.append(_Asked(deltas))
            beginning[asyncio.create_task(asked[1].begins())] = asked[1]
        while beginning:
            done, _ = await asyncio.wait(beginning, return_when=asyncio.FIRST_COMPLETED)
            # In the order in which they were asked, where both begin at once.
            for task in [each for each in beginning if each in done]:
                one = beginning.pop(task)
                if task.result():
                    return one
        return asked[0]
    finally:
        for task in beginning:
            task.cancel()


class _Asked:
    """One of the two. Its answer is read in a task of its own, from the first piece to the last."""

    def __init__(self, deltas: Deltas) -> None:
        self._pieces: asyncio.Queue[Delta | Exception | None] = asyncio.Queue(AHEAD)
        self._early: list[Delta | Exception | None] = []
        self._reading = asyncio.create_task(self._read(deltas))

    async def begins(self) -> bool:
        """Return once it shows something or ends: whether it has not failed."""
        while True:
            piece = await self._pieces.get()
            self._early.append(piece)
            if piece is None or isinstance(piece, Exception):
                return piece is None
            if is_shown(piece):
                return True

    async def answer(self) -> Deltas:
        """Yield what it says, from its beginning. Raises what it failed with."""
        early = deque(self._early)
        while (piece := early.popleft() if early else await self._pieces.get()) is not None:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    async def end(self) -> None:
        """Ask for nothing more; returns once its connection is given back."""
        self._reading.cancel()
        await asyncio.wait({self._reading})

    async def _read(self, deltas: Deltas) -> None:
        try:
            async with aclosing(deltas):
                async for delta in deltas:
                    await self._pieces.put(delta)
        except Exception as error:  # noqa: BLE001 - whoever takes the answer gets it
            await self._pieces.put(error)
        else:
            await self._pieces.put(None)
