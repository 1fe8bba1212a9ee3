"""What the lists of the settings page offer, by label."""

from llm_ui.admin.settings.state import NONE
from llm_ui.models import ProviderKind
from llm_ui.services.ai_models import ModelInfo
from llm_ui.services.prompts import PromptInfo

SHARING = {
    "Nobody: no links": "off",
    "People who are signed in": "signed_in",
    "Anyone who has the link": "anyone",
}
"""Who may be given links to chats."""

ERRANDS = {
    "makes_titles": "Give new chats a title, unless their person names them",
    "suggests_follow_ups": "Suggest up to three questions to ask next; people can switch it off",
    "sums_up": "Sum up old messages of long chats that no longer fit the model's window",
}
"""What the helper model may do, by the state's parameter."""


def models(listed: tuple[ModelInfo, ...], default: str) -> dict[str, str]:
    """Return the ids of the models that may become the default."""
    none = {} if default else {"None: choose one": NONE}
    return none | {f"{model.display_name} · {model.provider_name}": str(model.id) for model in listed}


def helpers(listed: tuple[ModelInfo, ...]) -> dict[str, str]:
    """Return the ids of the models that may do what is done in the background."""
    real = (model for model in listed if model.kind is not ProviderKind.DEMO)
    return {"None: nothing is made": NONE} | {
        f"{each.display_name} · {each.provider_name}": str(each.id) for each in real
    }


def prompts(listed: tuple[PromptInfo, ...]) -> dict[str, str]:
    """Return the ids of the instructions that new chats may start with."""
    return {"None": NONE, **{prompt.name: str(prompt.id) for prompt in listed}}
