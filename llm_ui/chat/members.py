"""Who is in a project, for a member's page; and whose pages are told when their projects change."""

from collections.abc import Callable, Collection
from uuid import UUID

from llm_ui.chat import place_ops
from llm_ui.chat.follow import Op
from llm_ui.chat.limits import save_limits
from llm_ui.chat.places import places
from llm_ui.errors import NotFound
from llm_ui.kit.ids import ProjectId, TeamId, UserId
from llm_ui.services import project_members as services
from llm_ui.services import project_teams, teams
from llm_ui.services.project_members import MemberInfo
from llm_ui.ui.page import PageContext

TellPeople = Callable[[Collection[UserId]], None]
"""Tells the pages of people that there are other projects for them."""


async def change_places(
    context: PageContext,
    asked: place_ops.SaveProject
    | place_ops.ArchiveProject
    | place_ops.DeleteProject
    | place_ops.SaveLimits
    | place_ops.MemberChanges,
    tell_people: TellPeople,
) -> Op:
    """Change a project or its members, and tell all whom that concerns: also those who are no members any more."""
    before = await _people(context, asked.project)
    match asked:
        case place_ops.AddMember() | place_ops.ChangeMember() | place_ops.RemoveMember() | place_ops.ShareWithTeam():
            done = await _change(context, asked)
        case place_ops.SaveLimits():
            done = await save_limits(context, asked)
        case _:
            done = await places(context, asked)
    tell_people({context.user_id, *before, *await _people(context, asked.project)})
    return done


async def members(context: PageContext, asked: place_ops.ListMembers | place_ops.MemberChanges) -> Op:
    """Return the operation that tells the members of a project. Raises our errors."""
    actor, project_id = await context.actor(), ProjectId(asked.project)
    async with context.backend.database.reading() as session:
        found = await services.list_members(session, actor, project_id)
        taking_part = await project_teams.list_teams(session, actor, project_id)
        mine = await teams.list_mine(session, actor)
    there = {one.team_id for one in taking_part}
    return {
        "op": "members",
        "project": str(asked.project),
        "members": list(map(_shown, found)),
        "teams": [
            {"id": str(one.team_id), "name": one.name, "role": one.role.value, "members": one.members}
            for one in taking_part
        ],
        "offered": [{"id": str(one.id), "name": one.name} for one in mine if one.id not in there],
    }


async def _change(context: PageContext, asked: place_ops.MemberChanges) -> Op:
    """Return the operation that tells the members, or, to one who has left, the projects that are left."""
    actor = await context.actor()
    project_id = ProjectId(asked.project)
    async with context.backend.database.writing() as session:
        match asked:
            case place_ops.AddMember():
                await services.add(session, actor, project_id, asked.email, asked.role)
            case place_ops.ChangeMember():
                await services.change_role(session, actor, project_id, UserId(asked.member), asked.role)
            case place_ops.RemoveMember():
                await services.remove(session, actor, project_id, UserId(asked.member))
            case place_ops.ShareWithTeam(role=None):
                await project_teams.unshare(session, actor, project_id, TeamId(asked.team))
            case place_ops.ShareWithTeam(role=role) if role is not None:
                await project_teams.share(session, actor, project_id, TeamId(asked.team), role)
    if isinstance(asked, place_ops.RemoveMember) and asked.member == actor.user_id:
        left = await places(context, place_ops.ListPlaces(op="list_places"))
        return {**left, "left": str(asked.project)}
    return {**await members(context, asked), "is_changed": True}


async def _people(context: PageContext, project: UUID | None) -> frozenset[UserId]:
    """Return the members of a project as far as the person may know them."""
    if project is None:
        return frozenset()
    try:
        actor = await context.actor()
        async with context.backend.database.reading() as session:
            return await project_teams.people_of(session, actor, ProjectId(project))
    except NotFound:
        return frozenset()


def _shown(one: MemberInfo) -> Op:
    return {
        "id": str(one.user_id), "name": one.name, "email": one.email, "role": one.role.value, "is_me": one.is_me,
    }  # fmt: skip
