"""Names of what was there from the beginning, in the reader's language; those that people gave stay as they are."""

from llm_ui.kit.i18n import gettext as _
from llm_ui.services.seed import NAMES


def shown_name(name: str) -> str:
    """Return the name of a model or of instructions as it is shown here."""
    return _(name) if name in NAMES else name
