"""What the API for scripts adds to the provider's own stream."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from tests.bench.figures import Line, cpu_s, ms, percentile, ratio
from tests.product import FakeProvider, Product, running

PIECES = 50
STREAMS = 16
ROUNDS = 12
Times = list[tuple[float, float]]
"""Seconds until the first piece and until the end, of each stream."""


def measure(folder: Path) -> list[Line]:
    """Measure the first piece, whole streams and CPU of a request, at 16 streams."""
    provider = FakeProvider(json.dumps({"pieces": PIECES, "delay_ms": 0}))
    try:
        with serving(folder, {"fake": provider}) as (product, key):
            keeping = product.command("keys", "create", "keeping", "--user", "ann", "--keep-answers").strip()
            return [*asyncio.run(_measure(product, provider, key)), *asyncio.run(_again(product, keeping))]
    finally:
        provider.stop()


@contextmanager
def serving(folder: Path, providers: dict[str, FakeProvider]) -> Iterator[tuple[Product, str]]:
    """Run a product whose models are those of the providers, by their names; gives it and a key."""
    most = {"key_requests_per_minute": "100000", "key_tokens_per_minute": "1000000000", "key_requests_at_once": "1000"}
    product = Product(folder / "data", **most)
    product.add_person("ann")
    for name, provider in providers.items():
        added = ("--type", "openai", "--url", provider.url, "--key-stdin", "--model", name)
        product.command("providers", "add", name, *added, text="k")
    key = product.command("keys", "create", "bench", "--user", "ann").strip()
    with running(product):
        yield product, key


async def streamed(http: httpx2.AsyncClient, base: str, model: str = "fake") -> tuple[float, float]:
    """Ask for a stream and read it."""
    body = {"model": model, "stream": True, "messages": [{"role": "user", "content": "go"}]}
    began, first = time.perf_counter(), 0.0
    async with http.sse(f"{base}/chat/completions", method="POST", json=body) as events:
        async for event in events:
            if not first and '"content":' in event.data and '"content": ""' not in event.data:
                first = time.perf_counter()
    return first - began, time.perf_counter() - began


async def times(http: httpx2.AsyncClient, base: str, rounds: int = ROUNDS) -> Times:
    """Ask for some rounds of streams that go on together."""
    found: Times = []
    for _ in range(rounds):
        found += await asyncio.gather(*(streamed(http, base) for _ in range(STREAMS)))
    return found


async def _again(product: Product, key: str) -> list[Line]:
    """Measure an answer that is given again beside one that is asked for, one after the other."""
    base, api = f"{product.config.llm_api_url}/v1", [product.child("llm_ui.api")]
    taken: list[tuple[list[float], float]] = []
    for headers in ({}, {"Cache-Control": "no-store"}):
        asking = {"Authorization": f"Bearer {key}", **headers}
        async with httpx2.AsyncClient(trust_env=False, timeout=60, headers=asking) as http:
            await times(http, base, 1)
            before = cpu_s(api)
            each = [(await streamed(http, base))[1] for _ in range(STREAMS * ROUNDS)]
            taken.append((each, (cpu_s(api) - before) / len(each)))
    (hits, hit_cpu), (misses, miss_cpu) = taken
    hit, miss = percentile(hits, 0.5), percentile(misses, 0.5)
    return [
        (f"scripts: {PIECES} pieces given again, p50 (raw: asked for)", ms(hit), ms(miss), ratio(hit, miss), ""),
        ("scripts: CPU of the LLM API for that", ms(hit_cpu), ms(miss_cpu), ratio(hit_cpu, miss_cpu), ""),
    ]


async def _measure(product: Product, provider: FakeProvider, key: str) -> list[Line]:
    async with httpx2.AsyncClient(trust_env=False, timeout=60, headers={"Authorization": f"Bearer {key}"}) as http:
        ours_at = f"{product.config.llm_api_url}/v1"
        await times(http, ours_at)
        api = [product.child("llm_ui.api")]
        raw, before = await times(http, provider.url), cpu_s(api)
        ours = await times(http, ours_at)
        each = (cpu_s(api) - before) / len(ours)

    def line(what: str, share: float, which: Callable[[tuple[float, float]], float], budget: str = "") -> Line:
        mine, theirs = (percentile(list(map(which, found)), share) for found in (ours, raw))
        return what, ms(mine), ms(theirs), ratio(mine, theirs), budget

    return [
        line("scripts: first piece, 16 streams, p50", 0.5, lambda taken: taken[0]),
        line("scripts: first piece, 16 streams, p95", 0.95, lambda taken: taken[0], "+5 ms"),
        line(f"scripts: whole stream of {PIECES} pieces, 16 streams, p50", 0.5, lambda taken: taken[1]),
        ("scripts: CPU of the LLM API for a stream", ms(each), "0", "", ""),
    ]
