"""The numbered events of one run, kept in memory for whoever follows it, now or in a minute."""

import asyncio
from collections.abc import AsyncGenerator

from llm_ui.contract import RunEvent
from llm_ui.kit.sse import PING, frame

PING_EVERY_S = 15.0
FRAMES_A_WRITE = 256
"""Events that are ready together go out together; more at once would hold up other followers."""


class EventLog:
    """Events numbered from 1, each encoded once for all followers."""

    def __init__(self) -> None:
        self._frames: list[bytes] = []
        self._is_over = False
        self._changed: set[asyncio.Future[None]] = set()

    @property
    def last(self) -> int:
        """The number of the last event, 0 when there is none."""
        return len(self._frames)

    def append(self, event: RunEvent) -> None:
        """Add an event and wake the followers."""
        self.append_raw(event.type, event.model_dump(mode="json", exclude={"type"}))

    def append_raw(self, kind: str, data: dict[str, object]) -> None:
        """Add an event given as its wire form: tokens come by the thousand and need no model each."""
        self._frames.append(frame(len(self._frames) + 1, kind, data))
        self._wake()

    def close(self) -> None:
        """Say that no more events come."""
        self._is_over = True
        self._wake()

    async def follow(self, after: int = 0) -> AsyncGenerator[bytes]:
        """Yield the events after a number, then those that come, until the last; with a ping when nothing does."""
        position = max(0, after)
        while True:
            while position < len(self._frames):
                batch = self._frames[position : position + FRAMES_A_WRITE]
                position += len(batch)
                yield b"".join(batch)
            if self._is_over:
                return
            if not await self._wait():
                yield PING

    async def _wait(self) -> bool:
        """Wait for a change; return False when none came within the ping interval."""
        changed = asyncio.get_running_loop().create_future()
        self._changed.add(changed)
        try:
            async with asyncio.timeout(PING_EVERY_S):
                await changed
        except TimeoutError:
            return False
        finally:
            self._changed.discard(changed)
        return True

    def _wake(self) -> None:
        for changed in self._changed:
            if not changed.done():
                changed.set_result(None)
