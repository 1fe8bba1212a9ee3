"""What is said when a filter stops something: which one, and what to do next."""

from llm_ui.errors import ContentBlocked
from llm_ui.kit.i18n import later
from llm_ui.models import FilterKind

MESSAGES = {
    FilterKind.INJECTION: later(
        "The filter for attempts to overrule a model's instructions stopped this message. "
        "Word it differently, or ask an administrator."
    ),
    FilterKind.PII: later(
        "The filter for personal data stopped this message. Take out what is personal, or ask an administrator."
    ),
    FilterKind.SECRETS: later(
        "The filter for secrets stopped this message. Take out the key, token or password, or ask an administrator."
    ),
    FilterKind.TERMS: later(
        "The filter for banned terms stopped this message. Word it differently, or ask an administrator."
    ),
    FilterKind.MODERATION: later(
        "The provider's moderation stopped this message. Word it differently, or ask an administrator."
    ),
}
ANSWERS = {
    FilterKind.PII: later("The filter for personal data ended this answer. Ask differently, or ask an administrator."),
    FilterKind.SECRETS: later("The filter for secrets ended this answer. Ask differently, or ask an administrator."),
    FilterKind.TERMS: later("The filter for banned terms ended this answer. Ask differently, or ask an administrator."),
    FilterKind.MODERATION: later(
        "The provider's moderation ended this answer. Ask differently, or ask an administrator."
    ),
}
UNREACHABLE = later(
    "The moderation that has to look at all messages does not answer. Try again in a moment, or ask an administrator."
)


def stopped(kind: FilterKind, *, is_output: bool) -> ContentBlocked:
    """Return the refusal of a message, or of an answer."""
    return ContentBlocked((ANSWERS if is_output else MESSAGES)[kind])
