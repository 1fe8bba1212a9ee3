"""Groups of a directory: each is a team here, whose members the directory brings and takes out again.

A group is the team that an administrator has said it is, or the one of its name, or a new one. Who was taken into it by
somebody stays; so does the team when its group is deleted, for its models, projects and limits are of this workspace.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, func, select
from sqlalchemy.exc import IntegrityError

from llm_ui.db import ReadSession, Session
from llm_ui.errors import Conflict, InvalidInput, NotFound
from llm_ui.kit.clock import now
from llm_ui.kit.ids import DirectoryGroupId, TeamId, UserId
from llm_ui.kit.text import name_key, one_line, storable
from llm_ui.models import DirectoryGroup, DirectoryPerson, IssuerTeam, Team, TeamMember
from llm_ui.services import audit, team_members, teams
from llm_ui.services.directories import Directory
from llm_ui.services.directory_search import Attribute, Condition, by_id, folded, where
from llm_ui.services.teams import MAX_NAME_CHARS

MAX_CHARS = 255
AT_ONCE = 500
"""Values of one statement."""


@dataclass(frozen=True, slots=True)
class Members:
    """What is to change of who is in a group: all of it, or that some come and some go."""

    whole: frozenset[UserId] | None = None
    coming: frozenset[UserId] = frozenset()
    going: frozenset[UserId] = frozenset()


@dataclass(frozen=True, slots=True)
class ToldGroup:
    """What a directory says of a group."""

    name: str
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """A group as its directory sees it."""

    id: DirectoryGroupId
    told: ToldGroup
    members: frozenset[UserId]
    """None of them where they were not asked for."""
    created_at: datetime
    updated_at: datetime


async def find(
    session: ReadSession,
    directory: Directory,
    condition: Condition | None,
    start: int,
    count: int,
    *,
    with_members: bool,
) -> tuple[int, tuple[Group, ...]]:
    """Return how many groups there are that fit, and `count` of them after the first `start`, oldest first.

    Raises `NotAsked`.
    """
    query = _kept(directory)
    if condition is not None:
        query = query.where(where(condition, _attributes(directory)))
    total = await session.scalar(select(func.count()).select_from(query.subquery())) or 0
    ordered = query.order_by(DirectoryGroup.created_at, DirectoryGroup.id).offset(start).limit(count)
    rows = (await session.scalars(ordered)).all() if count else []
    members = [await _members(session, directory, row.team_id) if with_members else frozenset() for row in rows]
    return total, tuple(map(_group, rows, members))


async def read(
    session: ReadSession, directory: Directory, group_id: DirectoryGroupId, *, with_members: bool = True
) -> Group:
    """Return a group. Raises `NotFound`."""
    row = await _row(session, directory, group_id)
    return _group(row, await _members(session, directory, row.team_id) if with_members else frozenset())


async def create(session: Session, directory: Directory, told: ToldGroup, members: Members) -> DirectoryGroupId:
    """Have a group be a team. Raises `InvalidInput` and `Conflict`."""
    told = _checked(told)
    row = DirectoryGroup(
        issuer_id=directory.issuer_id,
        team_id=await _team(session, directory, told),
        name=told.name,
        name_key=name_key(told.name),
        external_id=told.external_id,
    )
    session.add(row)
    await _flush(session)
    await audit.record(session, directory.actor, "directory.group_kept", row.name, target_id=row.team_id)
    await _follow(session, directory, row, members)
    return row.id


async def change(
    session: Session, directory: Directory, group_id: DirectoryGroupId, told: ToldGroup, members: Members
) -> None:
    """Have a group be what is told now. Raises `NotFound`, `InvalidInput` and `Conflict`."""
    row, told = await _row(session, directory, group_id), _checked(told)
    before = row.name
    row.name, row.name_key, row.external_id = told.name, name_key(told.name), told.external_id
    await _flush(session)
    team = await teams.team_row(session, directory.actor, row.team_id)
    if row.name != before and team.name == _team_name(before):
        await teams.rename(session, directory.actor, row.team_id, _team_name(row.name))
    await _follow(session, directory, row, members)


async def delete(session: Session, directory: Directory, group_id: DirectoryGroupId) -> None:
    """Keep a group no longer: whom it brought leave its team, which stays. Raises `NotFound`."""
    row = await _row(session, directory, group_id)
    await _follow(session, directory, row, Members(whole=frozenset()))
    await session.delete(row)
    await audit.record(session, directory.actor, "directory.group_ended", row.name, target_id=row.team_id)
    await session.flush()


def _attributes(directory: Directory) -> dict[str, Attribute]:
    """Return what groups are looked for by, as `api.scim.kept` calls it."""

    def has_member(user_id: UUID) -> ColumnElement[bool]:
        # rights: of the directory's own groups
        brought = TeamMember.team_id == DirectoryGroup.team_id, TeamMember.issuer_id == directory.issuer_id
        return exists().where(*brought, TeamMember.user_id == user_id)

    return {
        "id": by_id(DirectoryGroup.id),
        "external_id": Attribute(DirectoryGroup.external_id, is_text=True),
        "display_name": folded(DirectoryGroup.name_key),
        "members.value": Attribute(None, UUID, same=has_member),
        "meta.created": Attribute(DirectoryGroup.created_at),
        "meta.last_modified": Attribute(DirectoryGroup.updated_at),
    }


def _kept(directory: Directory) -> Select[DirectoryGroup]:
    # rights: a directory sees what it keeps
    return select(DirectoryGroup).where(DirectoryGroup.issuer_id == directory.issuer_id)


async def _row(session: ReadSession, directory: Directory, group_id: DirectoryGroupId) -> DirectoryGroup:
    row = await session.scalar(_kept(directory).where(DirectoryGroup.id == group_id))
    if row is None:
        raise NotFound("There is no group of this id.")
    return row


async def _team(session: Session, directory: Directory, told: ToldGroup) -> TeamId:
    """Return the team that a new group is. Raises `Conflict` where that is another group already."""
    # rights: the directory acts as an administrator
    said = select(IssuerTeam.team_id).join(Team).where(IssuerTeam.issuer_id == directory.issuer_id)
    said = said.where(IssuerTeam.group_name.in_([told.name, told.external_id or told.name])).order_by(Team.name_key)
    same = select(Team.id).where(Team.name_key == name_key(_team_name(told.name)))
    team_id = await session.scalar(said.limit(1)) or await session.scalar(same)
    if team_id is None:
        return await teams.begin(session, directory.actor, _team_name(told.name))
    if await session.scalar(select(DirectoryGroup.id).where(DirectoryGroup.team_id == team_id)) is not None:
        raise Conflict("There is a group of the name {name} already. Change it instead.", name=told.name)
    return team_id


async def _follow(session: Session, directory: Directory, row: DirectoryGroup, members: Members) -> None:
    """Change whom the group brings to its team. Raises `InvalidInput` for strangers."""
    if members.whole is None:
        concerned = members.coming | members.going
        present = await _present(session, directory, row.team_id, concerned)
        coming, going = members.coming - present, members.going & present
    else:
        present = await _members(session, directory, row.team_id)
        coming, going = members.whole - present, present - members.whole
    await _require_kept(session, directory, coming)
    actor = directory.actor
    for user_id in sorted(going):
        await team_members.leave(session, actor, row.team_id, user_id)
    for user_id in sorted(coming):
        if not await team_members.join(session, actor, row.team_id, user_id, directory.issuer_id):
            # Somebody took them in before; from now on they come and go with the group.
            member = await session.get_one(TeamMember, (row.team_id, user_id))  # rights: as above
            member.issuer_id = directory.issuer_id
    if coming or going:
        row.updated_at = now()
    await session.flush()


async def _members(session: ReadSession, directory: Directory, team_id: TeamId) -> frozenset[UserId]:
    """Return whom the directory has brought to a team, read by and by: there may be many thousands."""
    found: list[UserId] = []
    query = _brought(directory, team_id).order_by(TeamMember.user_id).limit(AT_ONCE)
    while True:
        some = (await session.scalars(query.where(TeamMember.user_id > found[-1]) if found else query)).all()
        found.extend(some)
        if len(some) < AT_ONCE:
            return frozenset(found)


async def _present(
    session: ReadSession, directory: Directory, team_id: TeamId, ids: frozenset[UserId]
) -> frozenset[UserId]:
    """Return which of these people the directory has brought to a team."""
    found: set[UserId] = set()
    for some in _parts(ids):
        found.update(await session.scalars(_brought(directory, team_id).where(TeamMember.user_id.in_(some))))
    return frozenset(found)


def _brought(directory: Directory, team_id: TeamId) -> Select[UserId]:
    # rights: of the directory's own people and groups
    query = select(TeamMember.user_id).join(DirectoryPerson, DirectoryPerson.user_id == TeamMember.user_id)
    mine = TeamMember.issuer_id == directory.issuer_id, DirectoryPerson.issuer_id == directory.issuer_id
    return query.where(*mine, DirectoryPerson.ended_at.is_(None), TeamMember.team_id == team_id)


def _parts(ids: frozenset[UserId]) -> Iterator[list[UserId]]:
    listed = sorted(ids)
    return (listed[first : first + AT_ONCE] for first in range(0, len(listed), AT_ONCE))


async def _require_kept(session: ReadSession, directory: Directory, ids: frozenset[UserId]) -> None:
    known: set[UserId] = set()
    # rights: only whether the directory keeps them
    own = select(DirectoryPerson.user_id).where(DirectoryPerson.issuer_id == directory.issuer_id)
    for some in _parts(ids):
        these = DirectoryPerson.user_id.in_(some), DirectoryPerson.ended_at.is_(None)
        known.update(await session.scalars(own.where(*these)))
    if strangers := ids - known:
        raise InvalidInput("There is nobody of the id {id} to be a member. Add them first.", id=str(min(strangers)))


async def _flush(session: Session) -> None:
    try:
        await session.flush()
    except IntegrityError:
        raise Conflict("There is a group of this externalId already. Change it instead.") from None


def _team_name(name: str) -> str:
    return one_line(name, MAX_NAME_CHARS)


def _checked(told: ToldGroup) -> ToldGroup:
    """Return what is told as it is stored. Raises `InvalidInput`."""
    found = replace(told, name=storable(told.name).strip(), external_id=storable(told.external_id or "") or None)
    for attribute, value in (("displayName", found.name), ("externalId", found.external_id or "")):
        if len(value) > MAX_CHARS or len(name_key(value)) > MAX_CHARS:
            raise InvalidInput("{attribute} has {most} characters at most.", attribute=attribute, most=MAX_CHARS)
    if not found.name:
        raise InvalidInput("displayName is empty; groups are known by it.")
    return found


def _group(row: DirectoryGroup, members: frozenset[UserId]) -> Group:
    return Group(row.id, ToldGroup(row.name, row.external_id), members, row.created_at, row.updated_at)
