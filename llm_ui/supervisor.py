"""Starting the three processes, restarting one that crashes, and draining all of them."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections import deque
from dataclasses import dataclass, field

import httpx2

from llm_ui.config import Config
from llm_ui.errors import ConfigurationError
from llm_ui.kit.http import new_client
from llm_ui.kit.process import LIFELINE
from llm_ui.observability.logging import get_logger

log = get_logger(__name__)

MODULES = ("llm_ui.api", "llm_ui.app", "llm_ui.worker")
FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 5.0
CRASHES = 8
CRASH_WINDOW_S = 30.0
"""A process that crashes so many times in so long will not get better by another start."""
SETTLE_S = 3.0
"""Beyond the drain time, how long a process gets before it is killed."""
POLL_S = 0.05


@dataclass
class Child:
    """One process and its crashes."""

    module: str
    process: asyncio.subprocess.Process | None = None
    crashes: deque[float] = field(default_factory=lambda: deque(maxlen=CRASHES))


class Supervisor:
    """Keeps the processes of one data folder running."""

    def __init__(self, config: Config, environment: dict[str, str]) -> None:
        self._config = config
        self._environment = environment
        self._children = [Child(module) for module in MODULES]
        self._stopping = asyncio.Event()
        self._failure: ConfigurationError | None = None
        # The children hold the reading end: it closes when this process is gone, however it went.
        self._reading_end, self._writing_end = os.pipe()

    async def run(self, stop: asyncio.Event) -> None:
        """Run everything until `stop` is set or a process cannot be kept up. Raises `ConfigurationError` then."""
        keeping = [asyncio.create_task(self._keep(child, stop)) for child in self._children]
        telling = asyncio.create_task(self._tell_when_ready())
        try:
            await stop.wait()
        finally:
            self._stopping.set()
            telling.cancel()
            await self._drain()
            await asyncio.gather(*keeping, telling, return_exceptions=True)
            os.close(self._reading_end)
            os.close(self._writing_end)
        if self._failure is not None:
            raise self._failure

    async def _keep(self, child: Child, stop: asyncio.Event) -> None:
        pause_s = FIRST_PAUSE_S
        while not self._stopping.is_set():
            child.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                child.module,
                env={**self._environment, LIFELINE: str(self._reading_end)},
                pass_fds=(self._reading_end,),
                stdin=asyncio.subprocess.DEVNULL,
                # Ctrl+C goes to the whole group of a terminal: only we act on it.
                start_new_session=True,
            )
            began = time.monotonic()
            code = await child.process.wait()
            if self._stopping.is_set():
                return
            log.warning("process.crashed", module=child.module, code=code)
            if self._crashes_too_often(child):
                message = (
                    f"{child.module} ended {CRASHES} times in a row; the lines above say why. Mend it and start again."
                )
                self._failure = ConfigurationError(message)
                stop.set()
                return
            pause_s = FIRST_PAUSE_S if time.monotonic() - began > LONGEST_PAUSE_S else min(pause_s * 2, LONGEST_PAUSE_S)
            await asyncio.sleep(pause_s)

    def _crashes_too_often(self, child: Child) -> bool:
        instant = time.monotonic()
        child.crashes.append(instant)
        return len(child.crashes) == CRASHES and instant - child.crashes[0] < CRASH_WINDOW_S

    async def _drain(self) -> None:
        """Ask every process to end, wait, and kill what does not."""
        running = [child.process for child in self._children if child.process and child.process.returncode is None]
        for process in running:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(self._config.drain_s + SETTLE_S):
                await asyncio.gather(*(process.wait() for process in running))
        except TimeoutError:
            for process in running:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
            log.warning("process.killed", reason="did not end in time")

    async def _tell_when_ready(self) -> None:
        """Print where to go once the pages and the LLM API answer."""
        began = time.monotonic()
        url = page_url(self._config)
        async with new_client() as http:
            for address in (f"{self._config.llm_api_url}/readyz", f"{local_url(self._config)}/healthz"):
                await _until_it_answers(http, address)
        log.info("serve.ready", url=url, seconds=round(time.monotonic() - began, 2))
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
