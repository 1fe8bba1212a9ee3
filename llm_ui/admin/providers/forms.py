"""The forms of the providers page: add, edit, choose models, delete."""

from typing import Any

from llm_ui.admin.numbers import place_field
from llm_ui.admin.providers.reach import KEYS
from llm_ui.admin.providers.state import ADD, DELETE, EDIT, MODELS, OFF
from llm_ui.contract.probes import FoundModel
from llm_ui.kit.i18n import gettext as _
from llm_ui.services.presets import PRESETS
from llm_ui.services.providers import ProviderInfo
from llm_ui.services.reach import KeyView
from llm_ui.ui.names import shown_name

Field = dict[str, Any]


def title(sheet: str, selected: ProviderInfo | None) -> str:
    """Return what the open form is about."""
    titles = {
        ADD: _("Add provider"),
        EDIT: _("Edit {name}"),
        MODELS: _("Models of {name}"),
        OFF: _("Switch {name} off?"),
        DELETE: _("Delete {name}?"),
        KEYS: _("Keys of {name}"),
    }
    return titles.get(sheet, "").format(name="" if selected is None else selected.name)


def text(sheet: str, consequences: str) -> str:
    """Return the sentence above the fields."""
    if sheet == KEYS:
        return _("One that is refused or has spent its allowance rests for a while; the others go on.")
    return consequences if sheet in (OFF, DELETE) else ""


def tone(sheet: str) -> str:
    """Return how that sentence looks."""
    return "warning" if sheet in (OFF, DELETE) else "plain"


def buttons(sheet: str) -> list[dict[str, str]]:
    """Return the buttons; Enter presses the first."""
    saving = [{"action": "save_and_test", "label": _("Save and test")}, {"action": "save", "label": _("Save")}]
    shown: dict[str, list[dict[str, str]]] = {
        ADD: saving,
        EDIT: [*saving, {"action": "ask_delete", "label": _("Delete …"), "tone": "quiet danger"}],
        MODELS: [{"action": "add_models", "label": _("Add models")}, {"action": "close", "label": _("Not now")}],
        KEYS: [
            {"action": "add_key", "label": _("Add key")},
            {"action": "weigh_key", "label": _("Set its weight")},
            {"action": "retire_key", "label": _("Retire it"), "tone": "quiet danger"},
        ],
        OFF: [
            {"action": "close", "label": _("Leave it as it is")},
            {"action": "switch_off", "label": _("Switch off"), "tone": "quiet danger"},
        ],
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
    sheet: str,
    *,
    types: dict[str, str],
    hint: str,
    served: tuple[FoundModel, ...],
    already: list[str],
    keys: tuple[KeyView, ...],
    selected: ProviderInfo | None,
) -> list[Field]:
    """Return the fields of the open form."""
    match sheet:
        case "add":
            return [_preset(), _name(), _kind(types), _address(), _key(hint=hint)]
        case "edit":
            present = "" if selected is None else selected.header_names
            kept = _("Leave it empty to keep the present key.")
            return [_name(), place_field(), _address(), _key(hint=kept), *_limits(present)]
        case "keys":
            return _keys(keys)
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


def _limits(header_names: str) -> list[Field]:
    """Return the fields of how it is reached."""
    kept = _("Kept: {names}. A single - takes them away.").format(names=header_names) if header_names else ""
    usual = _("As usual")
    numbers = (
        ("most_at_once", _("Questions at once")), ("connect_s", _("Seconds until it takes the connection")),
        ("first_byte_s", _("Seconds until an answer begins")), ("idle_s", _("Seconds between two pieces")),
        ("total_s", _("Seconds for a whole answer")),
    )  # fmt: skip
    hedge = {"name": "hedge_s", "label": _("Seconds of silence until a stand-in is asked beside it")}
    return [
        {
            "name": "headers", "label": _("Extra headers"), "type": "secret", "hint": kept,
            "placeholder": _("Name: value; Name: value"),
        },
        *({"name": name, "label": label, "placeholder": usual, "inputmode": "decimal"} for name, label in numbers),
        {**hedge, "placeholder": _("Never"), "inputmode": "decimal"},
    ]  # fmt: skip


def _keys(keys: tuple[KeyView, ...]) -> list[Field]:
    """Return the fields of its keys."""
    options = [
        {"value": key.id, "label": _("Key …{hint}, weight {weight}").format(hint=key.hint, weight=key.weight)}
        for key in keys
    ]
    share = _("A key of weight 2 is used twice as often as one of weight 1, as long as the provider takes both.")
    return [
        {"name": "new_key", "label": _("Another key"), "type": "secret", "hint": ""},
        {"name": "chosen_key", "label": _("Keys in use"), "type": "select", "options": options},
        {"name": "weight", "label": _("Weight"), "type": "text", "inputmode": "numeric", "hint": share},
    ]


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
