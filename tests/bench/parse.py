"""What reading documents costs: a PDF in a process of its own beside pypdf alone, and passages of its text."""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from io import BytesIO
from pathlib import Path

import psutil
from pypdf import PdfReader

from llm_ui.documents.chunk import chunks
from llm_ui.documents.sandbox import read_file
from llm_ui.kit.reading import Block, BlockKind, Page
from tests.bench.figures import Line, both, ratio
from tests.documents.pdf_files import book

PAGES = (3, 50, 500)
ROUNDS = 5
BEAT_S = 0.005
SENTENCE = "The pump is to be oiled every year, or it will wear out and cost 400 euro. "
TEXT_CHARS = 10_000_000


def measure(folder: Path) -> list[Line]:
    """Measure with books of plain prose, the shortest of some rounds each; what makes processes is there already."""
    found: list[Line] = []
    delays: list[float] = []
    grown_mb = 0.0
    for pages in PAGES:
        content = book(pages)
        path = folder / f"book{pages}.pdf"
        path.write_bytes(content)
        asyncio.run(_read(path))
        raw_s, ours_s = [], []
        for _ in range(ROUNDS):
            raw_s.append(_seconds(partial(_raw, content)))
            before = psutil.Process().memory_info().rss
            began = time.perf_counter()
            delays += asyncio.run(_read(path))
            ours_s.append(time.perf_counter() - began)
            grown_mb = max(grown_mb, (psutil.Process().memory_info().rss - before) / 1e6)
        raw, ours = min(raw_s), min(ours_s)
        found.append((f"PDF of {pages:,} pages read, with its process (raw: pypdf in this one; ratio of speed)",
                      f"{ours:.3f} s", f"{raw:.3f} s", ratio(raw, ours), "0.8"))  # fmt: skip
    passages_s = _seconds(_cut)
    return [
        *found,
        ("… delay of the event loop meanwhile, p50 / p95", both(delays), "", "", "50 ms"),
        ("… memory that this process takes for it", f"{grown_mb:.1f} MB", "", "", "flat"),
        ("10 MB of text cut into passages", f"{passages_s:.2f} s", "", "", "a few seconds"),
    ]  # fmt: skip


def _raw(content: bytes) -> None:
    for page in PdfReader(BytesIO(content)).pages:
        page.extract_text()


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


async def _read(path: Path) -> list[float]:
    """Read the file; return by how much the loop was late meanwhile."""
    delays: list[float] = []

    async def beat() -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(BEAT_S)
            delays.append(time.perf_counter() - began - BEAT_S)

    beating = asyncio.create_task(beat())
    async for _ in read_file(path, "book.pdf"):
        pass
    beating.cancel()
    return delays


def _cut() -> None:
    text = SENTENCE * 20
    count = TEXT_CHARS // len(text)
    pages = (Page(number, (Block(BlockKind.TEXT, text),)) for number in range(1, count + 1))
    for _ in chunks(pages):
        pass
