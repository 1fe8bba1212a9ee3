"""The form of one model."""

from typing import Any

from llm_ui.admin.models.state import STAND_INS
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import ngettext, number
from llm_ui.models import CacheMode, PriceSource
from llm_ui.services.ai_models import ModelInfo
from llm_ui.services.cached_answers import Kept
from llm_ui.ui.names import shown_name


def fields(model: ModelInfo | None = None, others: tuple[ModelInfo, ...] = ()) -> list[dict[str, Any]]:
    """Return the fields; `others` may stand in for the model."""
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
        _seconds("first_byte_s", _("Seconds until an answer begins")),
        _seconds("total_s", _("Seconds for a whole answer")),
        *_cache(model),
        *_stand_ins(model, others),
    ]


def _cache(model: ModelInfo | None) -> list[dict[str, Any]]:
    """Return whether answers are kept; nothing for a model that answers nobody."""
    if model is None or model.makes_embeddings:
        return []
    labels = {
        CacheMode.OFF: _("No"),
        CacheMode.OWN: _("Yes, for whoever asked, in the same project"),
        CacheMode.SHARED: _("Yes, for everybody who may ask it"),
    }
    return [
        {
            "name": "cache_mode",
            "label": _("Give an answer again to the same question"),
            "type": "select",
            "options": [{"value": mode.value, "label": label} for mode, label in labels.items()],
            "hint": _("It costs nothing then, and the chat says so. How long answers are kept is a setting."),
        }
    ]


def _stand_ins(model: ModelInfo | None, others: tuple[ModelInfo, ...]) -> list[dict[str, Any]]:
    """Return who is asked where the model does not answer; nothing for one that answers nobody."""
    if model is None or model.makes_embeddings:
        return []
    able = [one for one in others if one.id != model.id]
    nobody = {"value": "", "label": _("Nobody")}
    options = [nobody, *({"value": str(one.id), "label": _in_full(one)} for one in able)]
    hint = _("It is asked before the first word of an answer, and the chat says so. What is used is paid at its price.")
    labels = _("If it does not answer, ask"), _("If that one does not answer either, ask"), _("And last, ask")
    return [
        {"name": name, "label": label, "type": "select", "options": options, "hint": hint if not place else ""}
        for place, (name, label) in enumerate(zip(STAND_INS, labels, strict=True))
    ]


def _in_full(model: ModelInfo) -> str:
    off = "" if model.is_enabled and model.is_provider_enabled else f" ({_('Off')})"
    return f"{shown_name(model.display_name)} · {model.provider_name}{off}"


def buttons() -> list[dict[str, str]]:
    """Return the buttons; Enter presses the first."""
    return [
        {"action": "save", "label": _("Save")},
        {"action": "use_list_prices", "label": _("Use list prices")},
        {"action": "clear_cache", "label": _("Forget kept answers")},
        {"action": "remove", "label": _("Remove"), "tone": "quiet danger"},
    ]


def values(**held: str) -> dict[str, str]:
    """Return what the fields hold."""
    return held


def title(model: ModelInfo | None) -> str:
    """Return what the form is about."""
    return "" if model is None else _("Edit {name}").format(name=model.name)


def source(model: ModelInfo | None, kept: Kept) -> str:
    """Return where the prices of a model come from, and how many of its answers are kept."""
    if model is None:
        return ""
    told = _source(model)
    if not kept.answers:
        return told
    words = ngettext("{count} answer is kept.", "{count} answers are kept.", kept.answers)
    return f"{told} {words.format(count=number(kept.answers))}"


def _source(model: ModelInfo) -> str:
    return {
        PriceSource.LIST: _("These prices come from the bundled public list."),
        PriceSource.ADMIN: _("These prices were set by hand."),
        PriceSource.UNKNOWN: _("No price is known, so answers are shown without their cost."),
    }[model.price_source]


def _tokens(name: str, label: str, placeholder: str) -> dict[str, Any]:
    return {"name": name, "label": label, "placeholder": placeholder, "inputmode": "numeric"}


def _seconds(name: str, label: str) -> dict[str, Any]:
    return {"name": name, "label": label, "placeholder": _("As for its provider"), "inputmode": "decimal"}


def _price(name: str, label: str, placeholder: str) -> dict[str, Any]:
    return {"name": name, "label": label, "placeholder": placeholder, "inputmode": "decimal"}
