"""An answer that is still being written, with the tools that are used for it: text, steps, text again."""

from collections.abc import Sequence

from llm_ui.contract.steps import Step
from llm_ui.kit.markdown import Change, GrowingText
from llm_ui.services.steps import step_html, used_tool


class GrowingAnswer:
    """Its blocks: those that will not change any more, the last steps, and the text after them, which grows."""

    def __init__(self) -> None:
        self._closed: list[str] = []
        self._steps: list[Step] = []
        self._drawn: list[str] = []
        self._text = GrowingText()
        self._start = 0
        self._taken = 0

    def is_quick(self, text: str, steps: Sequence[Step]) -> bool:
        """Return whether the next update may be made on an event loop."""
        is_same = list(steps[self._taken - len(self._steps) :]) == self._steps
        return is_same and self._text.is_quick(text[self._start :])

    def all_blocks(self) -> list[str]:
        """Return every block as it stands."""
        return [*self._closed, *self._drawn, *self._text.all_blocks()]

    def update(self, text: str, steps: Sequence[Step], *, is_last: bool) -> Change:
        """Take the text and the steps so far; return what changed."""
        last = list(steps[self._taken - len(self._steps) :])
        if last == self._steps:
            head = len(self._closed) + len(self._drawn)
            rest = text[self._start :]
            change = self._text.finish(rest) if is_last else self._text.update(rest)
            return Change(head + change.start, change.blocks, change.code)
        before = self.all_blocks()
        self._take(text, last)
        rest = text[self._start :]
        if is_last:
            self._text.finish(rest)
        else:
            self._text.update(rest)
        after = self.all_blocks()
        same = next((n for n, pair in enumerate(zip(before, after, strict=False)) if pair[0] != pair[1]), None)
        start = min(len(before), len(after)) if same is None else same
        return Change(start, tuple(after[start:]))

    def _take(self, text: str, last: list[Step]) -> None:
        """Take steps that are new or other than they were; what stands before a new one will not change."""
        self._taken += len(last) - len(self._steps)
        self._steps = []
        self._drawn = []
        for step in last:
            if text[self._start : step.at].strip():
                self._text.finish(text[self._start : step.at])
                self._closed += [*self._drawn, *self._text.all_blocks()]
                self._steps, self._drawn, self._text = [], [], GrowingText()
            self._start = max(self._start, step.at)
            self._steps.append(step)
            self._drawn.append(step_html(used_tool(step)))
