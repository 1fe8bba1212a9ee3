"""People whose accounts a directory keeps: who comes, who is somebody else now, and who goes.

A directory decides on what is its own: accounts that it made, those whose person has connected it with theirs, and
where an administrator has said so those with the same e-mail address. An administrator's account is never taken over by
its address, and nothing that anybody wrote is deleted: who is taken out of a directory cannot sign in any more.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Select, func, literal, select
from sqlalchemy.exc import IntegrityError

from llm_ui.db import ReadSession, Session
from llm_ui.errors import Conflict, InvalidInput, NotFound
from llm_ui.kit.clock import now
from llm_ui.kit.ids import DirectoryGroupId, UserId
from llm_ui.kit.text import name_key, storable
from llm_ui.models import DirectoryGroup, DirectoryPerson, LinkedSignIn, Role, TeamMember, User
from llm_ui.services import audit, team_members, users
from llm_ui.services.directories import Directory
from llm_ui.services.directory_search import Attribute, Condition, by_id, folded, where
from llm_ui.services.linked_sign_ins import free_name
from llm_ui.services.users import NewUser, address_problems, insert

MAX_CHARS = 255
ATTRIBUTES = {
    "id": by_id(DirectoryPerson.user_id),
    "external_id": Attribute(DirectoryPerson.external_id, is_text=True),
    "user_name": folded(DirectoryPerson.name_key),
    "active": Attribute(User.is_active),
    "emails.value": folded(User.email_key),
    "emails.type": Attribute(literal("work"), is_text=True),
    "emails.primary": Attribute(literal(value=True)),
    "meta.created": Attribute(DirectoryPerson.created_at),
    "meta.last_modified": Attribute(DirectoryPerson.updated_at),
}
"""What people are looked for by, as `api.scim.kept` calls it."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a directory says of somebody."""

    name: str
    email: str
    external_id: str | None = None
    display_name: str = ""
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody as their directory sees them."""

    id: UserId
    told: Told
    groups: tuple[tuple[DirectoryGroupId, str], ...]
    created_at: datetime
    updated_at: datetime


async def find(
    session: ReadSession, directory: Directory, condition: Condition | None, start: int, count: int
) -> tuple[int, tuple[Person, ...]]:
    """Return how many people there are that fit, and `count` of them after the first `start`, oldest first.

    Raises `NotAsked`.
    """
    query = _kept(directory)
    if condition is not None:
        query = query.where(where(condition, ATTRIBUTES))
    total = await session.scalar(select(func.count()).select_from(query.subquery())) or 0
    ordered = query.order_by(DirectoryPerson.created_at, DirectoryPerson.user_id)
    rows = (await session.execute(ordered.offset(start).limit(count))).all() if count else []
    groups = await _groups(session, directory, [row.user_id for row, _ in rows])
    return total, tuple(_person(row, user, groups.get(row.user_id, ())) for row, user in rows)


async def read(session: ReadSession, directory: Directory, user_id: UserId) -> Person:
    """Return somebody. Raises `NotFound`."""
    row, user = await _row(session, directory, user_id)
    groups = await _groups(session, directory, [user_id])
    return _person(row, user, groups.get(user_id, ()))


async def create(session: Session, directory: Directory, told: Told) -> Person:
    """Keep an account for somebody: a new one, or the one they have. Raises `InvalidInput` and `Conflict`."""
    told = _checked(told)
    row, user = await _returning(session, directory, told)
    if user is None:
        name = await free_name(session, told.name, told.email)
        user = await insert(session, NewUser(name, told.email, ""), Role.USER, "")
        await audit.record(session, directory.actor, "user.created", user.name, target_id=user.id, role=user.role.value)
    else:
        await audit.record(session, directory.actor, "user.taken_over", user.name, target_id=user.id)
    if row is None:
        row = DirectoryPerson(user_id=user.id, issuer_id=directory.issuer_id)
        row.name = row.name_key = row.display_name = ""
        session.add(row)
    row.ended_at = None
    await _become(session, directory, row, user, told)
    return await read(session, directory, user.id)


async def change(session: Session, directory: Directory, user_id: UserId, told: Told) -> Person:
    """Have somebody be what is told now. Raises `NotFound`, `InvalidInput` and `Conflict`."""
    row, user = await _row(session, directory, user_id)
    await _become(session, directory, row, user, _checked(told))
    return await read(session, directory, user_id)


async def delete(session: Session, directory: Directory, user_id: UserId) -> None:
    """Let somebody go: their account is disabled, and they leave the directory's teams. Raises as `change`."""
    row, user = await _row(session, directory, user_id)
    # rights: of the directory's own groups
    of_groups = select(DirectoryGroup.team_id).where(DirectoryGroup.issuer_id == directory.issuer_id)
    given = TeamMember.user_id == user_id, TeamMember.issuer_id == directory.issuer_id
    mine = select(TeamMember.team_id).where(*given, TeamMember.team_id.in_(of_groups)).order_by(TeamMember.team_id)
    for team_id in (await session.scalars(mine)).all():
        await team_members.leave(session, directory.actor, team_id, user_id)
    if user.is_active:
        await users.set_active(session, directory.actor, user_id, is_active=False)
    row.ended_at = now()
    await audit.record(session, directory.actor, "directory.person_ended", user.name, target_id=user_id)
    await session.flush()


def _kept(directory: Directory) -> Select[DirectoryPerson, User]:
    # rights: a directory sees whom it keeps
    query = select(DirectoryPerson, User).join(User, User.id == DirectoryPerson.user_id)
    return query.where(DirectoryPerson.issuer_id == directory.issuer_id, DirectoryPerson.ended_at.is_(None))


async def _row(session: ReadSession, directory: Directory, user_id: UserId) -> tuple[DirectoryPerson, User]:
    found = (await session.execute(_kept(directory).where(DirectoryPerson.user_id == user_id))).one_or_none()
    if found is None:
        raise NotFound("There is nobody of this id.")
    row, user = found
    return row, user


async def _returning(
    session: ReadSession, directory: Directory, told: Told
) -> tuple[DirectoryPerson | None, User | None]:
    """Return what there is of somebody who comes: what the directory kept before, and their account.

    Raises `Conflict` for whom it keeps now, and for an account that is not the directory's to keep.
    """
    # rights: the directory's own, and only whether an address is taken
    own = select(DirectoryPerson).where(DirectoryPerson.issuer_id == directory.issuer_id)
    same = DirectoryPerson.name_key == name_key(told.name)
    if told.external_id is not None:
        same |= DirectoryPerson.external_id == told.external_id
    known = (await session.scalars(own.where(same))).all()
    if any(row.ended_at is None for row in known):
        raise Conflict("{name} is kept here already. Change them instead.", name=told.name)
    if known:
        # Of two the one that the directory knows by its own id.
        row = next((row for row in known if row.external_id == told.external_id), known[0])
        return row, await session.get_one(User, row.user_id)
    user = await session.scalar(select(User).where(User.email_key == name_key(told.email)))
    if user is None:
        return None, None
    kept = await session.get(DirectoryPerson, user.id)
    linked = select(LinkedSignIn.subject).where(LinkedSignIn.issuer_id == directory.issuer_id)
    is_linked = await session.scalar(linked.where(LinkedSignIn.user_id == user.id)) is not None
    is_open = directory.takes_over and user.role is not Role.ADMIN and not user.is_service
    is_ended = kept is not None and kept.issuer_id == directory.issuer_id and kept.ended_at is not None
    if not is_ended and (kept is not None or not (is_linked or is_open)):
        raise Conflict(
            "There is an account with the address {email} here already. Its person connects {issuer} on the account "
            "page, or an administrator lets the directory take over accounts; then try again.",
            email=told.email,
            issuer=directory.name,
        )
    return kept, user


async def _become(session: Session, directory: Directory, row: DirectoryPerson, user: User, told: Told) -> None:
    before = {"directory_name": row.name, "external_id": row.external_id, "email": user.email}
    row.name, row.name_key = told.name, name_key(told.name)
    row.external_id, row.display_name = told.external_id, told.display_name
    user.email, user.email_key = told.email, name_key(told.email)
    try:
        await session.flush()
    except IntegrityError:
        raise Conflict("This userName, externalId or e-mail address is somebody else's here.") from None
    after = {"directory_name": row.name, "external_id": row.external_id, "email": user.email}
    if changes := audit.difference(before, after):
        await audit.record(
            session, directory.actor, "directory.person_changed", user.name, target_id=user.id, changes=changes
        )  # fmt: skip
    if told.is_active and user.pending is not None:
        # The directory knows who they are: that is what the account waited for.
        user.pending = None
    if told.is_active != user.is_active and user.pending is None:
        await users.set_active(session, directory.actor, user.id, is_active=told.is_active)


async def _groups(
    session: ReadSession, directory: Directory, ids: Sequence[UserId]
) -> dict[UserId, tuple[tuple[DirectoryGroupId, str], ...]]:
    """Return the groups that each of these people is in."""
    # rights: of the directory's own groups
    query = select(TeamMember.user_id, DirectoryGroup.id, DirectoryGroup.name)
    query = query.join(DirectoryGroup, DirectoryGroup.team_id == TeamMember.team_id)
    mine = DirectoryGroup.issuer_id == directory.issuer_id, TeamMember.issuer_id == directory.issuer_id
    rows = await session.execute(query.where(*mine, TeamMember.user_id.in_(ids)).order_by(DirectoryGroup.created_at))
    found: dict[UserId, tuple[tuple[DirectoryGroupId, str], ...]] = {}
    for user_id, group_id, name in rows:
        found[user_id] = (*found.get(user_id, ()), (group_id, name))
    return found


def _checked(told: Told) -> Told:
    """Return what is told as it is stored. Raises `InvalidInput`."""
    found = replace(
        told,
        name=storable(told.name).strip(),
        email=told.email.strip(),
        external_id=storable(told.external_id or "") or None,
        display_name=storable(told.display_name),
    )
    for attribute, value in (("userName", found.name), ("externalId", found.external_id or "")):
        if len(value) > MAX_CHARS or len(name_key(value)) > MAX_CHARS:
            raise InvalidInput("{attribute} has {most} characters at most.", attribute=attribute, most=MAX_CHARS)
    if len(found.display_name) > MAX_CHARS:
        raise InvalidInput("{attribute} has {most} characters at most.", attribute="displayName", most=MAX_CHARS)
    if not found.name:
        raise InvalidInput("userName is empty; people are known by it.")
    if address_problems("name", found.email):
        raise InvalidInput("An account needs an e-mail address like name@example.org, in emails or as userName.")
    return found


def _person(row: DirectoryPerson, user: User, groups: tuple[tuple[DirectoryGroupId, str], ...]) -> Person:
    told = Told(row.name, user.email, row.external_id, row.display_name, user.is_active)
    return Person(user.id, told, groups, row.created_at, row.updated_at)
