"""The list of accounts: its columns and filters."""

from datetime import datetime
from typing import Any

from llm_ui.admin.listing.listing import Column, Filter, Listing
from llm_ui.kit.i18n import day, instant, later
from llm_ui.kit.i18n import gettext as _
from llm_ui.services import user_list
from llm_ui.services.users import UserInfo

ROLES = {"admin": later("Administrator"), "user": later("Person")}
STATES = {"active": later("Active"), "disabled": later("Disabled")}
TONES = {"active": "ok"}


def _name(user: UserInfo) -> dict[str, str]:
    return {"text": user.name, "detail": user.email}


def _state(user: UserInfo) -> str:
    return "active" if user.is_active else "disabled"


def _state_chip(user: UserInfo) -> dict[str, str]:
    return {"text": _(STATES[_state(user)]), "tone": TONES.get(_state(user), "quiet")}


def _seen(user: UserInfo) -> Any:
    return "" if user.last_sign_in_at is None else instant(user.last_sign_in_at)


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


USERS = Listing(
    name="users",
    caption=later("Users"),
    searched=later("Name or e-mail"),
    columns=(
        Column("name", later("Name"), _name, lambda user: user.name),
        Column("email", later("E-mail"), None, lambda user: user.email),
        Column("role", later("Role"), lambda user: _(ROLES[user.role]), lambda user: user.role.value),
        Column("state", later("State"), _state_chip, _state),
        Column("seen", later("Last sign-in"), _seen, lambda user: _iso(user.last_sign_in_at)),
        Column("created", later("Created"), lambda user: day(user.created_at), lambda user: _iso(user.created_at)),
    ),
    rows=user_list.rows,
    key=lambda user: user.id,
    empty=later("There are no accounts."),
    filters=(Filter("role", later("Role"), ROLES), Filter("state", later("State"), STATES)),
    is_faint=lambda user: not user.is_active,
)
