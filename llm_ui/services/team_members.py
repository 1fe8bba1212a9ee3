"""Members of teams: who comes and who goes, by hand or with a group of an identity provider (`join`, `leave`)."""

from dataclasses import dataclass

from sqlalchemy import select

from llm_ui.db import ReadSession, Session
from llm_ui.errors import Conflict, NotFound
from llm_ui.kit.ids import IssuerId, TeamId, UserId
from llm_ui.models import Issuer, Team, TeamMember, TeamRole, User
from llm_ui.services import audit
from llm_ui.services.access import Actor, Permission, readable, require
from llm_ui.services.project_members import named_user, part_strangers
from llm_ui.services.teams import shared_projects, team_row


@dataclass(frozen=True, slots=True)
class TeamMemberInfo:
    """A member of a team, as the others see them."""

    user_id: UserId
    name: str
    email: str
    role: TeamRole
    is_me: bool
    issuer_name: str = ""
    """Whose group brought them; empty: somebody took them in."""


async def list_members(session: ReadSession, actor: Actor, team_id: TeamId) -> tuple[TeamMemberInfo, ...]:
    """Return the people in a team: owners first, each by name. Raises `NotFound`."""
    require(actor, Permission.CHAT)
    await team_row(session, actor, team_id)
    members = readable(TeamMember, actor).where(TeamMember.team_id == team_id)
    # rights: names and addresses of those with whom the actor is in a team
    rows = await session.execute(
        members.join(User, User.id == TeamMember.user_id)
        .outerjoin(Issuer, Issuer.id == TeamMember.issuer_id)
        .with_only_columns(User.id, User.name, User.email, TeamMember.role, Issuer.name)
        .where(User.is_service.is_(False))
        .order_by(TeamMember.role.desc(), User.name_key)
    )
    return tuple(
        TeamMemberInfo(each, name, email, role, each == actor.user_id, issuer_name or "")
        for each, name, email, role, issuer_name in rows
    )


async def add(session: Session, actor: Actor, team_id: TeamId, email: str, role: TeamRole) -> UserId:
    """Take somebody into a team who has an account. Raises `NotFound`, `Forbidden`, `InvalidInput` and `Conflict`."""
    require(actor, Permission.CHAT)
    team = await team_row(session, actor, team_id, is_managed=True, is_locked=True)
    user = await named_user(session, email)
    if not await _join(session, actor, team, user, role):
        raise Conflict("{name} is a member already. Change the role in the list.", name=user.name)
    return user.id


async def join(
    session: Session, actor: Actor, team_id: TeamId, user_id: UserId, issuer_id: IssuerId | None = None
) -> bool:
    """Make somebody a member of a team; return whether they were none. For administrators and the product itself.

    `issuer_id` is whose group brings them. Raises `NotFound`.
    """
    require(actor, Permission.MANAGE_USERS)
    team = await team_row(session, actor, team_id, is_locked=True)
    user = await session.scalar(readable(User, actor).where(User.id == user_id, User.is_service.is_(False)))
    if user is None:
        raise NotFound("This account does not exist any more. Reload the list.")
    return await _join(session, actor, team, user, TeamRole.MEMBER, issuer_id)


async def leave(session: Session, actor: Actor, team_id: TeamId, user_id: UserId) -> bool:
    """Take somebody out of a team, even its last owner; return whether they were in it. Who may: as `join`."""
    require(actor, Permission.MANAGE_USERS)
    team = await team_row(session, actor, team_id, is_locked=True)
    member = await session.get(TeamMember, (team_id, user_id))  # rights: asked above
    if member is not None:
        await _leave(session, actor, team, member)
    return member is not None


async def change_role(session: Session, actor: Actor, team_id: TeamId, user_id: UserId, role: TeamRole) -> None:
    """Make a member an owner, or an owner a member. Raises `NotFound`, `Forbidden`, `Conflict` for the last owner."""
    require(actor, Permission.CHAT)
    team = await team_row(session, actor, team_id, is_managed=True, is_locked=True)
    member = await _member(session, actor, team_id, user_id)
    if role is not TeamRole.OWNER:
        await _keep_an_owner(session, actor, team, user_id)
    changes = audit.difference({"role": member.role}, {"role": role})
    member.role = role
    name = await _name_of(session, user_id)
    await audit.record(session, actor, "team.role_changed", team.name, target_id=team_id, changes=changes, member=name)


async def remove(session: Session, actor: Actor, team_id: TeamId, user_id: UserId) -> None:
    """Take a member out of a team; anybody may leave. Raises `NotFound`, `Forbidden`, `Conflict` for the last owner."""
    require(actor, Permission.CHAT)
    is_leaving = user_id == actor.user_id
    team = await team_row(session, actor, team_id, is_managed=not is_leaving, is_locked=True)
    member = await _member(session, actor, team_id, user_id)
    await _keep_an_owner(session, actor, team, user_id)
    await _leave(session, actor, team, member)


async def leave_all(session: Session, actor: Actor, user_id: UserId) -> None:
    """Have somebody whose account is about to be deleted leave all teams; those go on, with or without an owner."""
    if user_id != actor.user_id:
        require(actor, Permission.MANAGE_USERS)
    mine = readable(TeamMember, actor).where(TeamMember.user_id == user_id).order_by(TeamMember.team_id)
    for member in (await session.scalars(mine)).all():
        await _leave(session, actor, await team_row(session, actor, member.team_id, is_locked=True), member)


async def _join(
    session: Session, actor: Actor, team: Team, user: User, role: TeamRole, issuer_id: IssuerId | None = None
) -> bool:
    # Rights were asked by the caller, who holds the team's row.
    if await session.get(TeamMember, (team.id, user.id)) is not None:
        return False
    session.add(TeamMember(team_id=team.id, user_id=user.id, role=role, issuer_id=issuer_id))
    await session.flush()
    await audit.record(
        session, actor, "team.member_added", team.name, target_id=team.id, member=user.name, role=role.value
    )
    return True


async def _leave(session: Session, actor: Actor, team: Team, member: TeamMember) -> None:
    user_id = member.user_id
    await session.delete(member)
    await session.flush()
    for project in await shared_projects(session, team.id):
        await part_strangers(session, project)
    done = "team.member_left" if user_id == actor.user_id else "team.member_removed"
    await audit.record(session, actor, done, team.name, target_id=team.id, member=await _name_of(session, user_id))


async def _member(session: ReadSession, actor: Actor, team_id: TeamId, user_id: UserId) -> TeamMember:
    mine = readable(TeamMember, actor).where(TeamMember.team_id == team_id, TeamMember.user_id == user_id)
    # rights: asked by the callers. Service accounts stay in their team, as what they are.
    people = mine.join(User, User.id == TeamMember.user_id).where(User.is_service.is_(False))
    row = await session.scalar(people)
    if row is None:
        raise NotFound("They are not a member of this team any more. Reload the list.")
    return row


async def _keep_an_owner(session: ReadSession, actor: Actor, team: Team, user_id: UserId) -> None:
    if actor.may(Permission.MANAGE_USERS):
        return
    # Rights were asked by the caller, who holds the team's row: of two who go at once the second one sees this.
    owners = select(TeamMember.user_id).where(TeamMember.team_id == team.id, TeamMember.role == TeamRole.OWNER)
    if set(await session.scalars(owners)) == {user_id}:
        raise Conflict(
            "The team {name} would be without an owner. Make somebody else an owner first, or ask an administrator.",
            name=team.name,
        )


async def _name_of(session: ReadSession, user_id: UserId) -> str:
    # rights: of a member; for the audit log
    return await session.scalar(select(User.name).where(User.id == user_id)) or ""
