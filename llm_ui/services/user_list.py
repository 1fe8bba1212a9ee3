"""The list of accounts, with what each has and has used this month."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, SQLColumnExpression, case, func, or_, select, type_coerce

from llm_ui.db import ReadSession
from llm_ui.kit.clock import now
from llm_ui.kit.ids import UserId
from llm_ui.kit.text import name_key, storable
from llm_ui.models import ChatHistory, Pending, Role, Span, UsagePerson, User
from llm_ui.services.access import SYSTEM, Actor, Permission, readable, require
from llm_ui.services.listing import Asked, Rows
from llm_ui.services.usage import figures, statements
from llm_ui.services.usage.slots import Period, begin_of, slot_of
from llm_ui.services.usage.statements import By, Filters
from llm_ui.services.users import UserInfo, UserState, info_of

SORTED_BY = ("input_tokens", "output_tokens", "cost_usd")
"""Of what people used this month."""


@dataclass(frozen=True, slots=True)
class ListedUser:
    """An account, and its figures: chats that are not in the bin, tokens both ways and known costs of this month."""

    user: UserInfo
    chats: int
    tokens: int
    cost_usd: Decimal


def rows(actor: Actor, asked: Asked) -> Rows[ListedUser]:
    """Return the people's accounts that are asked for. Filters: `role` and `state`."""
    require(actor, Permission.MANAGE_USERS)
    query = readable(User, actor).where(User.is_service.is_(False))
    if key := name_key(storable(asked.search)):
        query = query.where(or_(*(column.contains(key, autoescape=True) for column in (User.name_key, User.email_key))))
    if role := asked.filters.get("role"):
        query = query.where(User.role == Role(role))
    if state := asked.filters.get("state"):
        query = query.where(_is(UserState(state)))
    booked, waiting = _booked().subquery(), statements.waiting(this_month(), By.USER, SORTED_BY).subquery()
    used = {name: func.coalesce(booked.c[name], 0) + func.coalesce(waiting.c[name], 0) for name in SORTED_BY}
    sorts: Mapping[str, SQLColumnExpression[Any]] = {
        # A search looks at all names: SQLite would do so row by row, in the order of the index that only has these.
        "name": User.name_key.concat("") if key else User.name_key,
        "role": User.role,
        "state": case((User.is_active, 0), (User.pending.is_not(None), 1), else_=2),
        "seen": User.last_seen_at,
        "created": User.created_at,
        "tokens": used["input_tokens"] + used["output_tokens"],
        "cost": used["cost_usd"],
    }

    def joined(narrowed: Select[Any], sort: str) -> Select[Any]:
        if sort not in ("tokens", "cost"):
            return narrowed
        return narrowed.outerjoin(booked, booked.c.key == User.id).outerjoin(waiting, waiting.c.key == User.id)

    return Rows(query, User.id, sorts, _told, joined)


def _is(state: UserState) -> ColumnElement[bool]:
    match state:
        case UserState.ACTIVE:
            return User.is_active.is_(True)
        case UserState.INVITED:
            return User.pending == Pending.INVITATION
        case UserState.WAITING:
            return User.pending == Pending.APPROVAL
        case UserState.DISABLED:
            return User.is_active.is_(False) & User.pending.is_(None)


def _chats() -> Select[UserId, int]:
    # rights: counts only, for administrators
    kept = select(ChatHistory.user_id, func.count().label("chats")).where(ChatHistory.deleted_at.is_(None))
    return kept.group_by(ChatHistory.user_id)


def this_month() -> Period:
    """Return this month, in UTC: one slot of the rollups, and what waits for them."""
    month = slot_of(Span.MONTH, now())
    return Period(begin_of(Span.MONTH, month), begin_of(Span.MONTH, month + 1))


def _booked() -> Select[Any]:
    # rights: figures only, for administrators
    sums = [type_coerce(getattr(UsagePerson, name), BigInteger) for name in SORTED_BY]
    query: Select[Any] = select(*sums).add_columns(UsagePerson.user_id.label("key"))
    return query.where(UsagePerson.span == int(Span.MONTH), UsagePerson.slot == slot_of(Span.MONTH, now()))


async def _told(session: ReadSession, users: Sequence[User]) -> tuple[ListedUser, ...]:
    ids: list[UserId] = [user.id for user in users]
    chats = {row.user_id: row.chats for row in await session.execute(_chats().where(ChatHistory.user_id.in_(ids)))}
    used = await figures.ranking(session, SYSTEM, Filters(people=tuple(ids)), this_month(), By.USER) if ids else {}
    return tuple(
        ListedUser(
            info_of(user),
            chats.get(user.id, 0),
            used[user.id].tokens if user.id in used else 0,
            used[user.id].cost_usd if user.id in used else Decimal(0),
        )
        for user in users
    )
