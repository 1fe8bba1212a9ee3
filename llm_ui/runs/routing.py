"""Which model an *Auto* model picks for a question, and why: values in, a choice out.

First what a model must be able to, then the model that the chat has been with, then the rules of administrators in
their order, then a score of price, ratings and time to the first token. The same question at the same figures always
gets the same model.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from llm_ui.errors import ContextTooLong, InvalidInput
from llm_ui.kit.i18n import to_tell
from llm_ui.kit.ids import ModelId, TeamId
from llm_ui.kit.money import plain
from llm_ui.models import ProviderKind
from llm_ui.services.auto_rules import Choice, Judged, Rule, When, hours_of
from llm_ui.services.prices import cost
from llm_ui.services.ratings import at_least
from llm_ui.services.targets import ModelTarget

USUAL_ANSWER = 500
"""Tokens that an answer is reckoned with where prices are compared."""
IMAGINED = 5
"""Ratings of each kind that every model is given beforehand: few real ones, or none, neither raise nor sink it."""
UNKNOWN_SPEED = 0.5
LOOKED_AT_CHARS = 20_000
"""Of a question, where code is looked for."""
CODE = re.compile(
    r"```|^\s{0,8}(?:def |class |import |from \S{1,80} import |function |const |let |var |public |private |#include\b"
    r"|SELECT .{1,200} FROM |Traceback \(most recent)|[;{]\s*$",
    re.MULTILINE,
)
"""Fenced code, lines that begin as code does in usual languages, and lines that end as it does."""

NO_WINDOW = to_tell("the question is too long for its window")
NO_IMAGES = to_tell("it sees no images")
NO_TOOLS = to_tell("it calls no tools")
NO_FORM = to_tell("it keeps to no JSON schema")
RESTING = to_tell("its provider does not answer")
STAYS = to_tell("{model} has answered in this chat before, and stays.")
ALONE = to_tell("{model} is the only one that can be asked this.")
SCORED = to_tell("{model} has the best score of {count} models.")
RULES = {
    When.LONGER: to_tell("A rule sends questions of more than {count} tokens to {model}."),
    When.CODE: to_tell("A rule sends questions with code to {model}."),
    When.IMAGES: to_tell("A rule sends questions with images to {model}."),
    When.DOCUMENTS: to_tell("A rule sends questions with documents to {model}."),
    When.TOOLS: to_tell("A rule sends questions with tools to {model}."),
    When.TEAM: to_tell("A rule sends questions of a team to {model}."),
    When.HOURS: to_tell("A rule sends questions of this hour to {model}."),
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a question before it is asked."""

    text: str
    """What the person asks, without what was said before."""
    tokens: int
    """Of all that has to be sent, by estimate, before what is known of a model's tokenizer."""
    hour: int
    """In UTC."""
    has_images: bool = False
    has_documents: bool = False
    wants_tools: bool = False
    """Whether tools would be offered; an answer can be given without."""
    needs_tools: bool = False
    """Whether a model that calls none is of no use."""
    needs_form: bool = False
    """Whether the answer is to keep to a JSON schema."""
    answer_tokens: int = 0
    """Kept free for the answer."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model that may be picked, with what is measured of it."""

    target: ModelTarget
    first_s: float | None = None
    """How soon it begins to answer; None: not measured lately."""
    up: int = 0
    down: int = 0
    """Ratings."""
    is_resting: bool = False
    """Whether its provider failed several times in a row."""

    @property
    def quality(self) -> float:
        """How well it is rated at least, beside the imagined ratings: from 0 to 1."""
        return at_least(self.up + IMAGINED, self.down + IMAGINED)


def choose(
    auto: ModelTarget,
    facts: Facts,
    candidates: Sequence[Candidate],
    *,
    stays: ModelId | None = None,
    teams: frozenset[TeamId] = frozenset(),
) -> ModelTarget:
    """Return the model that an *Auto* model picks, with its choice. `candidates` are those that may be asked at all.

    `stays` is who has answered in the chat before. Raises `InvalidInput` when there is none, `ContextTooLong` when the
    question is too long for each of them.
    """
    if auto.auto is None:
        raise TypeError("this model picks no other")
    if not candidates:
        raise InvalidInput(
            "None of the models of {name} may be asked here now. Pick another one.", name=auto.display_name
        )
    barred = {one.target.model_id: reason_against(one.target, facts) for one in candidates}
    able = [one for one in candidates if not barred[one.target.model_id]]
    if not able:
        raise _none(auto, list(barred.values()))
    for reason, is_left in ((RESTING, _is_resting), (NO_TOOLS, _lacks_tools(facts))):
        # Where all of them are so, one of them is better than none.
        kept = [one for one in able if not is_left(one)]
        barred |= {one.target.model_id: reason for one in able if kept and is_left(one)}
        able = kept or able
    costs = {one.target.model_id: likely_usd(one.target, facts.tokens) for one in candidates}
    scores = _scores(auto, able, costs)
    ranked = sorted(able, key=lambda one: -scores[one.target.model_id])
    picked, why = _picked(auto, facts, ranked, stays, teams)
    judged = tuple(_judged(one, picked, barred, costs, scores) for one in candidates)
    target = picked.target
    others = tuple(one.target for one in ranked if one is not picked)
    choice = Choice(auto.model_id, auto.display_name, target.model_id, target.display_name, why, judged)
    return replace(target, choice=choice, others=others, has_stand_ins=target.has_stand_ins or bool(others))


def _picked(
    auto: ModelTarget, facts: Facts, ranked: Sequence[Candidate], stays: ModelId | None, teams: frozenset[TeamId]
) -> tuple[Candidate, str]:
    """Return who is picked of those that can be, best first, and why."""
    by_id = {one.target.model_id: one for one in ranked}
    if len(ranked) == 1:
        return ranked[0], ALONE.format(model=ranked[0].target.display_name)
    if stays is not None and stays in by_id:
        return by_id[stays], STAYS.format(model=by_id[stays].target.display_name)
    for rule in () if auto.auto is None else auto.auto.rules:
        if rule.model_id in by_id and holds(rule, facts, teams):
            found = by_id[rule.model_id]
            return found, RULES[rule.when].format(model=found.target.display_name, count=rule.value)
    return ranked[0], SCORED.format(model=ranked[0].target.display_name, count=len(ranked))


def holds(rule: Rule, facts: Facts, teams: frozenset[TeamId]) -> bool:
    """Return whether a rule speaks of a question; `teams` are those of whoever asks."""
    match rule.when:
        case When.LONGER:
            return facts.tokens > int(rule.value)
        case When.CODE:
            return CODE.search(facts.text[:LOOKED_AT_CHARS]) is not None
        case When.IMAGES:
            return facts.has_images
        case When.DOCUMENTS:
            return facts.has_documents
        case When.TOOLS:
            return facts.wants_tools or facts.needs_tools
        case When.TEAM:
            return rule.value in {str(one) for one in teams}
        case When.HOURS:
            return facts.hour in hours_of(rule.value)


def likely_usd(target: ModelTarget, tokens: int) -> Decimal | None:
    """Return what an answer of usual length is likely to cost; None: nobody knows the price."""
    sent = round(tokens * target.calibration.factor)
    return cost(target.prices, input_tokens=sent, output_tokens=USUAL_ANSWER)


def reason_against(target: ModelTarget, facts: Facts) -> str:
    """Return why a model cannot be asked a question, whatever it costs; empty: it can."""
    sent = round(facts.tokens * target.calibration.factor)
    if target.context_window is not None and sent + min(facts.answer_tokens, target.context_window // 2) > (
        target.context_window
    ):
        return NO_WINDOW
    if facts.has_images and not target.can_see_images:
        return NO_IMAGES
    if facts.needs_tools and not target.can_use_tools:
        return NO_TOOLS
    # Anthropic's models give a form as the call of a tool; the demo has no form at all.
    lacks_form = target.kind is ProviderKind.DEMO or (
        target.kind is ProviderKind.ANTHROPIC and not target.can_use_tools
    )
    return NO_FORM if facts.needs_form and lacks_form else ""


def _is_resting(one: Candidate) -> bool:
    return one.is_resting


def _lacks_tools(facts: Facts) -> Callable[[Candidate], bool]:
    return lambda one: facts.wants_tools and not one.target.can_use_tools


def _none(auto: ModelTarget, reasons: Sequence[str]) -> InvalidInput:
    if set(reasons) == {NO_WINDOW}:
        return ContextTooLong("The question is too long for each model of {name}. Shorten it.", name=auto.display_name)
    told = ", ".join(dict.fromkeys(reasons))
    return InvalidInput(
        "None of the models of {name} can be asked this: {reasons}. Pick another one.", name=auto.display_name,
        reasons=told,
    )  # fmt: skip


def _scores(auto: ModelTarget, able: Sequence[Candidate], costs: dict[ModelId, Decimal | None]) -> dict[ModelId, float]:
    """Return how good each model is for the question, from 0 to 1: each figure beside the best of them."""
    weights = auto.auto
    goodness, speed = (0.5, 0.0) if weights is None else (weights.goodness / 100, weights.speed / 100)
    known = [float(usd) for one in able if (usd := costs[one.target.model_id]) is not None]
    cheapest = min(known, default=0.0)
    best = max(one.quality for one in able)
    soonest = min((one.first_s for one in able if one.first_s), default=0.0)
    scores = {}
    for one in able:
        usd = costs[one.target.model_id]
        # An unknown price counts as the dearest; what is free is as cheap as can be.
        cheapness = 0.0 if usd is None else 1.0 if not usd else cheapest / float(usd)
        quickness = soonest / one.first_s if one.first_s else UNKNOWN_SPEED
        total = (1 - goodness) * cheapness + goodness * one.quality / best + speed * quickness
        scores[one.target.model_id] = round(total / (1 + speed), 4)
    return scores


def _judged(
    one: Candidate,
    picked: Candidate,
    barred: dict[ModelId, str],
    costs: dict[ModelId, Decimal | None],
    scores: dict[ModelId, float],
) -> Judged:
    target = one.target
    usd, reason = costs[target.model_id], barred[target.model_id]
    return Judged(
        model=target.display_name,
        provider=target.provider_name,
        is_picked=one is picked,
        barred=reason,
        cost_usd=None if usd is None else plain(usd),
        first_ms=None if one.first_s is None else round(one.first_s * 1000),
        quality=round(at_least(one.up, one.down), 2) if one.up + one.down else None,
        score=None if reason else scores.get(target.model_id),
    )
