"""The tools that were used for one answer, in their order, as they are told and written down."""

import time
from collections.abc import Iterable, Iterator, Sequence

from llm_ui.contract import ToolCallEvent, ToolResultEvent
from llm_ui.contract.steps import Step
from llm_ui.kit.text import storable
from llm_ui.kit.token_count import estimate
from llm_ui.models import ChatMessage
from llm_ui.providers.base import ToolCall
from llm_ui.runs.event_log import Wire, wire

AROUND = 20
"""Tokens of what a protocol puts around a call and its result."""


class Steps:
    """Those of one answer."""

    def __init__(self, before: Sequence[Step]) -> None:
        self.all = list(before)
        """In the order they were called; those of an answer that is continued first."""
        self._since: dict[int, float] = {}

    def begin(self, call: ToolCall, round_number: int, at: int) -> Step:
        """A tool begins to work."""
        name = storable(call.name)
        number = len(self.all) + 1
        step = Step(number=number, round=round_number, at=at, name=name, arguments=clean(call.arguments))
        self.all.append(step)
        self._since[number] = time.monotonic()
        return step

    def end(self, step: Step, result: str, *, is_error: bool) -> Step:
        """The tool is done."""
        return self._put(step, state="failed" if is_error else "done", result=storable(result))

    def stop(self) -> tuple[Step, ...]:
        """The run has ended: return those that were still at work, which come to nothing."""
        working = [step for step in self.all if step.state == "running"]
        return tuple(self._put(step, state="stopped") for step in working)

    def listed(self) -> list[dict[str, object]]:
        """Return them as a message keeps them."""
        return [step.model_dump(mode="json") for step in self.all]

    def _put(self, step: Step, **changes: object) -> Step:
        ms = round((time.monotonic() - self._since[step.number]) * 1000, 1)
        self.all[step.number - 1] = done = step.model_copy(update={**changes, "ms": ms})
        return done


def clean(value: dict[str, object] | None) -> dict[str, object] | None:
    """Return arguments without what no database holds."""
    return None if value is None else {storable(name): _clean(each) for name, each in value.items()}


def _clean(value: object) -> object:
    match value:
        case str():
            return storable(value)
        case dict():
            return {storable(str(name)): _clean(each) for name, each in value.items()}
        case list():
            return [_clean(each) for each in value]
        case float() if value != value or value in (float("inf"), float("-inf")):
            return str(value)
        case _:
            return value


def steps_of(message: ChatMessage) -> tuple[Step, ...]:
    """Return the steps of a stored answer."""
    return tuple(Step.model_validate(step) for step in message.steps or ())


def tokens_of(steps: Iterable[Step]) -> int:
    """Return the estimated tokens of calls and results."""
    return sum(estimate(str(step.arguments)) + estimate(step.result) + AROUND for step in steps)


def interleaved(text: str, steps: Sequence[Step]) -> Iterator[Wire]:
    """Yield an answer so far as few events: its text, with each step where it stands."""
    told = index = 0
    for step in steps:
        if text[told : step.at]:
            yield "token", {"token": text[told : step.at], "index": index, "offset": told}
            told, index = step.at, index + 1
        yield from events(step)
    if text[told:]:
        yield "token", {"token": text[told:], "index": index, "offset": told}


def events(step: Step) -> Iterator[Wire]:
    """Yield the events of a step as it stands."""
    begun = step.model_copy(update={"state": "running", "result": "", "ms": None})
    yield wire(ToolCallEvent(step=begun))
    if step.state != "running":
        yield wire(ToolResultEvent(step=step))
