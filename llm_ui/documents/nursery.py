"""Where the processes come from that read files: one that has imported the readers and makes others of itself.

It is started with the first file and ends by itself when there was none for a while, so that an idle server does not
hold its memory. It has no database, no key and no open file of this process (documents/parse/__main__.py).
"""

import asyncio
import atexit
import contextlib
import os
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from llm_ui.documents.parse import CODE, MADE

IDLE_S = 300.0
END_S = 5.0
"""In which a process that is killed has ended."""
INHERITED = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT")
"""All of the environment that the process needs: it gets no key and no password."""


@dataclass(frozen=True, slots=True)
class Child:
    """A process that reads a file."""

    channel: socket.socket
    """On which it is told its file, and answers."""
    ending: socket.socket
    """When this is closed it is killed, with all that it started."""

    async def end(self) -> int | None:
        """Kill whatever is left of it; return how it ended (`Popen.returncode`), None where nobody knows.

        May be called again.
        """
        loop = asyncio.get_running_loop()
        if self.ending.fileno() < 0:
            return None
        with self.ending, contextlib.suppress(OSError, TimeoutError):
            self.ending.shutdown(socket.SHUT_WR)
            async with asyncio.timeout(END_S):
                said = await loop.sock_recv(self.ending, CODE.size)
            return int(CODE.unpack(said)[0]) if len(said) == CODE.size else None
        return None


class Nursery:
    """The process that makes others, where one is needed."""

    def __init__(self, root: Path, idle_s: float = IDLE_S) -> None:
        self._root = root
        self._idle_s = idle_s
        self._process: subprocess.Popen[bytes] | None = None
        self._asks: socket.socket | None = None
        self._starting = threading.Lock()

    @property
    def pid(self) -> int | None:
        """The process that makes others; None where none was needed or it has ended."""
        return self._process.pid if self._process and self._process.poll() is None else None

    async def child(self) -> Child:
        """Return a new process. Raises `OSError` when the system has none left."""
        try:
            return await _child(await self._asked())
        except OSError:
            # It has just ended: for nobody needed it, or it was killed.
            await asyncio.to_thread(self.end)
            return await _child(await self._asked())

    async def _asked(self) -> socket.socket:
        if self.pid is None:
            await asyncio.to_thread(self._start)
        if self._asks is None:
            raise BrokenPipeError("it has ended")
        return self._asks

    def end(self) -> None:
        """End the process and what it made."""
        if self._asks:
            self._asks.close()
        if self._process:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(END_S)
            self._process.kill()
            self._process.wait()
        self._process = self._asks = None
        atexit.unregister(self.end)

    def _start(self) -> None:
        with self._starting:
            if self.pid is not None:
                return
            self.end()
            self._asks, its_end = socket.socketpair()
            self._asks.setblocking(False)
            environment = {key: os.environ[key] for key in INHERITED if key in os.environ}
            with its_end:
                self._process = subprocess.Popen(  # noqa: S603 - this Python and our own module
                    # No folder of the moment, none of the user's.
                    [sys.executable, "-P", "-s", "-m", "llm_ui.documents.parse", str(self._idle_s)],
                    env={**environment, "PYTHONPATH": str(self._root), "PYTHONDONTWRITEBYTECODE": "1"},
                    stdin=its_end.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    # Ctrl+C is not for it.
                    start_new_session=True,
                )
            # Ended for want of files it would stay in the list of processes until somebody asks for it again.
            threading.Thread(target=self._process.wait, name="nursery", daemon=True).start()
            atexit.register(self.end)


async def _child(asks: socket.socket) -> Child:
    with contextlib.ExitStack() as failed:
        pairs = socket.socketpair(), socket.socketpair()
        for here, _ in pairs:
            failed.enter_context(here)
            here.setblocking(False)
        with pairs[0][1] as channel, pairs[1][1] as ending:
            socket.send_fds(asks, [b"+"], [channel.fileno(), ending.fileno()])
        if not await asyncio.get_running_loop().sock_recv(pairs[1][0], len(MADE)):
            raise BrokenPipeError("it has ended")
        failed.pop_all()
    return Child(pairs[0][0], pairs[1][0])
