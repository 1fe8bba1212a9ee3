"""The forms of the providers page: add, edit, choose models, delete."""

from typing import Any

from llm_ui.admin.providers.state import ADD, DELETE, EDIT, MODELS
from llm_ui.contract import FoundModel
from llm_ui.services.presets import PRESETS
from llm_ui.services.providers import ProviderInfo

Field = dict[str, Any]

DELETE_BUTTON = {"action": "ask_delete", "label": "Delete …", "tone": "quiet danger"}
BUTTONS = {
    "": [],
    ADD: [{"action": "save_and_test", "label": "Save and test"}, {"action": "save", "label": "Save"}],
    EDIT: [
        {"action": "save_and_test", "label": "Save and test"},
        {"action": "save", "label": "Save"},
        DELETE_BUTTON,
    ],
    MODELS: [{"action": "add_models", "label": "Add models"}, {"action": "close", "label": "Not now"}],
    DELETE: [
        {"action": "close", "label": "Keep it"},
        {"action": "delete", "label": "Delete for good", "tone": "quiet danger"},
    ],
}


def title(sheet: str, selected: ProviderInfo | None) -> str:
    """Return what the open form is about."""
    name = "provider" if selected is None else selected.name
    titles = {ADD: "Add provider", EDIT: f"Edit {name}", MODELS: f"Models of {name}", DELETE: f"Delete {name}?"}
    return titles.get(sheet, "")


def text(sheet: str, consequences: str) -> str:
    """Return the sentence above the fields."""
    return consequences if sheet == DELETE else ""


def tone(sheet: str) -> str:
    """Return how that sentence looks."""
    return "warning" if sheet == DELETE else "plain"


def buttons(sheet: str) -> list[dict[str, str]]:
    """Return the buttons; Enter presses the first."""
    return BUTTONS[sheet]


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
            return [_name(), _address(), _key(hint="Leave it empty to keep the present key.")]
        case "models":
            by_name = {
                "name": "model_name",
                "label": "Another model, by its name",
                "type": "text",
                "hint": "As the provider writes it; for Azure, the name of your deployment.",
            }
            return [_checklist(served, already), by_name] if served else [by_name]
        case _:
            return []


def _preset() -> Field:
    known = [{"value": preset.name, "label": preset.name} for preset in PRESETS]
    options = [{"value": "", "label": "Choose one to fill the form …"}, *known]
    return {"name": "preset", "label": "Service", "type": "select", "options": options, "is_live": True}


def _name() -> Field:
    return {"name": "provider_name", "label": "Name", "type": "text", "placeholder": "As people will see it"}


def _kind(types: dict[str, str]) -> Field:
    options = [{"value": kind, "label": name} for kind, name in types.items()]
    return {"name": "kind", "label": "Type", "type": "select", "options": options}


def _address() -> Field:
    return {"name": "base_url", "label": "Address", "type": "text", "placeholder": "https://…", "inputmode": "url"}


def _key(*, hint: str) -> Field:
    return {"name": "key", "label": "Key", "type": "secret", "hint": hint}


def _checklist(served: tuple[FoundModel, ...], already: list[str]) -> Field:
    added = set(already)
    options = [
        {
            "value": model.name,
            "label": model.display_name,
            "detail": model.name if model.display_name != model.name else "",
            "is_added": model.name in added,
        }
        for model in served
    ]
    return {"name": "chosen", "label": "Models people may ask", "type": "checklist", "options": options}
