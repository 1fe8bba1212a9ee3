"""Tools that were used for an answer, as people read them: what was done, with what, and what came of it."""

import html
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from llm_ui.contract.steps import Step
from llm_ui.kit.block import calm
from llm_ui.kit.i18n import gettext, later, number, told
from llm_ui.kit.markdown import blocks

MAX_SHOWN_CHARS = 4_000
"""Of a result, from its beginning."""
MAX_VALUE_CHARS = 200
"""Of an argument."""
DOING = {
    "calculate": later("Calculating {expression}"),
    "current_time": later("Looking at the clock"),
    "search_documents": later("Searching the documents for {query}"),
    "read_document": later("Reading {document}"),
}
DONE = {
    "calculate": later("Calculated {expression}"),
    "current_time": later("Looked at the clock"),
    "search_documents": later("Searched the documents for {query}"),
    "read_document": later("Read {document}"),
}
"""By the tool; of one that nobody knows its name and arguments are told."""
OTHER = later("Used {name}")
ENDS = {"failed": later("failed"), "stopped": later("stopped"), "running": later("at work …")}
NO_RESULT = {
    "running": later("The tool is at work."),
    "stopped": later("The answer ended before the tool was done."),
    "done": later("What was found is not part of this copy."),
    "failed": later("The tool failed."),
}
OF_DOCUMENTS = ("search_documents", "read_document")


@dataclass(frozen=True, slots=True)
class UsedTool:
    """One of them."""

    at: int
    """Where it stands in the answer's text, in characters."""
    name: str
    arguments: tuple[tuple[str, str], ...]
    state: str
    result: str
    ms: float | None

    def kept(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "at": self.at, "name": self.name, "arguments": [list(pair) for pair in self.arguments],
            "state": self.state, "result": self.result, "ms": self.ms,
        }  # fmt: skip


def used_tools(steps: Iterable[dict[str, Any]] | None) -> tuple[UsedTool, ...]:
    """Return the steps of a message."""
    return tuple(used_tool(Step.model_validate(step)) for step in steps or ())


def used_tool(step: Step) -> UsedTool:
    """Return a step as people read it."""
    arguments = tuple((name, _short(str(value))) for name, value in (step.arguments or {}).items())
    return UsedTool(step.at, step.name, arguments, step.state, step.result, step.ms)


def kept_tool(kept: dict[str, Any]) -> UsedTool:
    """Return what `UsedTool.kept` gave."""
    return UsedTool(**{**kept, "arguments": tuple((name, value) for name, value in kept["arguments"])})


def without_documents(step: UsedTool) -> UsedTool:
    """Return a step as strangers may see it: without what documents hold."""
    return replace(step, result="") if step.name in OF_DOCUMENTS else step


def title(step: UsedTool, say: Callable[[str], str] = gettext) -> str:
    """Return what was done, in plain words."""
    values = {"expression": "…", "query": "…", "document": "…", **dict(step.arguments)}
    sentence = (DOING if step.state == "running" else DONE).get(step.name)
    if sentence is not None:
        known = {name: value for name, value in values.items() if name in ("expression", "query", "document")}
        return say(sentence).format(**known)
    told_with = ", ".join(f"{name}: {value}" for name, value in step.arguments)
    used = say(OTHER).format(name=step.name)
    return f"{used} ({told_with})" if told_with else used


def result(step: UsedTool, say: Callable[[str], str] = gettext) -> str:
    """Return what came of it: what the tool gave, else a sentence."""
    if not step.result:
        return say(NO_RESULT[step.state])
    if step.state == "failed":
        return told(step.result) if say is gettext else step.result
    left = len(step.result) - MAX_SHOWN_CHARS
    if left <= 0:
        return step.result
    more = say(later("{text} … and {count} more characters"))
    return more.format(text=step.result[:MAX_SHOWN_CHARS], count=number(left))


def answer_blocks(text: str, steps: Sequence[UsedTool]) -> list[str]:
    """Return an answer as safe HTML, block by block, with its steps where they stand."""
    return [block for piece in pieces(text, steps) for block in _blocks(piece)]


def pieces(text: str, steps: Sequence[UsedTool]) -> Iterator[str | UsedTool]:
    """Yield an answer's text with its steps between."""
    at = 0
    for step in steps:
        if text[at : step.at].strip():
            yield text[at : step.at]
        at = max(at, step.at)
        yield step
    if text[at:].strip():
        yield text[at:]


def _blocks(piece: str | UsedTool) -> list[str]:
    return blocks(piece) if isinstance(piece, str) else [step_html(piece)]


def step_html(step: UsedTool, say: Callable[[str], str] = gettext) -> str:
    """Return a step as safe HTML: a line that unfolds."""
    ends = say(ENDS[step.state]) if step.state in ENDS else ""
    time = "" if step.ms is None else span(step.ms)
    about = "".join(f' <span class="step-end">{html.escape(part)}</span>' for part in (ends, time) if part)
    done = f"<span>{_safe(title(step, say))}</span>"
    return (
        f'<details class="step {html.escape(step.state)}"><summary>{done}{about}</summary>'
        f'<pre tabindex="0">{_safe(result(step, say))}</pre></details>'
    )


def span(ms: float) -> str:
    """Return how long something took."""
    return f"{number(ms / 1000, '.2f')} s" if ms >= 1000 else f"{max(1, ms):.0f} ms"


def _safe(text: str) -> str:
    return calm(html.escape(text))


def _short(text: str) -> str:
    return text if len(text) <= MAX_VALUE_CHARS else f"{text[:MAX_VALUE_CHARS]}…"
