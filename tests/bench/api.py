"""What the LLM API adds to the provider's own stream."""

import asyncio
import json
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import httpx2

from llm_ui.contract import ChatRequest, CompleteEvent, ErrorEvent, TokenEvent
from llm_ui.kit.ids import SessionId, UserId
from llm_ui.llm_client import LLMClient, UserClient
from llm_ui.services.secrets import load_secrets
from tests.bench.figures import Line, cpu_s, ms, percentile, ratio
from tests.product import FakeProvider, Product, running

SCRIPTS = {
    "instant": {"pieces": 3, "delay_ms": 0},
    "burst": {"pieces": 2_000, "delay_ms": 0},
    "paced": {"pieces": 150, "delay_ms": 20},
}
"""`paced` is 50 tokens a second for three seconds."""


@dataclass
class Bench:
    """A product with one person and one model for each script, and the raw addresses beside it."""

    product: Product
    client: UserClient
    models: dict[str, UUID]
    providers: dict[str, FakeProvider]
    raw: httpx2.AsyncClient

    async def ours(self, script: str) -> AsyncIterator[float]:
        """Ask through the LLM API; yield the moment of each piece."""
        request = ChatRequest(idempotency_key=uuid4().hex, text="go", model_id=self.models[script])
        async for numbered in self.client.chat_stream(request):
            if isinstance(numbered.event, TokenEvent):
                yield time.perf_counter()
            elif isinstance(numbered.event, CompleteEvent | ErrorEvent):
                assert isinstance(numbered.event, CompleteEvent), numbered.event

    async def direct(self, script: str) -> AsyncIterator[float]:
        """Ask the provider itself; yield the moment of each piece."""
        body = {"model": "fake", "stream": True, "messages": [{"role": "user", "content": "go"}]}
        async with self.raw.sse(f"{self.providers[script].url}/chat/completions", method="POST", json=body) as events:
            async for event in events:
                if event.data != "[DONE]" and json.loads(event.data)["choices"]:
                    yield time.perf_counter()


def measure(folder: Path) -> list[Line]:
    """Measure first-byte overhead, throughput, CPU and lag."""
    providers = {name: FakeProvider(json.dumps(script)) for name, script in SCRIPTS.items()}
    product = Product(folder / "data")
    product.add_person("ann")
    for name, provider in providers.items():
        product.add_provider(name, provider.url, name)
    try:
        with running(product):
            return asyncio.run(_measure(product, providers))
    finally:
        for provider in providers.values():
            provider.stop()


def sign_in(product: Product) -> tuple[UserId, SessionId]:
    """Put a live session of the only person in the database."""
    with sqlite3.connect(product.folder / "llm-ui.db") as connection:
        (user_id,) = connection.execute("SELECT id FROM users WHERE name = 'ann'").fetchone()
        connection.execute(
            "INSERT INTO user_sessions (id, user_id, token_hash, created_at, last_seen_at, expires_at, user_agent,"
            " address) VALUES (?, ?, 'x', datetime('now'), datetime('now'), '2099-01-01 00:00:00.000000', '', '')",
            ["0" * 31 + "1", user_id],
        )
    connection.close()
    return UserId(UUID(user_id)), SessionId(UUID(int=1))


def model_ids(product: Product) -> dict[str, UUID]:
    """Return the ids of all models by name."""
    with sqlite3.connect(product.folder / "llm-ui.db") as connection:
        rows = connection.execute("SELECT name, id FROM ai_models").fetchall()
    connection.close()
    return {name: UUID(model_id) for name, model_id in rows}


async def _measure(product: Product, providers: dict[str, FakeProvider]) -> list[Line]:
    llm = LLMClient(product.config.llm_api_url, load_secrets(product.config).signer)
    async with httpx2.AsyncClient(trust_env=False, timeout=60) as raw:
        bench = Bench(product, llm.signed_in(*sign_in(product)), model_ids(product), providers, raw)
        lines = [
            await _first_byte(bench, streams=1, share=0.5, budget="+2 ms"),
            await _first_byte(bench, streams=16, share=0.95, budget="+5 ms"),
            await _requests(bench),
            await _burst(bench),
            *await _paced(bench, streams=20),
            *await _paced(bench, streams=200),
        ]
    await llm.aclose()
    return lines


async def _first(pieces: AsyncIterator[float]) -> float:
    began, first = time.perf_counter(), 0.0
    async for at in pieces:
        first = first or at
    return first - began


async def _first_byte(bench: Bench, *, streams: int, share: float, budget: str) -> Line:
    async def times(ask: Callable[[str], AsyncIterator[float]]) -> list[float]:
        found: list[float] = []
        for _ in range(max(5, 100 // streams)):
            found += await asyncio.gather(*(_first(ask("instant")) for _ in range(streams)))
        return found

    await times(bench.ours)
    raw, ours = percentile(await times(bench.direct), share), percentile(await times(bench.ours), share)
    what = f"provider's first piece, {streams} at once, p{share * 100:.0f}"
    return what, ms(ours), ms(raw), ratio(ours, raw), budget


async def _timed(work: Awaitable[object]) -> float:
    began = time.perf_counter()
    await work
    return time.perf_counter() - began


async def _requests(bench: Bench) -> Line:
    count, at_once = 400, 16

    async def several(ask: Callable[[str], AsyncIterator[float]]) -> None:
        for _ in range(count // at_once):
            await _first(ask("instant"))

    async def all_of(ask: Callable[[str], AsyncIterator[float]]) -> None:
        await asyncio.gather(*(several(ask) for _ in range(at_once)))

    raw, ours = count / await _timed(all_of(bench.direct)), count / await _timed(all_of(bench.ours))
    return "whole requests a second, 16 at once", f"{ours:.0f}/s", f"{raw:.0f}/s", ratio(ours, raw), "600/s"


async def _burst(bench: Bench) -> Line:
    async def all_of(ask: Callable[[str], AsyncIterator[float]]) -> int:
        return sum([1 async for _ in ask("burst")])

    pieces = SCRIPTS["burst"]["pieces"]
    raw, ours = pieces / await _timed(all_of(bench.direct)), pieces / await _timed(all_of(bench.ours))
    return "streamed tokens a second, one stream", f"{ours:,.0f}/s", f"{raw:,.0f}/s", ratio(ours, raw), "20,000/s"


async def _paced(bench: Bench, *, streams: int) -> list[Line]:
    async def gaps(ask: Callable[[str], AsyncIterator[float]]) -> list[float]:
        async def one() -> list[float]:
            moments = [at async for at in ask("paced")]
            pace = SCRIPTS["paced"]["delay_ms"] / 1000
            return [max(0.0, at - moments[0] - number * pace) for number, at in enumerate(moments)]

        return [lag for lags in await asyncio.gather(*(one() for _ in range(streams))) for lag in lags]

    raw = percentile(await gaps(bench.direct), 0.95)
    api = [bench.product.child("llm_ui.api")]
    before = cpu_s(api)
    ours = percentile(await gaps(bench.ours), 0.95)
    per_thousand = (cpu_s(api) - before) / (streams * SCRIPTS["paced"]["pieces"]) * 1000
    what = f"{streams} streams × 50 tokens/s"
    return [
        (f"{what}, p95 lag", ms(ours), ms(raw), ratio(ours, max(raw, 1e-4)), "250 ms"),
        (f"{what}, CPU of the LLM API for 1,000 tokens", f"{per_thousand:.3f} s", "0", "", "0.1 s"),
    ]
