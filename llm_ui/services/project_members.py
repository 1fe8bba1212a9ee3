"""Members of a project: who is in it, who may do what, and what becomes of things when somebody leaves.

What members write in chats and tell models stays theirs: nobody reads it for being in the same project.
"""

from dataclasses import dataclass

from sqlalchemy import delete, select, update

from llm_ui.db import ReadSession, Session
from llm_ui.errors import Conflict, InvalidInput, NotFound
from llm_ui.kit.ids import ProjectId, UserId
from llm_ui.kit.text import name_key
from llm_ui.models import (
    ChatHistory,
    Document,
    DocumentFetch,
    Project,
    ProjectMember,
    ProjectRole,
    User,
    UserMemory,
)
from llm_ui.services import audit, holds
from llm_ui.services.access import Actor, Permission, ProjectRight, is_in_project, readable, require
from llm_ui.services.projects import MAX_NAME_CHARS, project_row, take_away

MAX_MEMBERS = 100
"""Of one project."""
ORDER = (ProjectRole.OWNER, ProjectRole.EDITOR, ProjectRole.VIEWER)


@dataclass(frozen=True, slots=True)
class MemberInfo:
    """A member of a project, as the others see them."""

    user_id: UserId
    name: str
    email: str
    role: ProjectRole
    is_me: bool


async def list_members(session: ReadSession, actor: Actor, project_id: ProjectId) -> tuple[MemberInfo, ...]:
    """Return the members of a project: owners first, then editors, each by name. Raises `NotFound`."""
    require(actor, Permission.CHAT)
    await project_row(session, actor, project_id)
    members = readable(ProjectMember, actor).where(ProjectMember.project_id == project_id)
    # rights: names and addresses of those with whom the actor shares the project
    rows = await session.execute(
        members.join(User, User.id == ProjectMember.user_id)
        .with_only_columns(User.id, User.name, User.email, ProjectMember.role)
        .order_by(User.name_key)
    )
    found = [MemberInfo(user_id, name, email, role, user_id == actor.user_id) for user_id, name, email, role in rows]
    return tuple(sorted(found, key=lambda one: ORDER.index(one.role)))


async def add(session: Session, actor: Actor, project_id: ProjectId, email: str, role: ProjectRole) -> UserId:
    """Let somebody who has an account take part. Raises `NotFound`, `Forbidden`, `InvalidInput` and `Conflict`."""
    require(actor, Permission.CHAT)
    project = await project_row(session, actor, project_id, ProjectRight.OWN, is_locked=True)
    user = await named_user(session, email)
    members = readable(ProjectMember, actor).where(ProjectMember.project_id == project_id)
    there = {row.user_id for row in await session.scalars(members)}
    if user.id in there:
        raise Conflict("{name} is a member already. Change the role in the list.", name=user.name)
    if len(there) >= MAX_MEMBERS:
        raise InvalidInput("The project has {most} members, which is the most. Remove one first.", most=MAX_MEMBERS)
    session.add(ProjectMember(project_id=project_id, user_id=user.id, role=role))
    await audit.record(
        session, actor, "project.member_added", project.name, target_id=project_id, member=user.name, role=role.value
    )
    await session.flush()
    return user.id


async def change_role(
    session: Session, actor: Actor, project_id: ProjectId, user_id: UserId, role: ProjectRole
) -> None:
    """Let a member do more, or less. Raises `NotFound`, `Forbidden`, and `Conflict` for the last owner."""
    require(actor, Permission.CHAT)
    project = await project_row(session, actor, project_id, ProjectRight.OWN, is_locked=True)
    member = await _member(session, actor, project_id, user_id)
    if role is not ProjectRole.OWNER:
        await _keep_an_owner(session, project, user_id)
    changes = audit.difference({"role": member.role}, {"role": role})
    member.role = role
    await session.flush()
    await _pass_on(session, project)
    name = await _name_of(session, user_id)
    await audit.record(
        session, actor, "project.role_changed", project.name, target_id=project_id, changes=changes, member=name
    )


async def remove(session: Session, actor: Actor, project_id: ProjectId, user_id: UserId) -> None:
    """Let a member take part no longer; anybody may leave. Their chats leave the project with them and stay theirs.

    What they have told models in it is deleted; documents they brought stay. Raises `NotFound`, `Forbidden`, and
    `Conflict` for the last owner and while the project is on hold.
    """
    require(actor, Permission.CHAT)
    is_leaving = user_id == actor.user_id
    right = ProjectRight.ASK if is_leaving else ProjectRight.OWN
    project = await project_row(session, actor, project_id, right, is_locked=True)
    member = await _member(session, actor, project_id, user_id)
    await _keep_an_owner(session, project, user_id)
    # Whoever leaves takes their chats along.
    await holds.require_free(session, project_id=project_id)
    await session.delete(member)
    await session.flush()
    await _pass_on(session, project)
    await part_strangers(session, project)
    name = await _name_of(session, user_id)
    done = "project.member_left" if is_leaving else "project.member_removed"
    await audit.record(session, actor, done, project.name, target_id=project_id, member=name)


async def leave_all(session: Session, actor: Actor, user_id: UserId) -> None:
    """Have somebody whose account is about to be deleted leave all projects.

    Those with another owner go on under that one; the others are deleted with all that is their own.
    """
    if user_id != actor.user_id:
        require(actor, Permission.MANAGE_USERS)
    # rights: asked above; of others only what keeps their projects whole is touched
    member_of = select(ProjectMember.project_id).where(ProjectMember.user_id == user_id)
    mine = select(Project).where(Project.id.in_(member_of)).order_by(Project.id).with_for_update()
    for project in (await session.scalars(mine)).all():
        own = ProjectMember.project_id == project.id, ProjectMember.user_id == user_id
        await session.execute(delete(ProjectMember).where(*own))
        if await _heir(session, project) is None:
            await take_away(session, project.id)
            await audit.record(session, actor, "project.deleted", project.name, target_id=project.id)
            continue
        await _pass_on(session, project)
        await part_strangers(session, project)
        await audit.record(
            session, actor, "project.member_removed", project.name, target_id=project.id,
            member=await _name_of(session, user_id),
        )  # fmt: skip


async def named_user(session: ReadSession, email: str) -> User:
    """Return whose e-mail address this is, for an owner who takes them in. Raises `InvalidInput`."""
    # rights: an owner names an address; whether an account has it is all that is told
    is_address = User.email_key == name_key(email.strip())
    user = await session.scalar(select(User).where(is_address, User.is_active, User.is_service.is_(False)))
    if user is None:
        raise InvalidInput("Nobody here has this e-mail address. Check it, or ask an administrator for an account.")
    return user


async def _member(session: ReadSession, actor: Actor, project_id: ProjectId, user_id: UserId) -> ProjectMember:
    mine = readable(ProjectMember, actor).where(ProjectMember.project_id == project_id)
    row = await session.scalar(mine.where(ProjectMember.user_id == user_id))
    if row is None:
        raise NotFound("They are not a member of this project any more. Reload the list.")
    return row


async def _keep_an_owner(session: ReadSession, project: Project, user_id: UserId) -> None:
    # Rights were asked by the caller, who holds the project's row: of two who go at once the second one sees this.
    owners = select(ProjectMember.user_id).where(
        ProjectMember.project_id == project.id, ProjectMember.role == ProjectRole.OWNER
    )
    if set(await session.scalars(owners)) == {user_id}:
        raise Conflict(
            "The project {name} would be without an owner. Make somebody else an owner first, or delete the project.",
            name=project.name,
        )


async def _heir(session: ReadSession, project: Project) -> UserId | None:
    """Return the owner who has been a member longest, the one it stands under before others; None: there is none."""
    # Rights were asked by the caller.
    owners = select(ProjectMember.user_id).where(
        ProjectMember.project_id == project.id, ProjectMember.role == ProjectRole.OWNER
    )
    oldest = owners.order_by(ProjectMember.user_id != project.owner_id, ProjectMember.created_at, ProjectMember.user_id)
    return await session.scalar(oldest.limit(1))


async def _pass_on(session: Session, project: Project) -> None:
    """Let a project stand under one who is an owner of it, by a name that is no other's there."""
    heir = await _heir(session, project)
    if heir is None or heir == project.owner_id:
        return
    # rights: names only, so that none is there twice
    names = {name.casefold() for name in await session.scalars(select(Project.name).where(Project.owner_id == heir))}
    number, name = 1, project.name
    while name.casefold() in names:
        number += 1
        ending = f" ({number})"
        name = f"{project.name[: MAX_NAME_CHARS - len(ending)]}{ending}"
    project.owner_id, project.name = heir, name
    await session.flush()


async def part_strangers(session: Session, project: Project) -> None:
    """Part what was their own from a project those are no members of any more. The caller has asked for rights."""
    # rights: the caller has asked for them; chats in the bin as well, which `readable()` leaves out
    chats = ChatHistory.project_id == project.id, ~is_in_project(ChatHistory.project_id, ChatHistory.user_id)
    await session.execute(update(ChatHistory).where(*chats).values(project_id=None))
    told = UserMemory.project_id == project.id, ~is_in_project(UserMemory.project_id, UserMemory.user_id)
    await session.execute(delete(UserMemory).where(*told, UserMemory.user_id.not_in(holds.held_people())))
    asked = DocumentFetch.project_id == project.id, ~is_in_project(DocumentFetch.project_id, DocumentFetch.user_id)
    await session.execute(delete(DocumentFetch).where(*asked))
    # Documents stay, and take the room of the one it stands under.
    brought = Document.project_id == project.id, ~is_in_project(Document.project_id, Document.user_id)
    await session.execute(update(Document).where(*brought).values(user_id=project.owner_id))


async def _name_of(session: ReadSession, user_id: UserId) -> str:
    # rights: of a member; for the audit log
    return await session.scalar(select(User.name).where(User.id == user_id)) or ""
