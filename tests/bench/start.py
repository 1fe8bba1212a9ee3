"""From `llm-ui serve` to ready, and what it holds when idle."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import PIPE

import psutil

from tests.bench.figures import Line, memory_mb, ratio
from tests.product import Product, running, wait_until

BEGUN = "worker.started"
RAW = "import panel, fastapi, uvicorn, sqlalchemy.ext.asyncio"


def measure(folder: Path) -> list[Line]:
    """Measure a first start (migrations and seed included), a second one, and idle memory."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", RAW], check=True)
    raw_s = time.perf_counter() - began
    product = Product(folder / "data")
    lines: list[Line] = []
    for what in ("`llm-ui serve` to ready, empty data folder", "`llm-ui serve` to ready, second start"):
        worker_runs, began = _worker_runs(product), time.perf_counter()
        with running(product):
            took_s = time.perf_counter() - began
            # It begins once the others are ready.
            wait_until(worker_runs, "the worker to start", 30)
            lines.append((what, f"{took_s:.1f} s", f"{raw_s:.1f} s (imports)", ratio(took_s, raw_s), "4 s"))
            idle_mb = memory_mb(product.processes())
    raw_mb = 4 * bare_python_mb()
    lines.append(
        (
            "memory, all processes idle",
            f"{idle_mb:.0f} MB",
            f"{raw_mb:.0f} MB (4 bare Pythons)",
            ratio(idle_mb, raw_mb),
            "300 MB",
        )
    )
    return lines


def _worker_runs(product: Product) -> Callable[[], bool]:
    """Return a test for whether the worker has begun since."""
    before = product.log().count(BEGUN)
    return lambda: product.log().count(BEGUN) > before


def bare_python_mb() -> float:
    """Return the proportional set size of a Python that does nothing."""
    with subprocess.Popen([sys.executable, "-c", "print(flush=True); input()"], stdin=PIPE, stdout=PIPE) as python:
        assert python.stdout is not None
        python.stdout.readline()
        return memory_mb([psutil.Process(python.pid)])
