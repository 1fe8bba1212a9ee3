"""Limits of a role, a team or a person: the part of their pages' forms and states that is the same."""

from typing import Any, ClassVar

import param

from llm_ui.admin.state import AdminState
from llm_ui.errors import InvalidInput
from llm_ui.kit.i18n import gettext as _
from llm_ui.models import QuotaKind, QuotaScope
from llm_ui.services import quotas
from llm_ui.services.access import Actor

LIMITS = "limits"


def fields() -> list[dict[str, Any]]:
    """Return a field for each limit."""
    hint = _("As for everybody else")
    return [
        {"name": kind.value, "label": _(label), "type": "text", "inputmode": "numeric", "placeholder": hint}
        for kind, label in quotas.LABELS.items()
    ]


class LimitedState(AdminState):
    """Base of the states of pages on which limits are set."""

    month_usd = param.String(default="", doc="Dollars that models may cost in a month; empty: as otherwise.")
    day_tokens = param.String(default="", doc="Tokens in a day; empty: as otherwise.")
    month_tokens = param.String(default="", doc="Tokens in a month; empty: as otherwise.")
    storage_mb = param.String(default="", doc="Room for documents and files, in MB; empty: as otherwise.")
    project_documents = param.String(default="", doc="Documents of each project; empty: as otherwise.")
    api_keys = param.String(default="", doc="Live API keys; empty: as otherwise.")

    limits: ClassVar[tuple[str, ...]] = tuple(kind.value for kind in QuotaKind)

    async def read_limits(self, actor: Actor, scope: QuotaScope, key: object) -> None:
        """Fill the form with what holds now."""
        async with self.context.backend.database.reading() as session:
            held = await quotas.read_quotas(session, actor, scope, str(key))
        self.param.update(**{kind.value: str(held[kind]) if kind in held else "" for kind in QuotaKind})

    async def write_limits(self, actor: Actor, scope: QuotaScope, key: object, name: str) -> None:
        """Set what the form says. Raises `InvalidInput`."""
        wanted = {kind: _whole(getattr(self, kind.value)) for kind in QuotaKind}
        async with self.context.backend.database.writing() as session:
            await quotas.set_quotas(session, actor, scope, str(key), name, wanted)


def _whole(typed: str) -> int | None:
    text = typed.strip()
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise InvalidInput("A limit is a whole number, such as 5000; 0 is no limit.")
    return int(text)
