"""Receipts of deleted accounts as files."""

import json
from uuid import UUID

from llm_ui.auth.plain import PlainHandler
from llm_ui.errors import LLMUIError
from llm_ui.kit.i18n import gettext as _
from llm_ui.services import erasures


class ReceiptFile(PlainHandler):
    """One receipt, which names nobody but by an id."""

    async def get(self, named: str) -> None:
        """Send it."""
        if self.actor is None:
            self.redirect("/login")
            return
        try:
            async with self.site.backend.database.reading() as session:
                found = await erasures.read(session, self.actor, UUID(named))
        except LLMUIError as refusal:
            self.say(refusal.status, _("Not for this account"), refusal.message)
            return
        self.set_header("Content-Type", "application/json")
        self.set_header("Content-Disposition", f'attachment; filename="receipt-{found.id}.json"')
        self.set_header("Cache-Control", "no-store")
        self.finish(json.dumps(erasures.told(found), indent=2).encode() + b"\n")
