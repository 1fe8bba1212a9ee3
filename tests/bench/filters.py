"""What safety filters of patterns add to a question, and what they find in the texts of tests/filters."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import httpx2

from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.models import FilterAction, FilterKind
from llm_ui.providers.base import Delta, Finish, Image, Prompt, PromptMessage, TextDelta
from llm_ui.runs.filters.guard import Guard
from llm_ui.runs.filters.policy import Policy
from llm_ui.services import filters
from llm_ui.services.access import SYSTEM
from llm_ui.services.filters import Options, Rule
from tests.bench.figures import Line, ms, percentile, ratio
from tests.bench.gateway import PIECES, serving
from tests.filters import figures
from tests.product import FakeProvider

ROUNDS = 12
ALONE = 1_000
EACH = 25
QUESTION = (
    "Please summarise the minutes of last Tuesday for ann.lee@example.org and call +49 30 1234567 if anything is open. "
    "The budget is 12,500 euros; the account is DE89 3704 0044 0532 0130 00. Answer in German, in five sentences."
)
TERMS = tuple(f"project heron {number}" for number in range(200))
"""As many as a list of an administrator might have."""
MASK, BLOCK, OFF = FilterAction.MASK, FilterAction.BLOCK, FilterAction.OFF
RULES = (
    Rule(FilterKind.INJECTION, BLOCK),
    Rule(FilterKind.PII, MASK, MASK),
    Rule(FilterKind.SECRETS, MASK, MASK),
    Rule(FilterKind.TERMS, BLOCK, BLOCK, Options(terms=TERMS)),
)
Taken = list[tuple[float, float]]


class Unseen:
    """Looks at no picture: there is none."""

    async def text(self, _image: Image) -> str:
        """Return nothing."""
        return ""

    async def flagged(self, _rule: Rule, _image: Image) -> frozenset[str]:
        """Return nothing."""
        return frozenset()


def measure(folder: Path) -> list[Line]:
    """Measure first pieces and whole streams with all filters of patterns and with none, by turns."""
    provider = FakeProvider(json.dumps({"pieces": PIECES, "delay_ms": 0}))
    try:
        with serving(folder, {"fake": provider}) as (product, key):
            taken = asyncio.run(_measure(product.config, key))
    finally:
        provider.stop()
    return [*_lines(*taken), _alone(), *_found()]


async def _measure(config: Config, key: str) -> tuple[Taken, Taken]:
    database = Database.open(config)
    found: tuple[Taken, Taken] = [], []
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx2.AsyncClient(trust_env=False, timeout=60, headers=headers) as http:
        for number in range(ROUNDS + 1):
            for is_on in (False, True):
                await _set(database, is_on=is_on)
                taken = [await _asked(http, f"{config.llm_api_url}/v1") for _ in range(EACH)]
                # The first round warms up.
                found[is_on].extend(taken if number else ())
    await database.close()
    return found


async def _set(database: Database, *, is_on: bool) -> None:
    async with database.writing() as session:
        for rule in RULES:
            await filters.change(session, SYSTEM, rule if is_on else Rule(rule.kind, OFF, OFF, rule.options))


async def _asked(http: httpx2.AsyncClient, base: str) -> tuple[float, float]:
    body = {"model": "fake", "stream": True, "messages": [{"role": "user", "content": QUESTION}]}
    began, first = time.perf_counter(), 0.0
    async with http.sse(f"{base}/chat/completions", method="POST", json=body) as events:
        async for event in events:
            if not first and '"content":' in event.data and '"content": ""' not in event.data:
                first = time.perf_counter()
    return first - began, time.perf_counter() - began


def _lines(without: Taken, filtered: Taken) -> list[Line]:
    def line(what: str, share: float, which: int) -> Line:
        ours, raw = (percentile([one[which] for one in taken], share) for taken in (filtered, without))
        return f"safety filters: {what}", f"{ms(ours)} ({(ours - raw) * 1000:+.2f})", ms(raw), ratio(ours, raw), "+2 ms"

    return [
        line("first piece, p50 (raw: none on)", 0.5, 0), line("first piece, p95", 0.95, 0),
        line(f"stream of {PIECES} pieces, p50", 0.5, 1), line(f"stream of {PIECES} pieces, p95", 0.95, 1),
    ]  # fmt: skip


def _alone() -> Line:
    """Return the CPU of the filters alone, for a question and its answer: a busy machine does not change it."""
    policy, pieces = Policy(RULES), [f"w{number} " for number in range(PIECES)]
    prompt = Prompt("fake", "Be brief.", (PromptMessage("user", QUESTION),))

    async def answer() -> AsyncGenerator[Delta]:
        for piece in pieces:
            yield TextDelta(piece)
        yield Finish("stop")

    async def drained(deltas: AsyncGenerator[Delta]) -> float:
        began = time.thread_time()
        async for _ in deltas:
            pass
        return time.thread_time() - began

    async def once() -> tuple[float, float]:
        guard = Guard(policy, unasked, lambda *_: None, Unseen())
        began = time.thread_time()
        await guard.sent(prompt)
        sent = time.thread_time() - began
        return sent + await drained(guard.answered(answer())), await drained(answer())

    async def unasked(_rule: Rule, texts: Sequence[str]) -> list[frozenset[str]]:
        return [frozenset()] * len(texts)

    async def many() -> list[tuple[float, float]]:
        return [await once() for _ in range(ALONE)]

    taken = asyncio.run(many())
    ours, raw = (percentile([one[which] for one in taken], 0.95) for which in (0, 1))
    what = f"safety filters alone: CPU of a question and {PIECES} pieces, p95"
    return what, f"{ours * 1000:.2f} ms", f"{raw * 1000:.2f} ms", "", "2 ms"


def _found() -> list[Line]:
    return [
        (
            f"safety filters: {name}, found of {one.attempts}", f"{one.found / one.attempts:.1%}", "", "",
            f"false alarms: {one.false} of {one.harmless}",
        )
        for name, one in figures.measure().items()
    ]  # fmt: skip
