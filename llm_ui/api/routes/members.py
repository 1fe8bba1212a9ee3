"""Members of projects."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from llm_ui.api.principal import Api, Parts
from llm_ui.api.rest.door import Told, asks
from llm_ui.contract.base import Wire
from llm_ui.kit.ids import ProjectId, UserId
from llm_ui.models import KeyScope, ProjectRole
from llm_ui.services import project_members as services
from llm_ui.services.access import Actor

router = APIRouter(prefix="/v1/projects/{project_id}/members", route_class=Told)

Reader = Annotated[Actor, asks(KeyScope.PROJECTS_READ)]
Writer = Annotated[Actor, asks(KeyScope.PROJECTS_WRITE)]

MAX_EMAIL_CHARS = 254


class ChangeMember(Wire):
    """What a member may do from now on."""

    role: ProjectRole


class AddMember(ChangeMember):
    """Who is to take part."""

    email: Annotated[str, Field(max_length=MAX_EMAIL_CHARS)]


class Member(Wire):
    """A member of a project."""

    user_id: UUID
    name: str
    email: str
    role: ProjectRole


class Members(Wire):
    """All of them."""

    members: tuple[Member, ...]


@router.get("")
async def members(project_id: UUID, parts: Parts, actor: Reader) -> Members:
    """Return who is in a project; for who is not in it there is none."""
    return await _members(parts, actor, project_id)


@router.post("")
async def add(project_id: UUID, body: AddMember, parts: Parts, actor: Writer) -> Members:
    """Let somebody take part who has an account under this address."""
    async with parts.database.writing() as session:
        await services.add(session, actor, ProjectId(project_id), body.email, body.role)
    return await _members(parts, actor, project_id)


@router.put("/{user_id}")
async def change(project_id: UUID, user_id: UUID, body: ChangeMember, parts: Parts, actor: Writer) -> Members:
    """Let a member do more, or less."""
    async with parts.database.writing() as session:
        await services.change_role(session, actor, ProjectId(project_id), UserId(user_id), body.role)
    return await _members(parts, actor, project_id)


@router.delete("/{user_id}", status_code=204)
async def remove(project_id: UUID, user_id: UUID, parts: Parts, actor: Writer) -> None:
    """Let a member take part no longer; anybody may leave."""
    async with parts.database.writing() as session:
        await services.remove(session, actor, ProjectId(project_id), UserId(user_id))


async def _members(parts: Api, actor: Actor, project_id: UUID) -> Members:
    async with parts.database.reading() as session:
        found = await services.list_members(session, actor, ProjectId(project_id))
    return Members(
        members=tuple(Member(user_id=one.user_id, name=one.name, email=one.email, role=one.role) for one in found)
    )
