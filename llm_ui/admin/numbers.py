"""Numbers as people type them into the forms of the administration."""

from llm_ui.errors import InvalidInput
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import later, number, typed

PLACE_REFUSED = later("A place is a whole number, such as 1, or empty.")


def place_field() -> dict[str, str]:
    """Return the field of a form for where something stands in lists."""
    hint = _("1 comes first; those without a number follow by name.")
    return {
        "name": "place", "label": _("Place in lists"), "placeholder": _("By name"), "inputmode": "numeric",
        "hint": hint,
    }  # fmt: skip


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
