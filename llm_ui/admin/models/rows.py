"""The models as rows of a table, and what the form of one says."""

from decimal import Decimal
from typing import Any

from llm_ui.kit.money import plain
from llm_ui.models import PriceSource
from llm_ui.services.ai_models import ModelInfo

COLUMNS = [
    {"key": "model", "label": "Model"},
    {"key": "provider", "label": "Provider"},
    {"key": "window", "label": "Context", "unit": "tokens", "align": "right"},
    {"key": "input", "label": "Input", "unit": "per M tokens", "align": "right"},
    {"key": "output", "label": "Output", "unit": "per M tokens", "align": "right"},
    {"key": "state", "label": "State"},
]


def models(listed: tuple[ModelInfo, ...]) -> list[dict[str, Any]]:
    """Return a row for each model."""
    return [
        {
            "id": str(model.id),
            "name": model.display_name,
            "is_faint": not (model.is_enabled and model.is_provider_enabled),
            "cells": {
                "model": {"text": model.display_name, "detail": _wire_name(model)},
                "provider": model.provider_name,
                "window": "" if model.context_window is None else f"{model.context_window:,}",
                "input": _price(model.prices.input_usd_per_mtok),
                "output": _price(model.prices.output_usd_per_mtok),
                "state": _state(model),
            },
            "actions": _actions(model),
        }
        for model in listed
    ]


def _actions(model: ModelInfo) -> list[dict[str, str]]:
    actions = [{"action": "edit", "label": "Edit"}]
    if model.is_enabled and model.is_provider_enabled and not model.is_default:
        actions.append({"action": "default", "label": "Make default"})
    if not model.is_default:
        switch = ("disable", "Switch off") if model.is_enabled else ("enable", "Switch on")
        actions.append({"action": switch[0], "label": switch[1]})
    return actions


def _wire_name(model: ModelInfo) -> str:
    return model.name if model.name != model.display_name else ""


def _state(model: ModelInfo) -> dict[str, str]:
    if not model.is_provider_enabled:
        return {"text": "Provider off", "tone": "quiet"}
    if not model.is_enabled:
        return {"text": "Off", "tone": "quiet"}
    return {"text": "Default", "tone": "accent"} if model.is_default else {"text": "On", "tone": "ok"}


def _price(price: Decimal | None) -> str:
    """Return a price as digits with at least two places, such as $0.15 or $0.075."""
    if price is None:
        return ""
    digits = plain(price)
    whole, _, places = digits.partition(".")
    return f"${int(whole):,}.{places.ljust(2, '0')}"


def empty(search: str) -> str:
    """Return what to say while there are no rows."""
    if search:
        return f"No model's name or provider holds “{search}”."
    return "No models yet. Choose some on the providers page."


def title(model: ModelInfo | None) -> str:
    """Return what the form is about."""
    return "" if model is None else f"Edit {model.name}"


def source(model: ModelInfo | None) -> str:
    """Return where the prices of a model come from."""
    if model is None:
        return ""
    return {
        PriceSource.LIST: "These prices come from the bundled public list.",
        PriceSource.ADMIN: "These prices were set by hand.",
        PriceSource.UNKNOWN: "No price is known, so answers are shown without their cost.",
    }[model.price_source]
