"""Running a process: signals, and the end of whoever started it."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

LIFELINE = "LLM_UI_LIFELINE_FD"
"""Names the inherited end of a pipe whose other end the supervisor holds: it closes when the supervisor dies,
however it dies."""


async def run_until_told(serve: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Run `serve` with an event that is set by SIGTERM, by SIGINT or by the supervisor's end."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    descriptor = os.environ.get(LIFELINE)
    if descriptor is not None:
        # Whoever killed the supervisor wants it gone now: what is written down stays, the sweep ends the rest.
        watch_lifeline(int(descriptor), lambda: os._exit(1))
    try:
        await serve(stop)
    finally:
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(name)
            # It is ending: who asks for that once more must not change how.
            signal.signal(name, signal.SIG_IGN)


def watch_lifeline(descriptor: int, gone: Callable[[], None]) -> None:
    """Call `gone` once the other end of the pipe is closed."""
    loop = asyncio.get_running_loop()

    def closed() -> None:
        loop.remove_reader(descriptor)
        gone()

    os.set_blocking(descriptor, False)
    loop.add_reader(descriptor, closed)
