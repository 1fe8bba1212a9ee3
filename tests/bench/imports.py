"""Bringing in thousands of chats of other products: time and peak memory, beside reading the same JSON at once."""

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.figures import Line, ratio
from tests.fakes.exports import as_json, chatgpt_chat, open_webui_chat
from tests.product import Product

CHATS = 5_000
SHAPES: dict[str, Callable[[int], dict[str, Any]]] = {"ChatGPT": chatgpt_chat, "Open WebUI": open_webui_chat}
RAW = "import json, sys; json.load(open(sys.argv[1], encoding='utf-8'))"
COMMAND = "import sys; from llm_ui.cli.main import main; sys.argv[0] = 'llm-ui'; main()"
COST = """
import atexit, pathlib, re, time
def told():
    # Not `ru_maxrss`, which begins with what the process that started this one held.
    peak = re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())
    print(time.process_time(), peak[1])
atexit.register(told)
"""


def measure(folder: Path) -> list[Line]:
    """Import each product's export into an empty database, in a process of its own."""
    lines: list[Line] = []
    for name, make in SHAPES.items():
        file = folder / f"{name}.json"
        file.write_bytes(as_json([make(number) for number in range(CHATS)]))
        product = Product(folder / f"data {name}")
        product.add_person("ann")
        raw = _run(product, RAW, str(file))
        ours = _run(product, COMMAND, "users", "import", "ann", str(file))
        what = f"{CHATS:,} chats of {name} brought in ({file.stat().st_size / 1e6:.0f} MB)"
        lines += [
            (what, f"{ours.wall_s:.0f} s", f"{raw.wall_s:.1f} s (json.load)", ratio(ours.wall_s, raw.wall_s), "60 s"),
            ("… CPU", f"{ours.cpu_s:.0f} s", f"{raw.cpu_s:.1f} s", ratio(ours.cpu_s, raw.cpu_s), ""),
            (
                "… peak memory",
                f"{ours.peak_mb:.0f} MB",
                f"{raw.peak_mb:.0f} MB",
                ratio(ours.peak_mb, raw.peak_mb),
                "300 MB",
            ),
        ]
    return lines


@dataclass(frozen=True)
class Cost:
    """What a process took: seconds by the clock and of CPU, and the most memory it held."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def _run(product: Product, code: str, *arguments: str) -> Cost:
    """Run Python code; return what it cost."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", COST + code, *arguments],
        env=product.environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    wall_s = time.perf_counter() - began
    cpu_s, peak_kb = done.stdout.split()[-2:]
    return Cost(wall_s, float(cpu_s), int(peak_kb) / 1e3)
