"""Tables of facts: what is known of one thing, a fact a row."""

from typing import Any

from llm_ui.kit.i18n import gettext as _


def columns() -> list[dict[str, Any]]:
    """Return their columns, for a `Table`."""
    return [{"key": "what", "label": _("What")}, {"key": "value", "label": _("Value"), "is_plain": True}]
