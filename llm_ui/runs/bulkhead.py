"""How many questions a provider gets at once, so that one that is stuck takes nothing from the others."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from llm_ui.errors import ProviderError, ProviderFault
from llm_ui.kit.ids import ProviderId
from llm_ui.services.targets import ModelTarget

USUAL_AT_ONCE = 250
"""A quarter of all connections there are."""


@dataclass
class _Room:
    """The places at one provider."""

    going_on: int = 0
    line: deque[asyncio.Future[None]] = field(default_factory=deque)


class Bulkhead:
    """Gives out places at providers: first come, first served. In the memory of one process."""

    def __init__(self) -> None:
        self._rooms: dict[ProviderId, _Room] = {}

    @asynccontextmanager
    async def place(self, target: ModelTarget, *, longest_s: float) -> AsyncIterator[None]:
        """Hold a place, after waiting for one so long at most. As many wait as may be answered; else it is refused.

        Raises `ProviderError`.
        """
        most, name = target.reach.most_at_once or USUAL_AT_ONCE, target.provider_name
        room = self._rooms.setdefault(target.provider_id, _Room())
        if room.going_on < most:
            room.going_on += 1
        else:
            await self._wait(room, name, most, longest_s)
        try:
            yield
        finally:
            self._leave(room)

    def _leave(self, room: _Room) -> None:
        """Give the place to whoever is first in the line."""
        while room.line:
            if not (first := room.line.popleft()).done():
                first.set_result(None)
                return
        room.going_on -= 1

    async def _wait(self, room: _Room, name: str, most: int, longest_s: float) -> None:
        if longest_s <= 0 or len(room.line) >= most:
            raise _full(name, most)
        turn = asyncio.get_running_loop().create_future()
        room.line.append(turn)
        try:
            async with asyncio.timeout(longest_s):
                await turn
        except BaseException as error:
            if turn in room.line:
                room.line.remove(turn)
            elif not turn.cancelled():
                # The place came at the very moment.
                self._leave(room)
            if isinstance(error, TimeoutError):
                raise _full(name, most) from None
            raise


def _full(name: str, most: int) -> ProviderError:
    return ProviderError(
        "{name} answers {most} questions at once, which is the most, and no place came free. Try again in a moment.",
        ProviderFault.OVERLOADED,
        retry_after=1,
        name=name,
        most=most,
    )
