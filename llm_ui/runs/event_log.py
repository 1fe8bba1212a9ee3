"""The numbered events of one run, kept in memory for whoever follows it, now or in a minute."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable

from llm_ui.contract import RunEvent
from llm_ui.kit.sse import PING, frame

PING_EVERY_S = 15.0
FRAMES_A_WRITE = 256
"""Events that are ready together go out together; more at once would hold up other followers."""
RING_BYTES = 8_000_000
"""What the events of one run may take, some 60,000 pieces: past it the older half goes."""
FRAME_OVERHEAD_BYTES = 41
"""What CPython adds to the bytes of a frame: its header and its place in the list."""

Wire = tuple[str, dict[str, object]]
"""Type and data of an event."""


def wire(event: RunEvent) -> Wire:
    """Return an event as it goes over the wire."""
    return event.type, event.model_dump(mode="json", exclude={"type"})


class EventLog:
    """Events numbered from 1, each encoded once for all followers.

    Whoever wants events that are gone gets `retell()` instead: the run so far as few events, of which the first is a
    `start` with `is_replay`.
    """

    def __init__(self, retell: Callable[[], Iterable[Wire]]) -> None:
        self._retell = retell
        self._frames: list[bytes] = []
        self._gone = 0
        self._size_bytes = 0
        self._has_end = False
        self._is_over = False
        self._changed: set[asyncio.Future[None]] = set()

    @property
    def last(self) -> int:
        """The number of the last event."""
        return self._gone + len(self._frames)

    @property
    def has_end(self) -> bool:
        """Whether the run's end is among the events."""
        return self._has_end

    @property
    def size_bytes(self) -> int:
        """What the events take in memory."""
        return self._size_bytes

    def append(self, event: RunEvent) -> None:
        """Add an event and wake the followers."""
        self.append_raw(*wire(event))

    def append_raw(self, kind: str, data: dict[str, object]) -> None:
        """Add an event given as its wire form: tokens come by the thousand and need no model each."""
        encoded = frame(self.last + 1, kind, data)
        self._frames.append(encoded)
        self._size_bytes += len(encoded) + FRAME_OVERHEAD_BYTES
        if self._size_bytes > RING_BYTES:
            self._drop_older_half()
        self._wake()

    def end(self, event: RunEvent) -> None:
        """Add the last event: followers leave after it."""
        self.append(event)
        self._has_end = self._is_over = True

    def close(self) -> None:
        """Let the followers go, with or without a last event, and the run, unless it has to be told again."""
        self._is_over = True
        if not self._gone:
            # It holds what was sent, with its files.
            self._retell = tuple
        self._wake()

    async def follow(self, after: int = 0) -> AsyncGenerator[bytes]:
        """Yield the events after a number, then those that come, until the last; with a ping when nothing does."""
        position = max(0, after)
        while True:
            while position < self.last:
                if position < self._gone:
                    told, position = self._told_again()
                    yield told
                    continue
                begin = position - self._gone
                batch = self._frames[begin : begin + FRAMES_A_WRITE]
                position += len(batch)
                yield b"".join(batch)
            if self._is_over:
                return
            if not await self._wait():
                yield PING

    def _told_again(self) -> tuple[bytes, int]:
        """Return the run so far and the number that it reaches to.

        All but the last of these events carry numbers of events that are gone: whoever loses the connection between
        them is told everything again.
        """
        reach = self.last - 1 if self._has_end else self.last
        events = list(self._retell())
        numbers = [*range(1, len(events)), reach]
        return b"".join(frame(number, *event) for number, event in zip(numbers, events, strict=True)), reach

    def _drop_older_half(self) -> None:
        half = len(self._frames) // 2
        for encoded in self._frames[:half]:
            self._size_bytes -= len(encoded) + FRAME_OVERHEAD_BYTES
        del self._frames[:half]
        self._gone += half

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
