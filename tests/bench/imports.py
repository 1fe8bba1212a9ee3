"""Bringing in thousands of chats of other products: seconds and peak memory, beside reading the same JSON at once."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench.figures import Line, ratio
from tests.fakes.exports import as_json, chatgpt_chat, open_webui_chat
from tests.product import Product

CHATS = 5_000
SHAPES: dict[str, Callable[[int], dict[str, Any]]] = {"ChatGPT": chatgpt_chat, "Open WebUI": open_webui_chat}
RAW = "import json, sys; json.load(open(sys.argv[1], encoding='utf-8'))"
COMMAND = "import sys; from llm_ui.cli.main import main; sys.argv[0] = 'llm-ui'; main()"
PEAK = "\nimport atexit, resource; atexit.register(lambda: print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))\n"


def measure(folder: Path) -> list[Line]:
    """Import each product's export into an empty database, in a process of its own."""
    lines: list[Line] = []
    for name, make in SHAPES.items():
        file = folder / f"{name}.json"
        file.write_bytes(as_json([make(number) for number in range(CHATS)]))
        product = Product(folder / f"data {name}")
        product.add_person("ann")
        raw_s, raw_mb = _run(product, RAW, str(file))
        took_s, peak_mb = _run(product, COMMAND, "users", "import", "ann", str(file))
        what = f"{CHATS:,} chats of {name} brought in ({file.stat().st_size / 1e6:.0f} MB)"
        lines += [
            (what, f"{took_s:.0f} s", f"{raw_s:.1f} s (json.load)", ratio(took_s, raw_s), "60 s"),
            ("… peak memory", f"{peak_mb:.0f} MB", f"{raw_mb:.0f} MB", ratio(peak_mb, raw_mb), "300 MB"),
        ]
    return lines


def _run(product: Product, code: str, *arguments: str) -> tuple[float, float]:
    """Run Python code; return its seconds and the most memory it held, in MB."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", PEAK + code, *arguments],
        env=product.environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return time.perf_counter() - began, int(done.stdout.split()[-1]) / 1e3
