"""What holds for whoever asks, as detectors; what they found in texts that come again and again is remembered."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from llm_ui.models import FilterAction, FilterKind
from llm_ui.runs.filters.base import Detector, Finding
from llm_ui.runs.filters.injection import Injection
from llm_ui.runs.filters.pii import PersonalData
from llm_ui.runs.filters.secrets import Secrets
from llm_ui.runs.filters.terms import Terms
from llm_ui.services.filters import Rule

DETECTORS: Mapping[FilterKind, Callable[[Rule], Detector]] = {
    FilterKind.INJECTION: lambda _: Injection(),
    FilterKind.PII: lambda rule: PersonalData(rule.options.types),
    FilterKind.SECRETS: lambda _: Secrets(),
    FilterKind.TERMS: lambda rule: Terms(rule.options.terms),
}
"""Of all kinds but moderation, which a provider does."""
REMEMBERED = 2_000
"""Texts: what was said before is sent, and looked at, with each further question."""
MIN_REMEMBERED_CHARS = 200
"""Shorter ones are looked through faster than they are looked up."""


@dataclass
class Policy:
    """The rules of some people, made ready."""

    rules: tuple[Rule, ...]
    detectors: dict[FilterKind, Detector] = field(init=False)
    _known: OrderedDict[bytes, tuple[Finding, ...]] = field(default_factory=OrderedDict)

    def __post_init__(self) -> None:
        self.detectors = {
            rule.kind: DETECTORS[rule.kind](rule) for rule in self.rules if rule.kind is not FilterKind.MODERATION
        }
        self.on_input = {rule.kind: rule.on_input for rule in self.rules}
        self.on_output = {rule.kind: rule.on_output for rule in self.rules}
        self.moderation = next((rule for rule in self.rules if rule.kind is FilterKind.MODERATION), None)

    @property
    def reads(self) -> bool:
        """Whether a text that goes to a model is looked through at all."""
        return any(self.on_input[kind] is not FilterAction.OFF for kind in self.detectors)

    def find(self, text: str, kinds: Mapping[FilterKind, FilterAction]) -> Iterator[Finding]:
        """Yield what the filters of these kinds that are on find in a text."""
        for kind, detector in self.detectors.items():
            if kinds.get(kind, FilterAction.OFF) is not FilterAction.OFF:
                yield from detector.find(text)

    def find_sent(self, text: str) -> tuple[Finding, ...]:
        """Return what is found in a text that goes to a model."""
        if len(text) < MIN_REMEMBERED_CHARS:
            return tuple(self.find(text, self.on_input))
        # The text itself is not kept.
        key = hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=16).digest()
        known = self._known.get(key)
        if known is None:
            known = tuple(self.find(text, self.on_input))
            self._known[key] = known
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return known
