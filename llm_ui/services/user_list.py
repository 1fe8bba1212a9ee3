"""The list of accounts."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, case, or_

from llm_ui.db import ReadSession
from llm_ui.kit.text import name_key, storable
from llm_ui.models import Role, User
from llm_ui.services.access import Actor, Permission, readable, require
from llm_ui.services.listing import Asked, Rows
from llm_ui.services.users import UserInfo, info_of


def rows(actor: Actor, asked: Asked) -> Rows[UserInfo]:
    """Return the accounts that are asked for. Filters: `role` and `state`."""
    require(actor, Permission.MANAGE_USERS)
    query = readable(User, actor)
    if key := name_key(storable(asked.search)):
        query = query.where(or_(*(column.contains(key, autoescape=True) for column in (User.name_key, User.email_key))))
    if role := asked.filters.get("role"):
        query = query.where(User.role == Role(role))
    if state := asked.filters.get("state"):
        query = query.where(User.is_active.is_(state == "active"))
    sorts: Mapping[str, SQLColumnExpression[Any]] = {
        "name": User.name_key,
        "email": User.email_key,
        "role": User.role,
        "state": _rank(),
        "seen": User.last_sign_in_at,
        "created": User.created_at,
    }
    return Rows(query, User.id, sorts, _told)


def _rank() -> ColumnElement[int]:
    return case((User.is_active, 0), else_=1)


async def _told(_session: ReadSession, users: Sequence[User]) -> tuple[UserInfo, ...]:
    return tuple(map(info_of, users))
