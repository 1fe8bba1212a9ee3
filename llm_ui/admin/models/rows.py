"""The models as rows of a table."""

from decimal import Decimal
from typing import Any

from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import number
from llm_ui.kit.money import plain
from llm_ui.services.ai_models import ModelInfo
from llm_ui.ui.names import shown_name


def columns() -> list[dict[str, str]]:
    """Return the columns."""
    return [
        {"key": "model", "label": _("Model")},
        {"key": "provider", "label": _("Provider")},
        {"key": "window", "label": _("Context"), "unit": _("tokens"), "align": "right"},
        {"key": "input", "label": _("Input"), "unit": _("per M tokens"), "align": "right"},
        {"key": "output", "label": _("Output"), "unit": _("per M tokens"), "align": "right"},
        {"key": "state", "label": _("State")},
    ]


def models(listed: tuple[ModelInfo, ...]) -> list[dict[str, Any]]:
    """Return a row for each model."""
    return [
        {
            "id": str(model.id),
            "name": shown_name(model.display_name),
            "is_faint": not (model.is_enabled and model.is_provider_enabled),
            "cells": {
                "model": {"text": shown_name(model.display_name), "detail": _wire_name(model)},
                "provider": model.provider_name,
                "window": "" if model.context_window is None else number(model.context_window),
                "input": price(model.prices.input_usd_per_mtok),
                "output": price(model.prices.output_usd_per_mtok),
                "state": _state(model),
            },
            "actions": _actions(model),
        }
        for model in listed
    ]


def _actions(model: ModelInfo) -> list[dict[str, str]]:
    actions = [{"action": "edit", "label": _("Edit")}]
    if model.is_enabled and model.is_provider_enabled:
        actions.append({"action": "try", "label": _("Try it")})
    answers = not model.makes_embeddings
    if model.is_enabled and model.is_provider_enabled and answers and not model.is_default:
        actions.append({"action": "default", "label": _("Make default")})
    if not model.is_default:
        switch = ("disable", _("Switch off")) if model.is_enabled else ("enable", _("Switch on"))
        actions.append({"action": switch[0], "label": switch[1]})
    return actions


def _wire_name(model: ModelInfo) -> str:
    return model.name if model.name != model.display_name else ""


def _state(model: ModelInfo) -> dict[str, str]:
    if not model.is_provider_enabled:
        return {"text": _("Provider off"), "tone": "quiet"}
    if not model.is_enabled:
        return {"text": _("Off"), "tone": "quiet"}
    if model.makes_embeddings:
        return {"text": _("Embeddings"), "tone": "ok"}
    return {"text": _("Default"), "tone": "accent"} if model.is_default else {"text": _("On"), "tone": "ok"}


def price(usd: Decimal | None) -> str:
    """Return a price as digits with at least two places, such as $0.15 or $0.075."""
    if usd is None:
        return ""
    places = len(plain(usd).partition(".")[2])
    return _("${amount}").format(amount=number(usd, f",.{max(2, places)}f"))


def empty(search: str) -> str:
    """Return what to say while there are no rows."""
    if search:
        return _("No model's name or provider holds “{search}”.").format(search=search)
    return _("No models yet. Choose some on the providers page.")
