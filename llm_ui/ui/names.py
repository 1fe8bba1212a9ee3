"""Names of what was there from the beginning, in the reader's language, and of what time is spent on."""

from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import later
from llm_ui.services.explanations import Stretch
from llm_ui.services.seed import NAMES

STRETCHES = {
    Stretch.RETRIEVAL: later("Looking through the documents"),
    Stretch.CONTEXT: later("Putting the context together"),
    Stretch.STORING: later("Storing the question"),
    Stretch.CONNECTING: later("Connecting to the provider"),
    Stretch.FIRST_TOKEN: later("Waiting for the first token"),
    Stretch.WRITING: later("Writing"),
    Stretch.TOOLS: later("Using tools"),
    Stretch.TRIED: later("Waiting for {name} in vain"),
}


def shown_name(name: str) -> str:
    """Return the name of a model or of instructions as it is shown here. Names that people gave stay as they are."""
    return _(name) if name in NAMES else name
