"""Which model an *Auto* model picks: what a model must be able to, the chat's own model, rules, then the score."""

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import pytest

from llm_ui.errors import ContextTooLong, InvalidInput
from llm_ui.kit.calibration import Calibration
from llm_ui.kit.ids import ModelId, ProviderId, TeamId, uuid7
from llm_ui.models import ProviderKind
from llm_ui.runs.routing import NO_FORM, NO_IMAGES, NO_TOOLS, NO_WINDOW, RESTING, Candidate, Facts, choose
from llm_ui.services.auto_rules import AutoSettings, Rule, When, checked, choice_of
from llm_ui.services.prices import Prices
from llm_ui.services.targets import ModelTarget

ASKED = Facts("How tall is a heron?", tokens=100, hour=12)
TEAM = TeamId(UUID(int=7))


def a_model(name: str, price: str | None = "1", *, kind: ProviderKind = ProviderKind.OPENAI) -> ModelTarget:
    usd = None if price is None else Decimal(price)
    return ModelTarget(
        model_id=ModelId(uuid7()), provider_id=ProviderId(uuid7()), kind=kind, base_url="", sealed_key=None,
        name=name, display_name=name, provider_name="there", context_window=1_000, max_output_tokens=None,
        prices=Prices(usd, None, usd, None), calibration=Calibration(), can_see_images=True, can_use_tools=True,
    )  # fmt: skip


CHEAP, GOOD = Candidate(a_model("cheap", "1"), 0.2, up=5, down=5), Candidate(a_model("good", "10"), 2.0, up=95, down=5)


def auto(*rules: Rule, goodness: int = 50, speed: int = 0) -> ModelTarget:
    return replace(a_model("Auto"), display_name="Auto", auto=AutoSettings((), rules, goodness, speed))


def picked(asks: ModelTarget, facts: Facts, *candidates: Candidate, **more: object) -> str:
    return choose(asks, facts, candidates or (CHEAP, GOOD), **more).display_name  # type: ignore[arg-type]


def reasons(target: ModelTarget) -> dict[str, str]:
    assert target.choice is not None
    return {one.model: one.barred for one in target.choice.judged}


@pytest.mark.parametrize(("goodness", "name"), [(0, "cheap"), (25, "cheap"), (75, "good"), (100, "good")])
def test_it_leans_to_price_or_ratings(goodness: int, name: str) -> None:
    assert picked(auto(goodness=goodness), ASKED) == name
    assert picked(auto(goodness=goodness), ASKED, GOOD, CHEAP) == name


def test_speed_counts_where_it_is_to_and_what_nobody_has_measured_is_in_the_middle() -> None:
    slow, fast = replace(CHEAP, first_s=5.0), replace(GOOD, target=a_model("fast", "1.1"), first_s=0.1, up=5, down=5)

    assert picked(auto(goodness=0), ASKED, slow, fast) == "cheap"
    assert picked(auto(goodness=0, speed=100), ASKED, slow, fast) == "fast"
    unknown, dear = replace(fast, first_s=None), Candidate(a_model("dear", "100"), 0.1)
    assert picked(auto(goodness=0, speed=100), ASKED, slow, unknown, dear) == "fast"


def test_a_single_good_rating_neither_beats_many_nor_loses_to_none() -> None:
    none, one = Candidate(a_model("none")), Candidate(a_model("one"), up=1)

    assert picked(auto(goodness=100), ASKED, none, one) == "one"
    assert picked(auto(goodness=100), ASKED, none, one, GOOD) == "good"


def test_an_unknown_price_is_the_dearest_and_what_is_free_the_cheapest() -> None:
    unknown, free = Candidate(a_model("unknown", None)), Candidate(a_model("free", "0"))

    assert picked(auto(goodness=0), ASKED, unknown, GOOD) == "good"
    assert picked(auto(goodness=0), ASKED, CHEAP, free, GOOD) == "free"


@pytest.mark.parametrize(
    ("lacks", "facts", "reason"),
    [
        ({"context_window": 50}, ASKED, NO_WINDOW),
        ({"calibration": Calibration(20.0, 1_000)}, ASKED, NO_WINDOW),
        ({"can_see_images": False}, replace(ASKED, has_images=True), NO_IMAGES),
        ({"can_use_tools": False}, replace(ASKED, needs_tools=True), NO_TOOLS),
        ({"can_use_tools": False}, replace(ASKED, wants_tools=True), NO_TOOLS),
        ({"kind": ProviderKind.DEMO}, replace(ASKED, needs_form=True), NO_FORM),
        ({"kind": ProviderKind.ANTHROPIC, "can_use_tools": False}, replace(ASKED, needs_form=True), NO_FORM),
    ],
)
def test_who_cannot_be_asked_is_passed_over_whatever_it_costs(
    lacks: dict[str, object], facts: Facts, reason: str
) -> None:
    unable = replace(CHEAP, target=replace(CHEAP.target, **lacks))  # type: ignore[arg-type]
    rule = Rule(When.LONGER, "1", unable.target.model_id)

    found = choose(auto(rule, goodness=0), facts, (unable, GOOD), stays=unable.target.model_id)

    assert (found.display_name, reasons(found)) == ("good", {"cheap": reason, "good": ""})
    assert found.others == ()


def test_where_all_rest_or_none_calls_tools_one_of_them_is_asked_all_the_same() -> None:
    resting = replace(CHEAP, is_resting=True)

    assert reasons(choose(auto(goodness=0), ASKED, (resting, GOOD))) == {"cheap": RESTING, "good": ""}
    assert picked(auto(goodness=0), ASKED, resting, replace(GOOD, is_resting=True)) == "cheap"
    without = replace(CHEAP, target=replace(CHEAP.target, can_use_tools=False))
    assert picked(auto(goodness=0), replace(ASKED, wants_tools=True), without) == "cheap"


def test_nobody_left_is_said_with_what_to_do() -> None:
    blind = replace(CHEAP, target=replace(CHEAP.target, can_see_images=False))

    with pytest.raises(InvalidInput, match="None of the models of Auto can be asked this: it sees no images"):
        choose(auto(), replace(ASKED, has_images=True), (blind,))
    with pytest.raises(ContextTooLong, match="too long for each model of Auto"):
        choose(auto(), replace(ASKED, tokens=5_000), (CHEAP, GOOD))
    with pytest.raises(InvalidInput, match="may be asked here now"):
        choose(auto(), ASKED, ())


@pytest.mark.parametrize(
    ("when", "value", "facts", "holds"),
    [
        (When.LONGER, "99", ASKED, True),
        (When.LONGER, "100", ASKED, False),
        (When.CODE, "", replace(ASKED, text="Why?\n```py\nx\n```"), True),
        (When.CODE, "", replace(ASKED, text="def heron(legs):\n    return 2"), True),
        (When.CODE, "", ASKED, False),
        (When.IMAGES, "", replace(ASKED, has_images=True), True),
        (When.DOCUMENTS, "", ASKED, False),
        (When.DOCUMENTS, "", replace(ASKED, has_documents=True), True),
        (When.TOOLS, "", replace(ASKED, needs_tools=True), True),
        (When.HOURS, "22-6", replace(ASKED, hour=5), True),
        (When.HOURS, "22-6", replace(ASKED, hour=6), False),
        (When.TEAM, str(TEAM), ASKED, True),
        (When.TEAM, str(UUID(int=8)), ASKED, False),
    ],
)
def test_a_rule_sends_a_question_to_its_model(when: When, value: str, facts: Facts, holds: bool) -> None:
    rule = Rule(when, value, GOOD.target.model_id)

    found = choose(auto(rule, goodness=0), facts, (CHEAP, GOOD), teams=frozenset({TEAM}))

    assert found.display_name == ("good" if holds else "cheap")
    assert found.choice is not None
    assert found.choice.why.startswith("A rule sends") is holds


def test_rules_hold_in_their_order_and_a_chat_stays_with_its_model() -> None:
    first, second = (Rule(When.LONGER, "1", one.target.model_id) for one in (GOOD, CHEAP))

    assert picked(auto(first, second), ASKED) == "good"
    found = choose(auto(first, second), ASKED, (CHEAP, GOOD), stays=CHEAP.target.model_id)
    assert found.display_name == "cheap"
    assert [one.display_name for one in found.others] == ["good"]
    assert found.choice is not None
    assert found.choice.why == "cheap has answered in this chat before, and stays."
    assert choice_of(found.choice.listed()) == found.choice


@pytest.mark.parametrize(
    ("when", "value"), [(When.LONGER, "many"), (When.LONGER, "0"), (When.HOURS, "25-3"), (When.HOURS, "night")]
)
def test_a_rule_that_says_nothing_is_refused(when: When, value: str) -> None:
    model_id = ModelId(uuid7())

    with pytest.raises(InvalidInput, match="such as"):
        checked(Rule(when, value, model_id), [model_id])
    with pytest.raises(InvalidInput, match="none of the candidates"):
        checked(Rule(When.CODE, "", model_id), [])
