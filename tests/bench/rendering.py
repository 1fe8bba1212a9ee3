"""What an answer of mixed Markdown costs to draw: as it streams, frame by frame, and at once."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import psutil
from markdown_it import MarkdownIt

from llm_ui.chat.follow import AnswerFollower, Op
from llm_ui.contract import CompleteEvent, Metrics, TokenEvent, Usage
from llm_ui.kit.highlight import coloured
from llm_ui.kit.markdown import GrowingText, render
from llm_ui.llm_client import Numbered
from tests.bench.figures import Line, cpu_s, ms, ratio

PART = """## Step {n}: read the file

The function below reads **every** line of `data-{n}.csv` and keeps what [the docs](https://example.org/{n}) call a
*record*; it takes $O(n \\log n)$ time and about {n} MB of memory.

```python
def records(path: Path, limit: int = {n}) -> Iterator[Record]:
    \"\"\"Yield the records of a file.\"\"\"
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            if number >= limit:
                return
            yield Record(number, line.rstrip("\\n").split(","))
```

- it never holds the whole file
- a line that is broken is *skipped*, not guessed
  1. and counted

| figure | before | after |
|:-------|-------:|------:|
| lines  | {n}00  | {n}12 |
| MB     | 4.{n}  | 1.{n} |

> Measure it yourself: numbers of others are `hearsay`.

$$
\\sum_{{k=1}}^{{{n}}} k = \\frac{{{n}({n}+1)}}{{2}}
$$

"""
TOKENS = 1_000
CHARS = 4
"""Of a token, as providers count English and code."""
PER_FRAME = 4
"""Tokens between two batches for a page: 120 tokens a second at 30 batches a second."""
ROUNDS = 10
PACE_S = 0.02
"""Between two tokens for a page that is followed in real time."""


def measure(_folder: Path) -> list[Line]:
    """Measure in this process and the one that colours code, which is started first."""
    coloured("pass", "python")
    ourselves = psutil.Process()
    processes = [ourselves, *ourselves.children()]
    text = "".join(PART.format(n=number) for number in range(10))[: TOKENS * CHARS]
    plain = MarkdownIt("commonmark").enable("table")
    raw = _cpu(processes, lambda: plain.render(text))
    once = _cpu(processes, lambda: render(text))
    streamed = _cpu(processes, lambda: _stream(text))
    before = cpu_s(processes)
    asyncio.run(_follow(text))
    followed = cpu_s(processes) - before
    return [
        ("1,000 tokens of Markdown drawn as they stream, CPU (raw: markdown-it, once)", ms(streamed), ms(raw),
         ratio(streamed, raw), "100 ms"),
        ("… followed for a page at 50 tokens/s, CPU", ms(followed), ms(raw), ratio(followed, raw), ""),
        ("… drawn at once, CPU", ms(once), ms(raw), ratio(once, raw), "20 ms"),
    ]  # fmt: skip


def _stream(text: str) -> None:
    growing = GrowingText()
    for end in range(0, len(text), PER_FRAME * CHARS):
        growing.update(text[:end])
    growing.finish(text)


async def _follow(text: str) -> None:
    """Follow an answer as a page does: in real time, each change as JSON, each acknowledged at once."""

    def tell(op: Op) -> None:
        json.dumps(op)
        follower.acknowledged()

    follower = AnswerFollower(tell, lambda _: None, lambda _: None)
    await follower.follow(_tokens(text))


async def _tokens(text: str) -> AsyncGenerator[Numbered]:
    began = time.monotonic()
    for number, at in enumerate(range(0, len(text), CHARS)):
        await asyncio.sleep(began + number * PACE_S - time.monotonic())
        yield Numbered(number, TokenEvent(token=text[at : at + CHARS], index=number, offset=at))
    end = CompleteEvent(status="completed", finish_reason="stop", usage=Usage(), cost_usd=None, metrics=Metrics())
    yield Numbered(TOKENS, end)


def _cpu(processes: list[psutil.Process], work: Callable[[], object]) -> float:
    """Return the CPU seconds of all the processes for doing it once."""
    work()
    before = cpu_s(processes)
    for _ in range(ROUNDS):
        work()
    return (cpu_s(processes) - before) / ROUNDS
