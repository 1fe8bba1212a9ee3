"""The form of one model."""

from typing import Any

from llm_ui.kit.i18n import gettext as _
from llm_ui.models import PriceSource
from llm_ui.services.ai_models import ModelInfo


def fields() -> list[dict[str, Any]]:
    """Return the fields."""
    return [
        {"name": "display_name", "label": _("Name"), "type": "text"},
        _tokens("context_window", _("Context window, in tokens"), _("Unknown")),
        _tokens("max_output_tokens", _("Longest answer, in tokens"), _("As the provider decides")),
        {
            "name": "can_see_images",
            "label": _("Images"),
            "type": "select",
            "options": [
                {"value": "yes", "label": _("It can see them")},
                {"value": "no", "label": _("It cannot see them")},
            ],
        },
        {
            "name": "can_use_tools",
            "label": _("Tools"),
            "type": "select",
            "options": [
                {"value": "yes", "label": _("It can use them")},
                {"value": "no", "label": _("It cannot use them")},
            ],
        },
        {
            "name": "makes_embeddings",
            "label": _("Used for"),
            "type": "select",
            "options": [
                {"value": "no", "label": _("Answers in chats")},
                {"value": "yes", "label": _("Embeddings: search in documents")},
            ],
        },
        _price("input_price", _("Input, dollars per million tokens"), _("Unknown")),
        _price("cached_price", _("Cached input, dollars per million tokens"), _("As other input")),
        _price("output_price", _("Output, dollars per million tokens"), _("Unknown")),
    ]


def buttons() -> list[dict[str, str]]:
    """Return the buttons; Enter presses the first."""
    return [
        {"action": "save", "label": _("Save")},
        {"action": "use_list_prices", "label": _("Use list prices")},
        {"action": "remove", "label": _("Remove"), "tone": "quiet danger"},
    ]


def values(**held: str) -> dict[str, str]:
    """Return what the fields hold."""
    return held


def title(model: ModelInfo | None) -> str:
    """Return what the form is about."""
    return "" if model is None else _("Edit {name}").format(name=model.name)


def source(model: ModelInfo | None) -> str:
    """Return where the prices of a model come from."""
    if model is None:
        return ""
    return {
        PriceSource.LIST: _("These prices come from the bundled public list."),
        PriceSource.ADMIN: _("These prices were set by hand."),
        PriceSource.UNKNOWN: _("No price is known, so answers are shown without their cost."),
    }[model.price_source]


def _tokens(name: str, label: str, placeholder: str) -> dict[str, Any]:
    return {"name": name, "label": label, "placeholder": placeholder, "inputmode": "numeric"}


def _price(name: str, label: str, placeholder: str) -> dict[str, Any]:
    return {"name": name, "label": label, "placeholder": placeholder, "inputmode": "decimal"}
