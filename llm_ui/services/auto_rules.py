"""What an *Auto* model goes by: the rules of administrators, and what is told of a choice."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from llm_ui.errors import InvalidInput
from llm_ui.kit.ids import ModelId
from llm_ui.models import AutoModel

HOURS_IN_A_DAY = 24


class When(StrEnum):
    """What a rule asks of a question."""

    LONGER = "longer"
    """Everything that is sent has more tokens than `value`."""
    CODE = "code"
    IMAGES = "images"
    DOCUMENTS = "documents"
    TOOLS = "tools"
    TEAM = "team"
    """It comes from a member of the team whose id is `value`."""
    HOURS = "hours"
    """It comes at one of the hours of `value`, as 22-6, in UTC."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Where it holds, this model is asked."""

    when: When
    value: str
    model_id: ModelId


@dataclass(frozen=True, slots=True)
class AutoSettings:
    """How an *Auto* model picks."""

    candidates: tuple[ModelId, ...]
    rules: tuple[Rule, ...]
    goodness: int
    """0: what costs least; 100: what people rate best."""
    speed: int
    """How much it counts how soon a model begins to answer, from 0 to 100."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One candidate, as it was looked at for a question. What the person may not ask is never among them."""

    model: str
    provider: str
    is_picked: bool
    barred: str = ""
    """Why it cannot be asked this; empty: it could."""
    cost_usd: str | None = None
    """What an answer of usual length is likely to cost; None: nobody knows."""
    first_ms: int | None = None
    """How soon it begins to answer; None: not measured lately."""
    quality: float | None = None
    """The share of good ratings that it has at least; None: nobody has rated it."""
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """Which model an *Auto* model has picked, and why."""

    auto_id: ModelId
    auto: str
    model_id: ModelId
    """Of the model that was picked."""
    model: str
    why: str
    """A sentence, in English (`kit/i18n.py: told`)."""
    judged: tuple[Judged, ...] = field(default=())

    def listed(self) -> dict[str, Any]:
        """Return it as a run or a booked call keeps it."""
        return {
            **asdict(self),
            "auto_id": str(self.auto_id),
            "model_id": str(self.model_id),
            "judged": [asdict(one) for one in self.judged],
        }


def choice_of(kept: dict[str, Any] | None) -> Choice | None:
    """Return a choice that a run or a booked call keeps; None: nothing was chosen."""
    if not kept:
        return None
    judged = tuple(Judged(**one) for one in kept["judged"])
    picked = ModelId(UUID(kept["model_id"]))
    return Choice(ModelId(UUID(kept["auto_id"])), kept["auto"], picked, kept["model"], kept["why"], judged)


def settings_of(row: AutoModel) -> AutoSettings:
    """Return what is set of an *Auto* model."""
    return AutoSettings(
        candidates=tuple(ModelId(UUID(one)) for one in row.candidates),
        rules=tuple(Rule(When(one["when"]), one["value"], ModelId(UUID(one["model"]))) for one in row.rules),
        goodness=row.goodness,
        speed=row.speed,
    )


def stored(rules: Sequence[Rule]) -> list[dict[str, Any]]:
    """Return rules as a row keeps them."""
    return [{"when": one.when.value, "value": one.value, "model": str(one.model_id)} for one in rules]


def checked(rule: Rule, candidates: Collection[ModelId]) -> Rule:
    """Return a rule with its value in one form. Raises `InvalidInput`."""
    value = rule.value.strip()
    if rule.model_id not in candidates:
        raise InvalidInput("A rule asks a model that is none of the candidates. Choose one of them.")
    if rule.when is When.LONGER:
        digits = value.replace(",", "").replace(".", "").replace(" ", "")
        if not digits.isdecimal() or not 0 < int(digits) < 1_000_000_000:
            raise InvalidInput("Say longer than how many tokens: a whole number, such as 4000.")
        value = str(int(digits))
    elif rule.when is When.HOURS:
        hours_of(value)
    elif rule.when is not When.TEAM:
        value = ""
    return Rule(rule.when, value, rule.model_id)


def hours_of(value: str) -> frozenset[int]:
    """Return the hours from the first to before the last of a text as 22-6. Raises `InvalidInput`."""
    first, _, last = (part.strip() for part in value.partition("-"))
    if not (first.isdecimal() and last.isdecimal() and int(first) < HOURS_IN_A_DAY and int(last) <= HOURS_IN_A_DAY):
        raise InvalidInput("Say from which hour to which, in UTC, such as 22-6.")
    begin, count = int(first), (int(last) - int(first)) % HOURS_IN_A_DAY or HOURS_IN_A_DAY
    return frozenset((begin + hour) % HOURS_IN_A_DAY for hour in range(count))
