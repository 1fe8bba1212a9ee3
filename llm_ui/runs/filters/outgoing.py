"""An answer on its way through the filters: piece by piece, with no more held back than could become a finding."""

from collections.abc import Callable

from llm_ui.models import FilterAction, FilterKind
from llm_ui.runs.filters.base import Finding, apart
from llm_ui.runs.filters.masking import Placeholders, label, replaced
from llm_ui.runs.filters.policy import Policy
from llm_ui.runs.filters.stops import stopped

MAX_HELD_CHARS = 10_000
"""Longest piece that is held back: a private key; past it what is held is let go."""
STREAMED = frozenset({FilterAction.MASK, FilterAction.BLOCK})
"""What has to be done before a piece is shown; for the rest the whole answer is looked at in the end."""

Note = Callable[[Finding, FilterAction], None]


class Outgoing:
    """One text that a model writes."""

    def __init__(self, policy: Policy, placeholders: Placeholders, note: Note) -> None:
        self._policy = policy
        self._placeholders = placeholders
        self._note = note
        self._kinds = {kind: action for kind, action in policy.on_output.items() if action in STREAMED}
        self._detectors = [one for kind, one in policy.detectors.items() if kind in self._kinds]
        self._before = ""
        """The last character that was let go: a number does not begin behind a letter."""
        self._held = ""
        self.before_stop = ""
        """What came before a finding that ended the answer, as it can be shown; it was not returned."""

    def feed(self, piece: str) -> str:
        """Take in a piece; return what can be shown by now. Raises `ContentBlocked`."""
        self._held += piece
        return self._let_go(self._open_from())

    def end(self) -> str:
        """Return what was held back. Raises `ContentBlocked`."""
        return self._let_go(len(self._held))

    def whole(self, text: str) -> str:
        """Return a text that came at once, as it can be shown. Raises `ContentBlocked`."""
        findings = list(apart(self._policy.find(text, self._kinds)))
        if stop := self._noted(findings):
            raise stopped(stop.kind, is_output=True)
        return self._shown(text, findings)

    def _open_from(self) -> int:
        held = self._held
        at = self._placeholders.open_from(held)
        for detector in self._detectors:
            at = min(at, detector.open_from(held))
        return at if len(held) - at <= MAX_HELD_CHARS else len(held)

    def _let_go(self, at: int) -> str:
        if at == 0:
            return ""
        findings: list[Finding] = []
        if self._detectors:
            context = len(self._before)
            for found in apart(self._policy.find(self._before + self._held, self._kinds)):
                start, end = max(0, found.start - context), found.end - context
                if start < at < end:
                    # It goes on in what is held back.
                    at = start
                if end <= at:
                    findings.append(Finding(found.kind, found.what, start, end))
        text, self._held = self._held[:at], self._held[at:]
        self._before = text[-1:] or self._before
        if stop := self._noted(findings):
            self.before_stop = self._shown(text[: stop.start], findings[: findings.index(stop)])
            raise stopped(stop.kind, is_output=True)
        return self._shown(text, findings)

    def _noted(self, findings: list[Finding]) -> Finding | None:
        """Note findings; return the one that ends the answer, which is the last that counts."""
        for found in findings:
            action = self._kinds[found.kind]
            self._note(found, action)
            if action is FilterAction.BLOCK:
                return found
        return None

    def _shown(self, text: str, findings: list[Finding]) -> str:
        # Masked first: what a person has said themselves comes back as it was.
        return self._placeholders.restored(replaced(text, ((found, f"[{label(found.what)}]") for found in findings)))


def looked_at(policy: Policy, text: str) -> list[tuple[FilterKind, str]]:
    """Return what is only noted of a whole answer."""
    kinds = {kind: action for kind, action in policy.on_output.items() if action not in STREAMED}
    return [(found.kind, found.what) for found in apart(policy.find(text, kinds))]
