"""What the API for scripts adds to the provider's own stream."""

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path

import httpx2

from tests.bench.figures import Line, cpu_s, ms, percentile, ratio
from tests.product import FakeProvider, Product, running

PIECES = 50
STREAMS = 16
ROUNDS = 12


def measure(folder: Path) -> list[Line]:
    """Measure the first piece, whole streams and CPU of a request, at 16 streams."""
    provider = FakeProvider(json.dumps({"pieces": PIECES, "delay_ms": 0}))
    product = Product(folder / "data", key_requests_per_minute="100000", key_tokens_per_minute="1000000000")
    product.add_person("ann")
    product.command(
        "providers",
        "add",
        "fake",
        "--type",
        "openai",
        "--url",
        provider.url,
        "--key-stdin",
        "--model",
        "fake",
        text="k",
    )
    key = product.command("keys", "create", "bench", "--user", "ann").strip()
    try:
        with running(product):
            return asyncio.run(_measure(product, provider, key))
    finally:
        provider.stop()


async def _measure(product: Product, provider: FakeProvider, key: str) -> list[Line]:
    async with httpx2.AsyncClient(trust_env=False, timeout=60, headers={"Authorization": f"Bearer {key}"}) as http:

        async def one(base: str) -> tuple[float, float]:
            body = {"model": "fake", "stream": True, "messages": [{"role": "user", "content": "go"}]}
            began, first = time.perf_counter(), 0.0
            async with http.sse(f"{base}/chat/completions", method="POST", json=body) as events:
                async for event in events:
                    if not first and '"content":' in event.data and '"content": ""' not in event.data:
                        first = time.perf_counter()
            return first - began, time.perf_counter() - began

        async def times(base: str) -> list[tuple[float, float]]:
            found: list[tuple[float, float]] = []
            for _ in range(ROUNDS):
                found += await asyncio.gather(*(one(base) for _ in range(STREAMS)))
            return found

        ours_at = f"{product.config.llm_api_url}/v1"
        await times(ours_at)
        api = [product.child("llm_ui.api")]
        raw, before = await times(provider.url), cpu_s(api)
        ours = await times(ours_at)
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
