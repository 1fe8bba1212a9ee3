"""What the lists of the settings page offer, by label."""

from llm_ui.admin.settings.state import NONE
from llm_ui.services.ai_models import ModelInfo
from llm_ui.services.prompts import PromptInfo

SHARING = {
    "Nobody: no links": "off",
    "People who are signed in": "signed_in",
    "Anyone who has the link": "anyone",
}
"""Who may be given links to chats."""


def models(listed: tuple[ModelInfo, ...], default: str) -> dict[str, str]:
    """Return the ids of the models that may become the default."""
    none = {} if default else {"None: choose one": NONE}
    return none | {f"{model.display_name} · {model.provider_name}": str(model.id) for model in listed}


def prompts(listed: tuple[PromptInfo, ...]) -> dict[str, str]:
    """Return the ids of the instructions that new chats may start with."""
    return {"None": NONE, **{prompt.name: str(prompt.id) for prompt in listed}}
