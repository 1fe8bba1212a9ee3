"""The forms of the providers page: add, edit, choose models, delete."""

from typing import Any

from llm_ui.admin.providers.state import ADD, DELETE, EDIT, MODELS
from llm_ui.contract.probes import FoundModel
from llm_ui.kit.i18n import gettext as _
from llm_ui.services.presets import PRESETS
from llm_ui.services.providers import ProviderInfo
from llm_ui.ui.names import shown_name

Field = dict[str, Any]


def title(sheet: str, selected: ProviderInfo | None) -> str:
    """Return what the open form is about."""
    titles = {
        ADD: _("Add provider"),
        EDIT: _("Edit {name}"),
        MODELS: _("Models of {name}"),
        DELETE: _("Delete {name}?"),
    }
    return titles.get(sheet, "").format(name="" if selected is None else selected.name)


def text(sheet: str, consequences: str) -> str:
    """Return the sentence above the fields."""
    return consequences if sheet == DELETE else ""


def tone(sheet: str) -> str:
    """Return how that sentence looks."""
    return "warning" if sheet == DELETE else "plain"


def buttons(sheet: str) -> list[dict[str, str]]:
    """Return the buttons; Enter presses the first."""
    saving = [{"action": "save_and_test", "label": _("Save and test")}, {"action": "save", "label": _("Save")}]
    shown: dict[str, list[dict[str, str]]] = {
        ADD: saving,
        EDIT: [*saving, {"action": "ask_delete", "label": _("Delete …"), "tone": "quiet danger"}],
        MODELS: [{"action": "add_models", "label": _("Add models")}, {"action": "close", "label": _("Not now")}],
        DELETE: [
            {"action": "close", "label": _("Keep it")},
            {"action": "delete", "label": _("Delete for good"), "tone": "quiet danger"},
        ],
    }
    return shown.get(sheet, [])


def values(**held: Any) -> dict[str, Any]:
    """Return what the fields hold."""
    return held


def fields(
    sheet: str, *, types: dict[str, str], hint: str, served: tuple[FoundModel, ...], already: list[str]
) -> list[Field]:
    """Return the fields of the open form."""
    match sheet:
        case "add":
            return [_preset(), _name(), _kind(types), _address(), _key(hint=hint)]
        case "edit":
            return [_name(), _address(), _key(hint=_("Leave it empty to keep the present key."))]
        case "models":
            by_name = {
                "name": "model_name",
                "label": _("Another model, by its name"),
                "type": "text",
                "hint": _("As the provider writes it; for Azure, the name of your deployment."),
            }
            return [_checklist(served, already), by_name] if served else [by_name]
        case _:
            return []


def _preset() -> Field:
    known = [{"value": preset.name, "label": _(preset.name)} for preset in PRESETS]
    options = [{"value": "", "label": _("Choose one to fill the form …")}, *known]
    return {"name": "preset", "label": _("Service"), "type": "select", "options": options, "is_live": True}


def _name() -> Field:
    return {"name": "provider_name", "label": _("Name"), "type": "text", "placeholder": _("As people will see it")}


def _kind(types: dict[str, str]) -> Field:
    options = [{"value": kind, "label": _(name)} for kind, name in types.items()]
    return {"name": "kind", "label": _("Type"), "type": "select", "options": options}


def _address() -> Field:
    return {"name": "base_url", "label": _("Address"), "type": "text", "placeholder": "https://…", "inputmode": "url"}


def _key(*, hint: str) -> Field:
    return {"name": "key", "label": _("Key"), "type": "secret", "hint": hint}


def _checklist(served: tuple[FoundModel, ...], already: list[str]) -> Field:
    added = set(already)
    options = [
        {
            "value": model.name,
            "label": shown_name(model.display_name),
            "detail": model.name if model.display_name != model.name else "",
            "is_added": model.name in added,
        }
        for model in served
    ]
    return {"name": "chosen", "label": _("Models people may ask"), "type": "checklist", "options": options}
