"""Limits of a team or a person: the part of their pages' forms and states that is the same."""

from typing import Any, ClassVar
from uuid import UUID

import param

from llm_ui.admin.state import AdminState
from llm_ui.errors import InvalidInput
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import later
from llm_ui.models import QuotaKind, QuotaScope
from llm_ui.services import quotas
from llm_ui.services.access import Actor

LIMITS = "limits"
LABELS = {
    QuotaKind.MONTH_USD: later("Dollars a month, for models"),
    QuotaKind.STORAGE_MB: later("Room for documents, in MB"),
    QuotaKind.PROJECT_DOCUMENTS: later("Documents in each project"),
    QuotaKind.API_KEYS: later("API keys"),
}


def fields() -> list[dict[str, Any]]:
    """Return a field for each limit."""
    hint = _("As for everybody else")
    return [
        {"name": kind.value, "label": _(label), "type": "text", "inputmode": "numeric", "placeholder": hint}
        for kind, label in LABELS.items()
    ]


class LimitedState(AdminState):
    """Base of the states of pages on which limits are set."""

    month_usd = param.String(default="", doc="Dollars that models may cost in a month; empty: as otherwise.")
    storage_mb = param.String(default="", doc="Room for documents, in MB; empty: as otherwise.")
    project_documents = param.String(default="", doc="Documents of each project; empty: as otherwise.")
    api_keys = param.String(default="", doc="Live API keys; empty: as otherwise.")

    limits: ClassVar[tuple[str, ...]] = tuple(kind.value for kind in QuotaKind)

    async def read_limits(self, actor: Actor, scope: QuotaScope, key: UUID) -> None:
        """Fill the form with what holds now."""
        async with self.context.backend.database.reading() as session:
            held = await quotas.read_quotas(session, actor, scope, str(key))
        self.param.update(**{kind.value: str(held[kind]) if kind in held else "" for kind in QuotaKind})

    async def write_limits(self, actor: Actor, scope: QuotaScope, key: UUID, name: str) -> None:
        """Set what the form says. Raises `InvalidInput`."""
        wanted = {kind: _whole(getattr(self, kind.value)) for kind in QuotaKind}
        async with self.context.backend.database.writing() as session:
            await quotas.set_quotas(session, actor, scope, str(key), name, wanted)


def _whole(typed: str) -> int | None:
    text = typed.strip()
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 12:
        raise InvalidInput("A limit is a whole number from 0 to {most}; 0 is no limit.", most=quotas.MOST)
    return int(text)
