"""What is told of safety filters: in a run that one of them has noticed something in, and when they are tried."""

from typing import Literal

from pydantic import Field

from llm_ui.contract.base import Wire
from llm_ui.contract.stand_ins import StandInEvent

MAX_TRIED_CHARS = 20_000


class WarnedEvent(Wire):
    """A filter found something that the person is to know of."""

    type: Literal["warned"] = "warned"
    warned: str
    """Which filters did until now in this run, with commas between."""


Noticed = StandInEvent | WarnedEvent
"""What is told of a run besides what it says."""


class FilterTryRequest(Wire):
    """What the filters are tried on."""

    text: str = Field(min_length=1, max_length=MAX_TRIED_CHARS)


class FilterFinding(Wire):
    """Something that was found."""

    what: str
    text: str
    """Empty where the whole text is meant."""


class TriedFilter(Wire):
    """What one filter makes of a text."""

    kind: str
    on_input: str
    on_output: str
    """What the workspace has it do."""
    findings: tuple[FilterFinding, ...]
    problem: str = ""
    """Why it could not look."""
    took_ms: float


class FilterTry(Wire):
    """What each filter makes of a text, whether it is on or off."""

    filters: tuple[TriedFilter, ...]
    masked: str
    """The text as a model would be sent it; empty: it would not be."""
