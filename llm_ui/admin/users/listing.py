"""The list of accounts: its columns and filters."""

from datetime import datetime
from typing import Any

from llm_ui.admin.listing.listing import Column, Filter, Listing
from llm_ui.kit.i18n import day, instant, later, number
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.money import plain
from llm_ui.services import user_list
from llm_ui.services.user_list import ListedUser
from llm_ui.services.users import UserState
from llm_ui.ui.amounts import money

ROLES = {"admin": later("Administrator"), "operator": later("Operator"), "user": later("Person")}
STATES = {
    UserState.ACTIVE.value: later("Active"),
    UserState.INVITED.value: later("Invited"),
    UserState.WAITING.value: later("Waits for approval"),
    UserState.DISABLED.value: later("Disabled"),
}
TONES = {UserState.ACTIVE: "ok", UserState.INVITED: "accent", UserState.WAITING: "warning"}
THIS_MONTH = later("this month")


def _name(listed: ListedUser) -> dict[str, str]:
    return {"text": listed.user.name, "detail": listed.user.email, "href": f"/admin/users/{listed.user.id}"}


def _state(listed: ListedUser) -> dict[str, str]:
    return {"text": _(STATES[listed.user.state]), "tone": TONES.get(listed.user.state, "quiet")}


def _seen(listed: ListedUser) -> str:
    return "" if listed.user.last_seen_at is None else instant(listed.user.last_seen_at)


def _cost(listed: ListedUser) -> str:
    return money(listed.cost_usd) if listed.cost_usd else ""


def _count(value: int) -> str:
    return number(value) if value else ""


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _actions(listed: ListedUser) -> list[dict[str, str]]:
    if listed.user.state is not UserState.WAITING:
        return []
    return [{"action": "approve", "label": _("Approve")}, {"action": "reject", "label": _("Reject"), "tone": "danger"}]


def _is_faint(listed: ListedUser) -> bool:
    return listed.user.state is UserState.DISABLED


COLUMNS: tuple[Column[Any], ...] = (
    Column("name", later("Name"), _name, lambda one: one.user.name),
    Column("email", later("E-mail"), None, lambda one: one.user.email),
    Column("role", later("Role"), lambda one: _(ROLES[one.user.role]), lambda one: one.user.role.value),
    Column("state", later("State"), _state, lambda one: one.user.state.value),
    Column("seen", later("Last seen"), _seen, lambda one: _iso(one.user.last_seen_at)),
    Column("created", later("Created"), lambda one: day(one.user.created_at), lambda one: _iso(one.user.created_at)),
    Column("chats", later("Chats"), lambda one: _count(one.chats), lambda one: one.chats, False, is_number=True),
    Column("tokens", later("Tokens"), lambda one: _count(one.tokens), lambda one: one.tokens, True, True, THIS_MONTH),
    Column("cost", later("Cost"), _cost, lambda one: plain(one.cost_usd), True, True, THIS_MONTH),
)

USERS = Listing(
    name="users",
    caption=later("Users"),
    searched=later("Name or e-mail"),
    columns=COLUMNS,
    rows=user_list.rows,
    key=lambda one: one.user.id,
    empty=later("There are no accounts."),
    filters=(Filter("role", later("Role"), ROLES), Filter("state", later("State"), STATES)),
    actions=_actions,
    is_faint=_is_faint,
)
