"""What the lists of the settings page offer, by label."""

from llm_ui.admin.settings.state import NONE, ROOM_CHOICES
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import number
from llm_ui.models import ProviderKind
from llm_ui.services.ai_models import ModelInfo
from llm_ui.services.prompts import PromptInfo
from llm_ui.ui.names import shown_name


def sharing() -> dict[str, str]:
    """Return who may be given links to chats."""
    return {
        _("Nobody: no links"): "off",
        _("People who are signed in"): "signed_in",
        _("Anyone who has the link"): "anyone",
    }


def rooms() -> dict[str, str]:
    """Return whose documents may be limited: the state's parameter, and its label."""
    return {
        "room_of_person": _("Documents of one person in all projects, with the files of their chats"),
        "room_of_project": _("Documents of one project"),
    }


def megabytes(chosen: str) -> dict[str, str]:
    """Return how much room there may be, in megabytes; also what is chosen, should it be another number."""
    found = sorted({*ROOM_CHOICES, int(chosen)})
    return {_size(one) if one else _("As many as fit on the disk"): str(one) for one in found}


def _size(one: int) -> str:
    return f"{number(one // 1_000)} GB" if one >= 1_000 and one % 1_000 == 0 else f"{number(one)} MB"


def errands() -> dict[str, str]:
    """Return what the helper model may do: the state's parameter, and its label."""
    return {
        "makes_titles": _("Give new chats a title, unless their person names them"),
        "makes_tags": _("Give new chats up to three tags, unless their person tags them"),
        "suggests_follow_ups": _("Suggest up to three questions to ask next; people can switch it off"),
        "sums_up": _("Sum up old messages of long chats that no longer fit the model's window"),
        "words_queries": _(
            "Before an answer: word questions such as “And the second one?” so that documents can be searched for it; "
            "the answer waits two seconds for it at most"
        ),
    }


def models(listed: tuple[ModelInfo, ...], default: str) -> dict[str, str]:
    """Return the ids of the models that may become the default."""
    none = {} if default else {_("None: choose one"): NONE}
    return none | {f"{shown_name(model.display_name)} · {model.provider_name}": str(model.id) for model in listed}


def helpers(listed: tuple[ModelInfo, ...]) -> dict[str, str]:
    """Return the ids of the models that may do what is done in the background."""
    real = (model for model in listed if model.kind not in (ProviderKind.DEMO, ProviderKind.AUTO))
    return {_("None: nothing is made"): NONE} | {
        f"{each.display_name} · {each.provider_name}": str(each.id) for each in real
    }


def embedders(listed: tuple[ModelInfo, ...]) -> dict[str, str]:
    """Return the ids of the models that may make vectors."""
    return {_("None: search by words alone"): NONE} | {
        f"{each.display_name} · {each.provider_name}": str(each.id) for each in listed
    }


def rerankers(listed: tuple[ModelInfo, ...]) -> dict[str, str]:
    """Return the ids of the models that may put passages in order."""
    return {_("None: as they are found"): NONE} | {
        f"{each.display_name} · {each.provider_name}": str(each.id) for each in listed
    }


def prompts(listed: tuple[PromptInfo, ...]) -> dict[str, str]:
    """Return the ids of the instructions that new chats may start with."""
    return {_("None"): NONE, **{shown_name(prompt.name): str(prompt.id) for prompt in listed}}
