"""The list of sign-ins: its columns."""

from llm_ui.admin.listing.listing import Column, Listing
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import instant, later
from llm_ui.services import session_list
from llm_ui.services.session_list import ListedSession

SESSIONS: Listing[ListedSession] = Listing(
    name="sessions",
    caption=later("Sessions"),
    searched=later("Person or address"),
    columns=(
        Column("who", later("Person"), lambda one: one.user_name, lambda one: one.user_name, is_sorted=False),
        Column("address", later("Address"), lambda one: one.address, lambda one: one.address),
        Column("browser", later("Browser"), lambda one: one.user_agent, lambda one: one.user_agent, is_sorted=False),
        Column("since", later("Since"), lambda one: instant(one.created_at), lambda one: one.created_at.isoformat()),
        Column("seen", later("Last used"), lambda one: instant(one.last_seen_at),
               lambda one: one.last_seen_at.isoformat()),
    ),
    rows=session_list.rows,
    key=lambda one: one.id,
    newest_by="seen",
    empty=later("Nobody is signed in."),
    actions=lambda _one: [{"action": "end", "label": _("End"), "tone": "danger"}],
)  # fmt: skip
