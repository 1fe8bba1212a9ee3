"""*Auto* models, their form and what one would pick, as rows and fields."""

from typing import Any

from llm_ui.admin.auto.state import ADD, EDIT, FORM, IMAGE, PLACES, REMOVE, TEAM, TOOLS
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import number, told
from llm_ui.services.ai_models import ModelInfo
from llm_ui.services.auto_rules import Choice, When
from llm_ui.services.autos import AutoInfo
from llm_ui.ui import auto_words
from llm_ui.ui.names import shown_name

Row = dict[str, Any]


def columns() -> list[dict[str, str]]:
    """Return the columns of the Auto models."""
    return [
        {"key": "name", "label": _("Name")},
        {"key": "among", "label": _("Picks among")},
        {"key": "leaning", "label": _("Leaning")},
        {"key": "rules", "label": _("Rules"), "align": "right"},
        {"key": "state", "label": _("State")},
    ]


def autos(listed: tuple[AutoInfo, ...]) -> list[Row]:
    """Return a row for each Auto model."""
    return [
        {
            "id": str(one.id),
            "name": one.display_name,
            "is_faint": not one.is_enabled,
            "cells": {
                "name": {"text": one.display_name, "detail": one.description or f"Auto/{one.name}"},
                "among": ", ".join(map(shown_name, one.candidates)),
                "leaning": leanings().get(str(one.settings.goodness), str(one.settings.goodness)),
                "rules": number(len(one.settings.rules)),
                "state": {"text": _("On"), "tone": "ok"} if one.is_enabled else {"text": _("Off"), "tone": "quiet"},
            },
            "actions": [
                {"action": "edit", "label": _("Change")},
                {"action": "default", "label": _("Make default")},
                {"action": "off", "label": _("Switch off")}
                if one.is_enabled
                else {"action": "on", "label": _("Switch on")},
            ],
        }
        for one in listed
    ]


def leanings() -> dict[str, str]:
    """Return what an Auto model may lean to, from cheap to good."""
    return {
        "0": _("What costs least"),
        "25": _("Rather cheap"),
        "50": _("Balanced"),
        "75": _("Rather good"),
        "100": _("What is rated best"),
    }


def fields(sheet: str, models: tuple[ModelInfo, ...], teams: tuple[tuple[str, str], ...]) -> list[Row]:
    """Return the fields of the open form."""
    if sheet not in (ADD, EDIT):
        return []
    offered = [
        {"value": str(one.id), "label": shown_name(one.display_name), "detail": one.provider_name} for one in models
    ]
    speeds = {"0": _("It does not count"), "50": _("It counts a little"), "100": _("It counts as much as the rest")}
    return [
        {"name": "display_name", "label": _("Name"), "type": "text", "hint": _("People pick it like a model.")},
        {"name": "description", "label": _("Description"), "type": "text"},
        {"name": "candidates", "label": _("It picks among"), "type": "checklist", "options": offered},
        _select("goodness", _("It leans to"), leanings()),
        _select("speed", _("How soon a model begins to answer"), speeds),
        *(field for place in PLACES for field in _rule(place, models, teams)),
    ]


def _rule(place: int, models: tuple[ModelInfo, ...], teams: tuple[tuple[str, str], ...]) -> list[Row]:
    whens = {
        "": _("No rule"),
        When.LONGER.value: _("is longer than so many tokens"),
        When.CODE.value: _("contains code"),
        When.IMAGES.value: _("has images"),
        When.DOCUMENTS.value: _("has documents"),
        When.TOOLS.value: _("has tools"),
        When.HOURS.value: _("comes at these hours, in UTC"),
        **{f"{TEAM}{team_id}": _("comes from the team {name}").format(name=name) for team_id, name in teams},
    }
    asked = {"": _("Choose a model")} | {
        str(one.id): f"{shown_name(one.display_name)} · {one.provider_name}" for one in models
    }
    value = _("Tokens, such as 4000, or hours, such as 22-6")
    hint = _("Rules hold in this order, for models that can be asked the question at all.")
    return [
        {**_select(f"when_{place}", _("Rule {number}: if a question").format(number=place), whens),
         "hint": hint if place == 1 else ""},
        {"name": f"value_{place}", "label": value, "type": "text"},
        _select(f"model_{place}", _("Rule {number} asks").format(number=place), asked),
    ]  # fmt: skip


def _select(name: str, label: str, options: dict[str, str]) -> Row:
    listed = [{"value": value, "label": shown} for value, shown in options.items()]
    return {"name": name, "label": label, "type": "select", "options": listed}


def buttons(sheet: str) -> list[dict[str, str]]:
    """Return the buttons of the open form; Enter presses the first."""
    save = {"action": "save", "label": _("Save")}
    shown = {
        ADD: [save],
        EDIT: [save, {"action": "ask_remove", "label": _("Remove"), "tone": "quiet danger"}],
        REMOVE: [
            {"action": "close", "label": _("Leave it as it is")},
            {"action": "remove", "label": _("Remove"), "tone": "quiet danger"},
        ],
    }
    return shown.get(sheet, [])


def title(sheet: str, selected: AutoInfo | None) -> str:
    """Return what the open form is about."""
    if sheet == ADD:
        return _("New Auto model")
    name = "" if selected is None else selected.display_name
    return {EDIT: _("Edit {name}"), REMOVE: _("Remove {name}?")}.get(sheet, "").format(name=name)


def text(sheet: str) -> str:
    """Return the sentence above the fields."""
    return _("Chats that are with it go on with another model; what it has picked stays.") if sheet == REMOVE else ""


def names(listed: tuple[AutoInfo, ...]) -> dict[str, str]:
    """Return the ids of the Auto models by their names."""
    return {one.display_name: str(one.id) for one in listed} or {_("There is none yet"): ""}


def withs() -> dict[str, str]:
    """Return what may come with a question that one is tried on."""
    return {_("Nothing"): "", _("An image"): IMAGE, _("Tools"): TOOLS, _("A JSON schema"): FORM}


def tried_columns() -> list[dict[str, str]]:
    """Return the columns of the candidates."""
    return [
        {"key": "model", "label": _("Model")},
        {"key": "result", "label": _("Result")},
        {"key": "score", "label": _("Score"), "align": "right"},
        {"key": "cost", "label": _("Usual answer")},
        {"key": "quality", "label": _("Ratings")},
        {"key": "first", "label": _("Speed")},
    ]


def tried(choice: Choice | None) -> list[Row]:
    """Return a row for each candidate."""
    judged = () if choice is None else choice.judged
    return [
        {
            "id": str(place),
            "name": one.model,
            "is_faint": bool(one.barred),
            "cells": {
                "model": {"text": shown_name(one.model), "detail": one.provider},
                "result": {"text": _("Picked"), "tone": "ok"} if one.is_picked else told(one.barred),
                "score": "" if one.score is None else number(one.score, ".2f"),
                "cost": auto_words.cost(one),
                "quality": auto_words.quality(one),
                "first": auto_words.first(one),
            },
            "actions": [],
        }
        for place, one in enumerate(judged)
    ]


def why(choice: Choice | None) -> str:
    """Return the sentence of a choice."""
    return "" if choice is None else told(choice.why)
