"""Lists of the administration as files."""

import json
from collections.abc import AsyncIterator
from typing import Any

from tornado.iostream import StreamClosedError

from llm_ui.admin.alerts.listing import ALERTS
from llm_ui.admin.audit.listing import AUDIT
from llm_ui.admin.jobs.listing import DOCUMENTS
from llm_ui.admin.listing.listing import Listing
from llm_ui.admin.logs.listing import LOGS
from llm_ui.admin.quality.listing import EVALUATIONS, RATINGS
from llm_ui.admin.runs.listing import RUNS
from llm_ui.admin.system.listing import SESSIONS
from llm_ui.admin.teams.listing import TEAMS
from llm_ui.admin.users.listing import USERS
from llm_ui.auth.plain import PlainHandler
from llm_ui.errors import LLMUIError
from llm_ui.kit.clock import now
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.spreadsheet import csv_lines
from llm_ui.observability.logging import get_logger
from llm_ui.services.listing import pieces

log = get_logger(__name__)

LISTS: dict[str, Listing[Any]] = {
    listing.name: listing
    for listing in (USERS, TEAMS, RUNS, DOCUMENTS, SESSIONS, LOGS, ALERTS, AUDIT, RATINGS, EVALUATIONS)
}
MEDIA_TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json"}


class ListFile(PlainHandler):
    """One list, as far as the search and the filters of its page leave it."""

    async def get(self, name: str, kind: str) -> None:
        """Send it as fast as the browser takes it."""
        if self.actor is None:
            self.redirect("/login")
            return
        listing = LISTS.get(name)
        if listing is None:
            self.say(404, _("Not found"), _("There is no page at this address."))
            return
        try:
            rows = listing.rows(self.actor, listing.asked(self.request.query))
        except LLMUIError as refusal:
            self.say(refusal.status, _("Not for this account"), refusal.message)
            return
        self.set_header("Content-Type", MEDIA_TYPES[kind])
        self.set_header("Content-Disposition", f'attachment; filename="{name}-{now():%Y-%m-%d}.{kind}"')
        found = pieces(self.site.backend.database, rows)
        try:
            async for text in (_as_csv if kind == "csv" else _as_json)(listing, found):
                self.write(text.encode())
                await self.flush()
        except StreamClosedError:
            log.info("list.cancelled")
        except LLMUIError as error:
            # The file has begun: cut off, so that no browser takes what there is for all of it.
            log.warning("list.failed", code=error.code)
            self.request.connection.stream.close()


async def _as_csv(listing: Listing[Any], found: AsyncIterator[tuple[Any, ...]]) -> AsyncIterator[str]:
    yield csv_lines([[column.key for column in listing.columns]])
    async for items in found:
        yield csv_lines([column.exported(item) for column in listing.columns] for item in items)


async def _as_json(listing: Listing[Any], found: AsyncIterator[tuple[Any, ...]]) -> AsyncIterator[str]:
    between = "[\n"
    async for items in found:
        lines = (json.dumps({column.key: column.exported(item) for column in listing.columns}) for item in items)
        yield between + ",\n".join(lines)
        between = ",\n"
    yield "[]\n" if between == "[\n" else "\n]\n"
