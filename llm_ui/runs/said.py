"""Answers for which tools were used, as a model is sent them later: as its protocol has calls, or in words."""

import itertools
import json
from collections.abc import Iterator, Sequence

from llm_ui.contract.steps import Step
from llm_ui.providers.base import PromptMessage, ToolCall, ToolResult

EARLIER_CHARS = 2_000
"""Of a result, from its beginning, once its answer is written."""
STOPPED = "The answer was stopped before the tool was done."
BROKEN_OFF = "(The answer ended here.)"
"""What stands for the text that never came: a result without an answer after it is refused by some."""


def shortened(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Return the steps as they are sent once their answer is written."""
    return tuple(_shortened(step) for step in steps)


def _shortened(step: Step) -> Step:
    left = len(step.result) - EARLIER_CHARS
    if left <= 0:
        return step
    return step.model_copy(update={"result": f"{step.result[:EARLIER_CHARS]}\n… {left} more characters"})


def with_steps(text: str, steps: Sequence[Step], place: int, *, as_calls: bool) -> list[PromptMessage]:
    """Return an answer as it was made; `place` is that of the answer in the conversation, for ids that are unique."""
    if as_calls:
        return list(_as_calls(text, steps, place))
    return [PromptMessage("assistant", _in_words(text, steps))]


def _as_calls(text: str, steps: Sequence[Step], place: int) -> Iterator[PromptMessage]:
    told = 0
    for (_, at), together in itertools.groupby(steps, lambda step: (step.round, step.at)):
        called = list(together)
        yield PromptMessage(
            "assistant",
            text[told:at].strip(),
            calls=tuple(ToolCall(_id(place, step), step.name, step.arguments) for step in called),
        )
        results = tuple(ToolResult(_id(place, step), step.name, _gave(step), _is_error(step)) for step in called)
        yield PromptMessage("user", "", results=results)
        told = at
    yield PromptMessage("assistant", text[told:].strip() or BROKEN_OFF)


def _in_words(text: str, steps: Sequence[Step]) -> str:
    parts, told = [], 0
    for step in steps:
        parts += [text[told : step.at].strip(), f"[The tool {step.name} was used with {_told(step)}: {_gave(step)}]"]
        told = step.at
    return "\n\n".join(part for part in (*parts, text[told:].strip()) if part)


def _told(step: Step) -> str:
    return json.dumps(step.arguments or {}, ensure_ascii=False)


def _gave(step: Step) -> str:
    return step.result or STOPPED


def _is_error(step: Step) -> bool:
    return step.state != "done"


def _id(place: int, step: Step) -> str:
    """Return an id in the form that every provider takes: Mistral wants nine letters or digits."""
    return f"{place % 10_000:04d}{step.number % 100_000:05d}"
