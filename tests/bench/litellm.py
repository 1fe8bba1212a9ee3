"""The API for scripts beside LiteLLM's proxy: the same provider, the same streams, one after the other.

The proxy is installed into the bench's own folder and left as it comes, with one worker, as our API is one process.
Its figures are in the column of the raw path.
"""

import asyncio
import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import psutil

from tests.bench.figures import Line, cpu_s, memory_mb, ms, percentile, ratio
from tests.bench.gateway import PIECES, Times, serving, streamed, times
from tests.fakes.postgresql import free_port
from tests.litellm import environment
from tests.product import FakeProvider, wait_until

MANY = 500
PER_S = 20
LONG_PIECES = 5 * PER_S
ROUNDS = 4
KEY = "sk-bench"


@dataclass(frozen=True)
class Figures:
    """What was measured of one server."""

    streams: Times
    cpu_s: float
    """For a stream."""
    per_s: float
    """Whole streams in a second."""
    late_s: float
    """By how much the 95th percentile of many slow streams ends later than the provider's own."""
    failed: int
    memory_mb: float


def measure(folder: Path) -> list[Line]:
    """Measure both, and the provider itself."""
    fast = FakeProvider(json.dumps({"pieces": PIECES, "delay_ms": 0}))
    slow = FakeProvider(json.dumps({"pieces": LONG_PIECES, "delay_ms": 1000 / PER_S}))
    providers = {"fake": fast, "slow": slow}
    try:
        raw = asyncio.run(_streams(fast.url, "k"))
        with serving(folder, providers) as (product, key):
            api = product.child("llm_ui.api")
            ours = asyncio.run(_figures(f"{product.config.llm_api_url}/v1", key, api))
        with _proxy(folder, providers) as (url, process):
            theirs = asyncio.run(_figures(url, KEY, process))
    finally:
        fast.stop()
        slow.stop()
    return _lines(ours, theirs, raw)


def _lines(ours: Figures, theirs: Figures, raw: Times) -> list[Line]:
    def added(share: float) -> Line:
        base = percentile([first for first, _ in raw], share)
        mine, other = (percentile([first for first, _ in one.streams], share) - base for one in (ours, theirs))
        what = f"beside LiteLLM: added to the first piece, 16 streams, p{share * 100:.0f}"
        return what, ms(mine), ms(other), ratio(mine, other), "< 1"

    def plain(what: str, mine: float, other: float, unit: str, budget: str = "< 1") -> Line:
        return f"beside LiteLLM: {what}", f"{mine:.1f} {unit}", f"{other:.1f} {unit}", ratio(mine, other), budget

    return [
        added(0.5),
        added(0.95),
        plain("CPU for a stream", ours.cpu_s * 1000, theirs.cpu_s * 1000, "ms"),
        plain("whole streams in a second, 16 at once", ours.per_s, theirs.per_s, "/s", "> 1"),
        plain(f"{MANY} streams × {PER_S}/s: later than they should end, p95", ours.late_s, theirs.late_s, "s"),
        plain(f"{MANY} streams × {PER_S}/s: that failed, and one", ours.failed + 1, theirs.failed + 1, ""),
        plain("memory after all that", ours.memory_mb, theirs.memory_mb, "MB"),
    ]


async def _streams(base: str, key: str) -> Times:
    async with _client(key) as http:
        return await times(http, base, ROUNDS)


async def _figures(base: str, key: str, process: psutil.Process) -> Figures:
    async with _client(key) as http:
        await times(http, base, 1)
        before, began = cpu_s([process]), time.perf_counter()
        streams = await times(http, base, ROUNDS)
        per_s = len(streams) / (time.perf_counter() - began)
        each = (cpu_s([process]) - before) / len(streams)
        ends = await asyncio.gather(*(streamed(http, base, "slow") for _ in range(MANY)), return_exceptions=True)
    good = [end for end in ends if not isinstance(end, BaseException)]
    late_s = percentile([taken for _, taken in good] or [0.0], 0.95) - LONG_PIECES / PER_S
    return Figures(streams, each, per_s, late_s, MANY - len(good), memory_mb([process]))


def _client(key: str) -> httpx2.AsyncClient:
    limits = httpx2.Limits(max_connections=MANY)
    return httpx2.AsyncClient(trust_env=False, timeout=120, limits=limits, headers={"Authorization": f"Bearer {key}"})


@contextmanager
def _proxy(folder: Path, providers: dict[str, FakeProvider]) -> Iterator[tuple[str, psutil.Process]]:
    """Run the proxy; gives its address and its process."""
    python = environment(folder / "litellm", "[proxy]")
    models = [
        {"model_name": name, "litellm_params": {"model": f"openai/{name}", "api_base": one.url, "api_key": "k"}}
        for name, one in providers.items()
    ]
    # JSON is YAML too.
    config = folder / "litellm.yaml"
    config.write_text(json.dumps({"model_list": models, "general_settings": {"master_key": KEY}}))
    port = free_port()
    command = [str(python.with_name("litellm")), "--config", str(config), "--port", str(port), "--host", "127.0.0.1"]
    with (folder / "litellm.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: _is_ready(url), "the proxy to be ready", 240)
        yield f"{url}/v1", psutil.Process(process.pid)
    finally:
        process.kill()
        process.wait()


def _is_ready(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/health/liveliness", trust_env=False).status_code == 200
    except httpx2.TransportError:
        return False
