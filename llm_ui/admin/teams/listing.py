"""The list of teams: its columns."""

from llm_ui.admin.listing.listing import Column, Listing
from llm_ui.kit.i18n import day, later, number
from llm_ui.services import team_list
from llm_ui.services.team_list import ListedTeam


def _name(listed: ListedTeam) -> dict[str, str]:
    return {"text": listed.name, "href": f"/teams/{listed.id}"}


def _owners(listed: ListedTeam) -> str:
    return ", ".join(listed.owners)


TEAMS: Listing[ListedTeam] = Listing(
    name="teams",
    caption=later("Teams"),
    searched=later("Name"),
    columns=(
        Column("name", later("Name"), _name, lambda one: one.name),
        Column("owners", later("Owners"), _owners, _owners, is_sorted=False),
        Column("members", later("Members"), lambda one: number(one.members), lambda one: one.members, is_number=True),
        Column("created", later("Created"), lambda one: day(one.created_at), lambda one: one.created_at.isoformat()),
    ),
    rows=team_list.rows,
    key=lambda one: one.id,
    empty=later("There are no teams. Administrators begin them."),
)
