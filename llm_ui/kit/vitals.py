"""What this process takes: memory, processor, and how long its event loop keeps others waiting."""

import asyncio
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

STEP_S = 0.5
"""Between two looks at the event loop."""
STATM = Path("/proc/self/statm")


def memory_bytes() -> int:
    """Return the memory that the process holds now; where the system does not tell that, the most it ever held."""
    try:
        return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        # Kilobytes, but bytes on macOS (getrusage(2)).
        return most if sys.platform == "darwin" else most * 1024


class Pulse:
    """Watches the event loop and the processor since it was last read; `told` hears of each delay, in seconds."""

    def __init__(self, told: Callable[[float], None]) -> None:
        self._told = told
        self._longest_s = 0.0
        self._read_at, self._used_s = time.monotonic(), time.process_time()

    async def watch(self) -> None:
        """Notice how late the event loop wakes, until cancelled."""
        while True:
            due = time.monotonic() + STEP_S
            await asyncio.sleep(STEP_S)
            delay_s = max(0.0, time.monotonic() - due)
            self._longest_s = max(self._longest_s, delay_s)
            self._told(delay_s)

    def read(self) -> tuple[float, float]:
        """Return the share of a core that was used, and the longest delay in milliseconds."""
        instant, used_s = time.monotonic(), time.process_time()
        share = (used_s - self._used_s) / max(instant - self._read_at, 0.001)
        delay_ms, self._longest_s = self._longest_s * 1_000, 0.0
        self._read_at, self._used_s = instant, used_s
        return share, delay_ms
