"""`python -m llm_ui.supervisor`: start the three processes, restart one that crashes, drain all of them.

`llm-ui serve` becomes this process once folder, ports and schema are in order: it stays for as long as the product
runs, so it holds little in memory.
"""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections import deque

import httpx2

from llm_ui.config import Config
from llm_ui.errors import ConfigurationError, Unavailable
from llm_ui.kit.http import new_client
from llm_ui.kit.process import LIFELINE
from llm_ui.observability.logging import get_logger
from llm_ui.process import run_process

log = get_logger(__name__)

PAGES, API, WORKER = MODULES = ("llm_ui.app", "llm_ui.api", "llm_ui.worker")
"""In the order of what takes longest to start."""
EMBEDDER = "llm_ui.embedder"
"""Only where a folder holds a model for it. The product runs without."""
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 5.0
CRASHES = 8
CRASH_WINDOW_S = 30.0
"""A process that crashes so many times in so long will not get better by another start."""
HOPEFUL = (-signal.SIGKILL, Unavailable.exit_code)
"""Ends that say nothing of the next start: killed from outside, or the disk full or the database away for now."""
SETTLE_S = 5.0
"""Beyond the drain time, how long all processes get before they are killed."""
POLL_S = 0.05
ALLOCATOR = {"MALLOC_ARENA_MAX": "2", "MALLOC_TRIM_THRESHOLD_": "131072", "MALLOC_MMAP_THRESHOLD_": "131072"}
"""How glibc gives memory back (mallopt(3)); others ignore it. By itself it gives each thread of a pool an arena, and
after one large piece keeps more of what is freed: 19 MB in the LLM API after nine minutes of a soak, and growing. So
it is 5 MB, and stays."""
WORKER_WAIT_S = 10.0
"""The worker starts when the others are ready, or after so long: nobody waits for it, and they share the cores."""


class Child:
    """One process, started again when it crashes."""

    def __init__(self, module: str, lifeline: int) -> None:
        self.module = module
        self._lifeline = lifeline
        self._process: asyncio.subprocess.Process | None = None
        self._ending = asyncio.Event()
        self._gone = asyncio.Event()
        self._crashes: deque[float] = deque(maxlen=CRASHES)

    async def keep(self) -> None:
        """Keep the process running until `end`. Raises `ConfigurationError` when it crashes again and again."""
        pause_s = FIRST_PAUSE_S
        try:
            while not self._ending.is_set():
                began = time.monotonic()
                code = await self._run_once()
                if self._ending.is_set():
                    return
                log.warning("process.crashed", module=self.module, code=code)
                if code not in HOPEFUL:
                    self._require_hope()
                if time.monotonic() - began > LONGEST_PAUSE_S:
                    pause_s = FIRST_PAUSE_S
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause_s):
                        await self._ending.wait()
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
        finally:
            self._gone.set()

    async def end(self) -> None:
        """Ask the process to end; return once it has."""
        self._ending.set()
        self._send(signal.SIGTERM)
        await self._gone.wait()

    def kill(self) -> None:
        """End the process at once."""
        self._ending.set()
        self._send(signal.SIGKILL)

    async def _run_once(self) -> int | None:
        """Run the process to its end; return its exit code, or None when it could not be started."""
        try:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                self.module,
                env={**ALLOCATOR, **os.environ, LIFELINE: str(self._lifeline)},
                pass_fds=(self._lifeline,),
                stdin=asyncio.subprocess.DEVNULL,
                # Ctrl+C goes to the whole group of a terminal: only we act on it.
                start_new_session=True,
            )
        except OSError as error:
            log.warning("process.refused", module=self.module, reason=error.strerror)
            return None
        if self._ending.is_set():
            # It was asked to end while it was being made.
            self._send(signal.SIGTERM)
        return await self._process.wait()

    def _require_hope(self) -> None:
        instant = time.monotonic()
        self._crashes.append(instant)
        if len(self._crashes) == CRASHES and instant - self._crashes[0] < CRASH_WINDOW_S:
            raise ConfigurationError(
                f"{self.module} ended {CRASHES} times in a row; the lines above say why. Mend it and start again."
            )

    def _send(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)


class Supervisor:
    """Keeps the processes of one data folder running; they read their settings from this one's environment."""

    def __init__(self, config: Config) -> None:
        self._config = config
        # The children hold the reading end: it closes when this process is gone, however it went.
        self._reading_end, self._writing_end = os.pipe()
        modules = MODULES if config.embedding_folder is None else (*MODULES, EMBEDDER)
        self._children = {module: Child(module, self._reading_end) for module in modules}

    async def run(self, stop: asyncio.Event) -> None:
        """Run everything until `stop` is set or a process cannot be kept up. Raises `ConfigurationError` then."""
        stopped, telling = asyncio.create_task(stop.wait()), asyncio.create_task(self._tell_when_ready())
        keeping = [asyncio.create_task(self._children[module].keep()) for module in (PAGES, API)]
        keeping.append(asyncio.create_task(self._keep_worker(telling)))
        embedding = asyncio.create_task(self._keep_embedder(telling))
        try:
            await asyncio.wait([stopped, *keeping], return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
            telling.cancel()
            await self._drain()
            ended = await asyncio.gather(*keeping, embedding, stopped, telling, return_exceptions=True)
            os.close(self._reading_end)
            os.close(self._writing_end)
        for problem in ended:
            if isinstance(problem, Exception):
                raise problem

    async def _keep_worker(self, ready: asyncio.Task[None]) -> None:
        await asyncio.wait([ready], timeout=WORKER_WAIT_S)
        await self._children[WORKER].keep()

    async def _keep_embedder(self, ready: asyncio.Task[None]) -> None:
        """Keep the embedding model's process; without it documents are found by their words."""
        if EMBEDDER not in self._children:
            return
        await asyncio.wait([ready], timeout=WORKER_WAIT_S)
        try:
            await self._children[EMBEDDER].keep()
        except ConfigurationError as error:
            log.warning("embedder.given_up", reason=error.message)

    async def _drain(self) -> None:
        """End every process in good order; kill what does not end in time, or when Ctrl+C comes once more."""
        hurry = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, hurry.set)
        ending, hurried = asyncio.create_task(self._end_in_order()), asyncio.create_task(hurry.wait())
        limit_s = self._config.drain_s + SETTLE_S
        done, _ = await asyncio.wait([ending, hurried], timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
        if ending not in done:
            log.warning("process.killed", reason="told to hurry" if hurry.is_set() else "did not end in time")
            for child in self._children.values():
                child.kill()
        await ending
        hurried.cancel()

    async def _end_in_order(self) -> None:
        """End the pages last, so that people see the end of the answers that are let finish."""
        await asyncio.gather(*(child.end() for module, child in self._children.items() if module != PAGES))
        await self._children[PAGES].end()

    async def _tell_when_ready(self) -> None:
        """Print where to go once the pages and the LLM API answer."""
        began = time.monotonic()
        url = page_url(self._config)
        async with new_client() as http:
            for address in (f"{self._config.llm_api_url}/readyz", f"{local_url(self._config)}/healthz"):
                await _until_it_answers(http, address)
        log.info("serve.ready", url=url, seconds=round(time.monotonic() - began, 2))
        # Whoever read the output may have gone; the log says it too.
        with contextlib.suppress(OSError):
            print(f"\n  LLM UI is ready: {url}\n  Stop it with Ctrl+C.\n", flush=True)  # noqa: T201


async def _until_it_answers(http: httpx2.AsyncClient, address: str) -> None:
    while True:
        with contextlib.suppress(httpx2.TransportError):
            if (await http.get(address, timeout=2)).status_code == 200:
                return
        await asyncio.sleep(POLL_S)


def page_url(config: Config) -> str:
    """Return the address people open."""
    return config.origins[0] if config.origins else local_url(config)


def local_url(config: Config) -> str:
    """Return the pages' address on this host."""
    host = "127.0.0.1" if config.host in ("0.0.0.0", "::", "") else config.host  # noqa: S104 - compared, not bound
    return f"http://[{host}]:{config.port}" if ":" in host else f"http://{host}:{config.port}"


async def run(config: Config, stop: asyncio.Event) -> None:
    """Keep everything running until `stop` is set. Raises `ConfigurationError` when that cannot be done."""
    await Supervisor(config).run(stop)


if __name__ == "__main__":
    sys.exit(run_process("serve", lambda: run))
