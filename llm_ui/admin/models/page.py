"""The models page."""

from decimal import Decimal
from typing import Any

import panel as pn

from llm_ui.admin.models.state import PAGE_SIZE, ModelsState
from llm_ui.admin.notices import page_notices
from llm_ui.kit.ids import ModelId
from llm_ui.kit.money import plain
from llm_ui.models import PriceSource
from llm_ui.services.ai_models import ModelInfo
from llm_ui.ui.form import page, search_field
from llm_ui.ui.parts import Heading, Message, Sheet, Table

TITLE = "Models"
SENTENCE = "What people may ask, what it costs, and what new chats start with. Add models on the providers page."
COLUMNS = [
    {"key": "model", "label": "Model"},
    {"key": "provider", "label": "Provider"},
    {"key": "window", "label": "Context", "unit": "tokens", "align": "right"},
    {"key": "input", "label": "Input", "unit": "per M tokens", "align": "right"},
    {"key": "output", "label": "Output", "unit": "per M tokens", "align": "right"},
    {"key": "state", "label": "State"},
]


FIELDS = [
    {"name": "display_name", "label": "Name", "type": "text"},
    {"name": "context_window", "label": "Context window, in tokens", "placeholder": "Unknown", "inputmode": "numeric"},
    {
        "name": "max_output_tokens",
        "label": "Longest answer, in tokens",
        "placeholder": "As the provider decides",
        "inputmode": "numeric",
    },
    {
        "name": "input_price",
        "label": "Input, dollars per million tokens",
        "placeholder": "Unknown",
        "inputmode": "decimal",
    },
    {
        "name": "cached_price",
        "label": "Cached input, dollars per million tokens",
        "placeholder": "As other input",
        "inputmode": "decimal",
    },
    {
        "name": "output_price",
        "label": "Output, dollars per million tokens",
        "placeholder": "Unknown",
        "inputmode": "decimal",
    },
]
BUTTONS = [
    {"action": "save", "label": "Save"},
    {"action": "use_list_prices", "label": "Use list prices"},
    {"action": "remove", "label": "Remove", "tone": "quiet danger"},
]


class ModelsPage(pn.viewable.Viewer):
    """Models with a search, and the form for one."""

    def __init__(self, state: ModelsState) -> None:
        super().__init__()
        self._state = state
        self._layout = page(
            Heading(title=TITLE, sentence=SENTENCE),
            page_notices(state),
            search_field("Search models", state.find, placeholder="Name or provider"),
            Table(
                caption=TITLE,
                columns=COLUMNS,
                rows=pn.bind(_rows, state.param.models),
                empty=pn.bind(_empty, state.param.search),
                total=state.param.total,
                offset=state.param.offset,
                size=PAGE_SIZE,
                is_busy=state.param.is_busy,
                on_message=self._on_row,
            ),
            Sheet(
                title=pn.bind(_title, state.param.selected),
                is_open=pn.bind(bool, state.param.sheet),
                text=pn.bind(_source, state.param.selected),
                fields=FIELDS,
                values=pn.bind(_values, **{field["name"]: state.param[field["name"]] for field in FIELDS}),
                buttons=BUTTONS,
                error=state.param.error,
                said=state.param.said,
                is_busy=state.param.is_busy,
                on_message=self._on_sheet,
            ),
        )

    def __panel__(self) -> Any:
        """Return what is drawn."""
        return self._layout

    async def load(self) -> None:
        """Read what the page shows."""
        await self._state.load()

    async def _on_sheet(self, message: Message) -> None:
        self._state.fill(message.values)
        match message.action:
            case "save":
                await self._state.save()
            case "use_list_prices":
                await self._state.use_list_prices()
            case "remove":
                await self._state.remove()
            case "close":
                self._state.close()

    async def _on_row(self, message: Message) -> None:
        if message.row is None:
            await self._state.turn(message.pages)
            return
        model_id = ModelId(message.row)
        match message.action:
            case "edit":
                await self._state.open_edit(model_id)
            case "default":
                await self._state.make_default(model_id)
            case "enable" | "disable" as verb:
                await self._state.set_enabled(model_id, is_enabled=verb == "enable")


def _values(**held: str) -> dict[str, str]:
    return held


def _rows(models: tuple[ModelInfo, ...]) -> list[dict[str, Any]]:
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
        for model in models
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


def _empty(search: str) -> str:
    if search:
        return f"No model's name or provider holds “{search}”."
    return "No models yet. Choose some on the providers page."


def _title(model: ModelInfo | None) -> str:
    return "" if model is None else f"Edit {model.name}"


def _source(model: ModelInfo | None) -> str:
    if model is None:
        return ""
    return {
        PriceSource.LIST: "These prices come from the bundled public list.",
        PriceSource.ADMIN: "These prices were set by hand.",
        PriceSource.UNKNOWN: "No price is known, so answers are shown without their cost.",
    }[model.price_source]
