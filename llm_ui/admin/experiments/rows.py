"""Experiments, their form and what they have shown, as rows and fields."""

from typing import Any
from uuid import UUID

from llm_ui.admin.experiments.state import MODEL, OTHERS, PROMOTE, PROMPT, REMOVE
from llm_ui.admin.usage import words
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import instant, number
from llm_ui.models import LIVE_STATES, ExperimentState, Sticky
from llm_ui.services.ai_models import ModelInfo
from llm_ui.services.experiment_results import FEWEST_RATINGS, VariantResult, Verdict
from llm_ui.services.experiment_rules import KEYS
from llm_ui.services.experiments import ExperimentInfo
from llm_ui.services.prompts import PromptInfo
from llm_ui.ui import experiment_words
from llm_ui.ui.amounts import price
from llm_ui.ui.names import shown_name

Row = dict[str, Any]


def columns() -> list[dict[str, str]]:
    """Return the columns of the experiments."""
    return [
        {"key": "name", "label": _("Name")},
        {"key": "splits", "label": _("Splits")},
        {"key": "variants", "label": _("Variants")},
        {"key": "answers", "label": _("Answers"), "align": "right"},
        {"key": "state", "label": _("State")},
    ]


def experiments(listed: tuple[ExperimentInfo, ...]) -> list[Row]:
    """Return a row for each experiment."""
    return [
        {
            "id": str(one.plan.id),
            "name": one.plan.name,
            "is_faint": one.plan.state is ExperimentState.STOPPED,
            "cells": {
                "name": {"text": one.plan.name, "detail": _times(one)},
                "splits": shown_name(one.splits),
                "variants": "; ".join(_weighed(each.key, each.name, each.weight) for each in one.plan.variants),
                "answers": number(one.answers),
                "state": _state(one),
            },
            "actions": [
                {"action": "show", "label": _("Results")},
                {"action": "edit", "label": _("Change")},
                {"action": "stop", "label": _("Stop")}
                if one.plan.state in LIVE_STATES
                else {"action": "start", "label": _("Start")},
            ],
        }
        for one in listed
    ]


def _weighed(key: str, name: str, weight: int) -> str:
    return f"{experiment_words.variant(key, name)} ({number(weight)})"


def _times(one: ExperimentInfo) -> str:
    begins, ends = one.plan.starts_at, one.plan.ends_at
    said = [] if begins is None else [_("from {at}").format(at=instant(begins))]
    said += [] if ends is None else [_("until {at}").format(at=instant(ends))]
    return " ".join(said)


def _state(one: ExperimentInfo) -> dict[str, str]:
    plan = one.plan
    if plan.state is ExperimentState.PROMOTED:
        return {"text": _("Variant {key} is promoted").format(key=plan.promoted.upper()), "tone": "ok"}
    if plan.state is ExperimentState.RUNNING:
        over = {"text": _("Its time is over"), "tone": "quiet"}
        return over if one.is_over else {"text": _("Goes on"), "tone": "ok"}
    return {"text": _("Stopped") if plan.state is ExperimentState.STOPPED else _("Not started"), "tone": "quiet"}


def fields(sheet: str, models: tuple[ModelInfo, ...], prompts: tuple[PromptInfo, ...]) -> list[Row]:
    """Return the fields of the open form."""
    if sheet not in (MODEL, PROMPT):
        return []
    if sheet == MODEL:
        offered = {"": _("Choose a model")} | {
            str(one.id): f"{shown_name(one.display_name)} · {one.provider_name}" for one in models
        }
        what = {**_select("split", _("Model"), offered), "hint": _("Calls that ask for it are split.")}
    else:
        offered = {"": _("Choose instructions")} | {str(one.id): shown_name(one.name) for one in prompts}
        what = {**_select("split", _("Instructions"), offered), "hint": _("Chats that are told them are split.")}
    keeps = {Sticky.PERSON.value: _("Each person"), Sticky.CHAT.value: _("Each chat")}
    when = _("Such as 2030-12-31 18:00, in UTC. It may stay empty.")
    return [
        {"name": "title", "label": _("Name"), "type": "text"},
        what,
        _weight(1, _("Weight of variant A, which is as it is")),
        *(field for place in OTHERS for field in _variant(sheet, place, offered)),
        _select("sticky", _("Who keeps a variant"), keeps),
        {"name": "starts", "label": _("Begins"), "type": "text", "hint": when},
        {"name": "ends", "label": _("Ends"), "type": "text", "hint": when},
    ]


def _variant(sheet: str, place: int, offered: dict[str, str]) -> list[Row]:
    key = KEYS[place - 1].upper()
    if sheet == MODEL:
        label = _("Variant {key} asks").format(key=key)
        what: Row = _select(f"model_{place}", label, offered | {"": _("No such variant")} if place > 2 else offered)
    else:
        what = {"name": f"text_{place}", "label": _("Instructions of variant {key}").format(key=key), "type": "words"}
        what["rows"] = 6 if place == OTHERS[0] else 2
    return [what, _weight(place, _("Weight of variant {key}").format(key=key))]


def _weight(place: int, label: str) -> Row:
    return {"name": f"weight_{place}", "label": label, "type": "text", "inputmode": "numeric"}


def _select(name: str, label: str, options: dict[str, str]) -> Row:
    listed = [{"value": value, "label": shown} for value, shown in options.items()]
    return {"name": name, "label": label, "type": "select", "options": listed}


def buttons(sheet: str, selected: ExperimentInfo | None) -> list[dict[str, str]]:
    """Return the buttons of the open form; Enter presses the first."""
    leave = {"action": "close", "label": _("Leave it as it is")}
    if sheet in (MODEL, PROMPT):
        remove = {"action": "ask_remove", "label": _("Remove"), "tone": "quiet danger"}
        return [{"action": "save", "label": _("Save")}, *([] if selected is None else [remove])]
    if sheet == REMOVE:
        return [leave, {"action": "remove", "label": _("Remove"), "tone": "quiet danger"}]
    return [leave, {"action": "promote", "label": _("Promote"), "tone": "quiet"}] if sheet == PROMOTE else []


def title(sheet: str, selected: ExperimentInfo | None, key: str) -> str:
    """Return what the open form is about."""
    if selected is None:
        return {MODEL: _("Split a model"), PROMPT: _("Split instructions")}.get(sheet, "")
    if sheet == PROMOTE:
        return _("Promote variant {key} of {name}?").format(key=key.upper(), name=selected.plan.name)
    return (_("Remove {name}?") if sheet == REMOVE else _("Edit {name}")).format(name=selected.plan.name)


def text(sheet: str, selected: ExperimentInfo | None, key: str) -> str:
    """Return the sentence above the fields."""
    if sheet == REMOVE:
        return _("What was counted goes with it. All get what they ask for from the next question on.")
    if sheet != PROMOTE or selected is None:
        return ""
    if key == KEYS[0]:
        return _("It stays as it is for all, and the experiment is over.")
    if selected.plan.model_id is not None:
        return _(
            "All who ask for {name} get this variant, where they may ask it, until you stop the experiment."
        ).format(name=shown_name(selected.splits))
    return _("It becomes the text of {name}, whose versions keep the old one. The experiment is over.").format(
        name=shown_name(selected.splits)
    )


def names(listed: tuple[ExperimentInfo, ...]) -> dict[str, str]:
    """Return the ids of the experiments by their names; those of one name are told apart by when they were added."""
    found: dict[str, str] = {}
    for one in listed:
        name = one.plan.name if one.plan.name not in found else f"{one.plan.name} ({len(found) + 1})"
        found[name] = str(one.plan.id)
    return found or {_("There is none yet"): ""}


def result_columns() -> list[dict[str, str]]:
    """Return the columns of the results."""
    right = {"align": "right"}
    return [
        {"key": "variant", "label": _("Variant")},
        {"key": "answers", "label": _("Answers"), **right},
        {"key": "good", "label": _("Good ratings"), **right},
        {"key": "again", "label": _("Asked again"), **right},
        {"key": "cost", "label": _("Cost of an answer"), **right},
        {"key": "first", "label": _("First token"), **right},
        {"key": "failed", "label": _("Failed"), **right},
        {"key": "verdict", "label": _("Beside variant A")},
    ]


def results(found: tuple[VariantResult, ...]) -> list[Row]:
    """Return a row for each variant."""
    return [
        {
            "id": str(UUID(int=KEYS.index(one.variant.key))),
            "name": experiment_words.variant(one.variant.key, one.variant.name),
            "cells": {
                "variant": experiment_words.variant(one.variant.key, one.variant.name),
                "answers": number(one.answers),
                "good": _good(one),
                "again": _share(one.again_share),
                "cost": _("no price") if one.cost_usd is None else price(one.cost_usd),
                "first": words.seconds(one.ttft_ms),
                "failed": _share(one.failed_share),
                "verdict": verdict(one),
            },
            "actions": [{"action": "promote", "label": _("Promote")}],
        }
        for one in found
    ]


def key_of(row: UUID) -> str:
    """Return the variant of a row of the results; rows are known by ids."""
    return KEYS[row.int] if row.int < len(KEYS) else ""


def _good(one: VariantResult) -> Row | str:
    if one.share is None:
        return "–"
    share, least, most = (number(each, ".0%") for each in one.share)
    rated = _("{least} to {most}, of {count}").format(least=least, most=most, count=number(one.up + one.down))
    return {"text": share, "detail": rated}


def _share(share: float | None) -> str:
    return "–" if share is None else number(share, ".1%")


def verdict(one: VariantResult) -> str:
    """Return in a sentence what the ratings tell of a variant."""
    if one.verdict is None:
        return ""
    said = {
        Verdict.FEW: _("Too few ratings to tell anything yet: {count} of each are the fewest."),
        Verdict.EVEN: _("The difference in ratings may be chance (p = {p})."),
        Verdict.BETTER: _("It is rated better, and chance is an unlikely reason (p = {p})."),
        Verdict.WORSE: _("It is rated worse, and chance is an unlikely reason (p = {p})."),
    }
    p = "" if one.p is None else number(one.p, ".2g" if one.p < 0.01 else ".2f")
    return said[one.verdict].format(count=number(FEWEST_RATINGS), p=p)
