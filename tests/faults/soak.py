"""A soak: people and scripts ask all the time, and every few seconds something breaks.

`python -m tests.faults.soak --seconds 600` prints what was done, what memory and open files came to, and every
invariant that did not hold; its exit code says whether all did. A short one is a part of the tests. The faults are
those of providers (stalls, resets, refusals, nonsense), of processes (each killed), of the database (locked, a full
disk where mounting is allowed), and of those who ask (slow, gone, with a key that was revoked).
"""

import argparse
import asyncio
import contextlib
import itertools
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import httpx2
import psutil

from llm_ui.db import Database
from llm_ui.errors import LLMUIError
from llm_ui.kit.ids import RunId
from llm_ui.kit.money import to_picodollars
from llm_ui.llm_client import LLMClient, UserClient
from llm_ui.services.budgets import release_lost
from llm_ui.services.secrets import load_secrets
from tests.fakes.provider import SSE, End, FakeProvider, Received, Reply, answer, models, reply
from tests.faults.test_kill import Asked, ask, kill, live_runs, lost_or_doubled
from tests.faults.verifier import verify
from tests.product import Product, wait_until

GOOD, BAD = "gpt-4o-mini", "gpt-4o"
"""Models of two providers: one that answers, one that breaks down in all ways."""
ASK_EVERY_S = 0.25
FAULT_EVERY_S = 3.0
PIECES, PIECE_S = 40, 0.02
OK = 200
PAID = "SELECT cost_usd FROM usage_logs WHERE key_id IN (SELECT id FROM api_keys WHERE name = 'soak')"
"""Those that are revoked meanwhile have no budget."""
MODULES = ("llm_ui.app", "llm_ui.api", "llm_ui.worker")
MOST_LEFT = 12
"""Calls of scripts that may be under way when the LLM API is killed."""
MORE_FILES, MORE_MB = 24, 60.0
"""By how much a process that rests may have grown since it rested after the first questions."""
STATUSES = {"too many": 429, "broken": 500, "unavailable": 503, "refused": 400}
ENDS: dict[str, End] = {"reset": "reset", "cut": "close", "stall in the middle": "hang"}
PROVIDER_FAULTS = (*STATUSES, *ENDS, "stall", "nonsense", "a page", "no words")


def said(request: Received) -> Reply:
    """Answer well, or break down in the way that the question names."""
    if request.method == "GET":
        return models(request)
    whole = answer("openai", [f"w{number} " for number in range(PIECES)])
    if request.json()["model"] == GOOD:
        return reply("openai", whole, delay_s=PIECE_S)
    text = request.body.decode()
    fault = next((name for name in PROVIDER_FAULTS if f"<{name}>" in text), "broken")
    if fault in STATUSES:
        headers = {"Content-Type": "application/json", "Retry-After": "1"}
        return Reply([b'{"error": {"message": "no"}}'], status=STATUSES[fault], headers=headers)
    if fault in ENDS:
        return Reply(whole[:10], delay_s=PIECE_S, end=ENDS[fault])
    if fault == "stall":
        return Reply((), end="hang")
    if fault == "a page":
        return Reply([b"<html>Sign in</html>"], headers={"Content-Type": "text/html"})
    return Reply([b"data: {nonsense\n\n"] if fault == "nonsense" else whole[-1:], headers={"Content-Type": SSE})


@dataclass
class Soak:
    """One soak and what came of it."""

    product: Product
    client: UserClient
    key: str
    chance: random.Random
    asked: list[Asked] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    under_way: set[asyncio.Task[object]] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    figures: list[str] = field(default_factory=list)

    async def run(self, seconds: float, faults: dict[str, Callable[[], Awaitable[None]]]) -> None:
        """Ask for so long while one fault follows the other, then look at what is left."""
        await self._ask_for(2.0)
        before = await self._at_rest()
        asking = asyncio.create_task(self._ask_for(seconds))
        order = self._order(faults)
        while not asking.done():
            name = next(order)
            self.faults[name] += 1
            began = time.monotonic()
            await faults[name]()
            await asyncio.wait({asking}, timeout=max(0.0, FAULT_EVERY_S - (time.monotonic() - began)))
        await asking
        after = await self._at_rest()
        self._compare(before, after)

    def _order(self, faults: dict[str, Callable[[], Awaitable[None]]]) -> "itertools.chain[str]":
        """Return the faults in rounds, each in another order."""
        names = list(faults)
        return itertools.chain.from_iterable(self.chance.sample(names, len(names)) for _ in itertools.count())

    async def _ask_for(self, seconds: float) -> None:
        deadline, ids = time.monotonic() + seconds, {name: self.product.model(name) for name in (GOOD, BAD)}
        for number in itertools.count():
            if time.monotonic() > deadline:
                break
            fault = self.chance.choice(PROVIDER_FAULTS)
            is_bad = number % 4 == 3
            mark = f"{len(self.asked)} of many" + (f" <{fault}>" if is_bad else "")
            if number % 2:
                one = Asked(key=f"soak-question-{len(self.asked)}", text=f"Question {mark}")
                self.asked.append(one)
                self._begin(ask(self.client, one, ids[BAD if is_bad else GOOD]))
            else:
                how = self.chance.choice(("whole", "whole", "slow", "gone"))
                self._begin(self._call(self.key, how, BAD if number % 8 == 6 else GOOD, f"Call {mark} <{fault}>"))
            await asyncio.sleep(ASK_EVERY_S)

    def _begin(self, work: Coroutine[object, object, object]) -> None:
        task = asyncio.create_task(work)
        self.under_way.add(task)
        task.add_done_callback(self.under_way.discard)

    async def _call(self, key: str, how: str, model: str, text: str) -> int:
        """Ask as a script does: to the end, slowly, or going away in the middle. Return the status, 0 for none."""
        self.calls[how] += 1
        body = {"model": model, "messages": [{"role": "user", "content": text}], "stream": True, "max_tokens": 100}
        status = 0
        with contextlib.suppress(httpx2.HTTPError, TimeoutError):
            async with asyncio.timeout(60), httpx2.AsyncClient(trust_env=False, timeout=30) as http:
                address = f"{self.product.config.llm_api_url}/v1/chat/completions"
                headers = {"Authorization": f"Bearer {key}"}
                async with http.stream("POST", address, json=body, headers=headers) as stream:
                    status = stream.status_code
                    self.calls[f"status {status}"] += 1
                    async for _ in stream.aiter_lines():
                        if how == "gone":
                            break
                        await asyncio.sleep(0.05 if how == "slow" else 0)
        return status

    async def revoke(self) -> None:
        """Revoke a key while it is used; a second later it must open nothing."""
        prefix, key = await asyncio.to_thread(self._a_key)
        call = asyncio.create_task(self._call(key, "revoked meanwhile", GOOD, "Call that is cut off"))
        await asyncio.sleep(0.3)
        await asyncio.to_thread(self.product.command, "keys", "revoke", prefix)
        await call
        await asyncio.sleep(1.0)
        if await self._call(key, "revoked", GOOD, "Call that is refused") == OK:
            self.problems.append(f"the revoked key {prefix} was let in")

    def _a_key(self) -> tuple[str, str]:
        key = self.product.command("keys", "create", "soon gone", "--user", "ann").strip()
        with self.product.connection() as connection:
            (prefix,) = connection.execute("SELECT prefix FROM api_keys ORDER BY created_at DESC LIMIT 1").fetchone()
        return prefix, key

    async def lock(self) -> None:
        """Hold the database as another process would, for two seconds."""

        def hold() -> None:
            with self.product.connection() as connection:
                connection.execute("BEGIN IMMEDIATE")
                time.sleep(2)
                connection.rollback()

        await asyncio.to_thread(hold)

    async def fill(self) -> None:
        """Leave no room on the disk for two seconds."""
        ballast = self.product.folder / "ballast"

        def take_all() -> None:
            with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
                while True:
                    file.write(b"x" * 65_536)

        try:
            await asyncio.to_thread(take_all)
            await asyncio.sleep(2)
        finally:
            ballast.unlink()

    async def stop_one(self) -> None:
        """Stop the answer that was asked for last, if it is still being written."""
        answer_id = next((one.answer_id for one in reversed(self.asked) if one.answer_id and not one.ended), None)
        if answer_id is None:
            return
        with self.product.connection() as connection:
            (run_id,) = connection.execute("SELECT id FROM runs WHERE answer_id = ?", [answer_id.hex]).fetchone()
        # It may end by itself just now.
        with contextlib.suppress(LLMUIError):
            await self.client.stop(RunId(UUID(run_id)))

    async def _at_rest(self) -> dict[str, tuple[int, float]]:
        """Wait until everybody has an answer and nothing runs; return open files and megabytes of each process."""
        while self.under_way:
            await asyncio.wait(self.under_way)
        # Whoever was not told that the question is stored sends it once more with its key, as a page does.
        ids = self.product.model(GOOD)
        await asyncio.gather(*(ask(self.client, one, ids) for one in self.asked if not one.is_stored))
        await asyncio.to_thread(wait_until, lambda: not live_runs(self.product.folder), "every run to end", 60)
        await self._settle()
        await asyncio.to_thread(wait_until, lambda: self._is_calm(), "sockets to be closed", 60)
        return {name: self._size(self.product.child(name)) for name in MODULES}

    async def _settle(self) -> None:
        """Let what is set aside be settled, and what killed processes left behind be given back as after an hour."""
        with contextlib.suppress(AssertionError):
            await asyncio.to_thread(wait_until, lambda: not self._reserved(), "what is set aside to be settled", 5)
        left = self._reserved()
        self.figures.append(f"set aside by processes that were killed: {left}")
        if left > MOST_LEFT * self.faults["llm_ui.api killed"]:
            self.problems.append(f"{left} calls were never settled")
        with self.product.connection() as connection:
            connection.execute("UPDATE budget_reservations SET created_at = '2020-01-01 00:00:00.000000'")
        database = Database.open(self.product.config)
        async with database.writing() as session:
            await release_lost(session)
        await database.close()

    def _is_calm(self) -> bool:
        """Return whether the LLM API has closed every connection whose other end has gone."""
        return not self._connections(self.product.child("llm_ui.api"), psutil.CONN_CLOSE_WAIT)

    def _size(self, process: psutil.Process) -> tuple[int, float]:
        """Return open files and megabytes, without the connections to the LLM API that wait for the next question."""
        waiting = self._connections(process, psutil.CONN_ESTABLISHED)
        return process.num_fds() - waiting, process.memory_full_info().uss / 1e6

    def _connections(self, process: psutil.Process, status: str) -> int:
        """Return how many connections from or to the LLM API a process has in this state."""
        found = [one for one in process.net_connections("tcp") if one.status == status]
        ends = [{end.port for end in (one.laddr, one.raddr) if end} for one in found]
        return sum(self.product.config.api_port in each for each in ends)

    def _reserved(self) -> int:
        with self.product.connection() as connection:
            (count,) = connection.execute("SELECT count(*) FROM budget_reservations").fetchone()
        return int(count)

    def _compare(self, before: dict[str, tuple[int, float]], after: dict[str, tuple[int, float]]) -> None:
        for name in MODULES:
            (files, mb), (more_files, more_mb) = before[name], after[name]
            self.figures.append(f"{name}: {files} -> {more_files} open files, {mb:.0f} -> {more_mb:.0f} MB")
            if more_files > files + MORE_FILES or more_mb > mb + MORE_MB:
                self.problems.append(f"{name} has grown: {self.figures[-1]}")

    def verify(self) -> None:
        """Note every invariant that does not hold, of a product that rests."""
        self.problems += verify(self.product.folder / "llm-ui.db").problems
        self.problems += lost_or_doubled(self.product.folder, [(one, 0.0) for one in self.asked])
        self.problems += [f"{one.text!r} was never said to be stored" for one in self.asked if not one.is_stored]
        with self.product.connection() as connection:
            for name, reserved in connection.execute("SELECT scope, reserved_usd FROM budgets"):
                if reserved:
                    self.problems.append(f"a budget of {name} has {reserved} set aside for nothing")
            (spent,) = connection.execute("SELECT spent_usd FROM budgets WHERE scope = 'key'").fetchone()
            costs = connection.execute(PAID).fetchall()
        paid = sum(cost for (cost,) in costs if cost is not None)
        self.figures.append(f"paid with keys: {len(costs)} calls, {paid}; their budget says {spent}")
        if not paid or spent != paid:
            self.problems.append(f"the budget of the key says {spent}, its calls cost {paid}")
        audit = self.product.command("audit", "verify")
        if "is whole" not in audit:
            self.problems.append(audit)


def _faults(soak: Soak, *, may_fill: bool) -> dict[str, Callable[[], Awaitable[None]]]:
    def killing(module: str) -> Callable[[], Awaitable[None]]:
        return lambda: asyncio.to_thread(kill, soak.product, module)

    faults: dict[str, Callable[[], Awaitable[None]]] = {f"{module} killed": killing(module) for module in MODULES}
    faults |= {"database locked": soak.lock, "key revoked": soak.revoke, "answer stopped": soak.stop_one}
    if may_fill:
        faults["disk full"] = soak.fill
    return faults


async def _soak(product: Product, seconds: float, seed: int, *, may_fill: bool) -> Soak:
    async with FakeProvider(said) as fake:
        for name in (GOOD, BAD):
            await asyncio.to_thread(
                product.command, "providers", "add", name, "--type", "openai", "--url", fake.base_url("openai"),
                "--key-stdin", "--model", name, text="k",
            )  # fmt: skip
        with product.connection() as connection:
            priced = to_picodollars(Decimal(20))
            connection.execute("UPDATE ai_models SET input_usd_per_mtok = ?, output_usd_per_mtok = ?", [priced] * 2)
        await asyncio.to_thread(product.start)
        try:
            llm = LLMClient(product.config.llm_api_url, load_secrets(product.config).signer)
            key = product.command("keys", "create", "soak", "--user", "ann", "--budget", "1000").strip()
            soak = Soak(product, llm.signed_in(*product.sign_in("ann")), key, random.Random(seed))
            await soak.run(seconds, _faults(soak, may_fill=may_fill))
            soak.verify()
            await llm.aclose()
            everyone = product.processes()
        finally:
            code = await asyncio.to_thread(product.stop)
        _, alive = psutil.wait_procs(everyone, timeout=10)
        soak.problems += [f"outlived serve: {one}" for one in alive]
        if code:
            soak.problems.append(f"serve ended with {code}")
        return soak


def soak(folder: Path, seconds: float, seed: int, *, may_fill: bool) -> Soak:
    """Soak a product with a data folder of its own; return what came of it."""
    settings = {"first_byte_timeout_s": "2", "idle_timeout_s": "2", "total_timeout_s": "20"}
    product = Product(folder / "data", **settings)
    product.add_person("ann")
    return asyncio.run(_soak(product, seconds, seed, may_fill=may_fill))


@contextlib.contextmanager
def disk(folder: Path, size_mb: int = 400) -> Iterator[bool]:
    """Make the folder a small file system of its own; yields whether that is allowed."""
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_mb}m", "tmpfs", folder], check=False)
    try:
        yield made.returncode == 0
    finally:
        if made.returncode == 0:
            subprocess.run(["umount", folder], check=True)


def main() -> int:
    """Soak for as long as the command line says; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="llm-ui-soak-") as name:
        folder = Path(name) / "disk"
        folder.mkdir()
        with disk(folder) as may_fill:
            done = soak(folder, given.seconds, given.seed, may_fill=may_fill)
    print(f"{len(done.asked)} questions, calls {dict(done.calls)}, faults {dict(done.faults)}")
    print(*done.figures, sep="\n")
    print(*(f"BROKEN: {problem}" for problem in done.problems), sep="\n")
    return 1 if done.problems else 0


if __name__ == "__main__":
    sys.exit(main())
