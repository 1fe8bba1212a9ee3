"""Numbers as people type them into the forms of the administration."""

from llm_ui.errors import InvalidInput
from llm_ui.kit.i18n import number, typed


def whole(value: str, refusal: str) -> int | None:
    """Return a typed count; thousands may be set off. None: nothing is typed. Raises `InvalidInput`."""
    digits = typed(value).replace(",", "").replace("_", "").replace(" ", "")
    if not digits:
        return None
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 12:
        raise InvalidInput(refusal)
    return int(digits)


def seconds(value: str, refusal: str) -> float | None:
    """Return typed seconds. None: nothing is typed. Raises `InvalidInput`."""
    words = typed(value).strip()
    try:
        return float(words) if words else None
    except ValueError:
        raise InvalidInput(refusal) from None


def shown(value: float | None) -> str:
    """Return seconds as a form shows them; empty where none are set."""
    return "" if value is None else number(value, "g")
