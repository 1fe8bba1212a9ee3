"""Projects. Their members, limits and documents have modules of their own."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from llm_ui.api.principal import Parts
from llm_ui.api.rest.door import Told, asks
from llm_ui.api.rest.wire import (
    After,
    IdempotencyKey,
    IfMatch,
    Limit,
    Page,
    lock_of,
    new_id,
    page_of,
    require_match,
    tagged,
)
from llm_ui.contract.base import Wire
from llm_ui.db import ReadSession
from llm_ui.kit.ids import ProjectId
from llm_ui.models import KeyScope, ProjectRole
from llm_ui.models import Project as ProjectRow
from llm_ui.services import projects
from llm_ui.services.access import Actor
from llm_ui.services.creating import is_made
from llm_ui.services.projects import ProjectInfo

router = APIRouter(prefix="/v1/projects", route_class=Told)

Reader = Annotated[Actor, asks(KeyScope.PROJECTS_READ)]
Writer = Annotated[Actor, asks(KeyScope.PROJECTS_WRITE)]
Name = Annotated[str, Field(min_length=1, max_length=400)]
Instructions = Annotated[str, Field(max_length=100_000)]


class NewProject(Wire):
    """A project to begin."""

    name: Name
    instructions: Instructions = ""
    """What models are told in all its conversations."""


class ProjectChange(Wire):
    """What is to be different; what is not named stays as it is."""

    name: Name | None = None
    instructions: Instructions | None = None
    is_archived: bool | None = None


class Project(BaseModel):
    """A project, as one of its members sees it."""

    project_id: UUID
    name: str
    instructions: str
    role: ProjectRole
    """What this member may do."""
    owner_name: str
    is_mine: bool
    members: int
    is_archived: bool
    keep_days: int | None
    """After so many days without a change its conversations go to the bin."""


@router.get("")
async def list_projects(parts: Parts, actor: Reader, after: After = "", limit: Limit = 50) -> Page[Project]:
    """Return the projects that one is a member of, by name."""
    async with parts.database.reading() as session:
        found = await projects.list_projects(session, actor)
    return page_of(map(_view, found), after, limit, lambda one: (one.name, one.project_id))


@router.post("", status_code=201)
async def create(
    body: NewProject, parts: Parts, actor: Writer, response: Response, idempotency_key: IdempotencyKey = None
) -> Project:
    """Begin a project."""
    project_id = ProjectId(new_id(actor, "project", idempotency_key))
    async with parts.database.writing(lock=idempotency_key and f"rest {project_id}") as session:
        if not await is_made(session, actor, ProjectRow, project_id):
            await projects.save(session, actor, None, body.name, new_id=project_id)
            if body.instructions:
                await projects.change(session, actor, project_id, instructions=body.instructions)
            await session.flush()
        return await _read(session, actor, project_id, response)


@router.get("/{project_id}")
async def read(project_id: UUID, parts: Parts, actor: Reader, response: Response) -> Project:
    """Return a project; for who is no member of it there is none."""
    async with parts.database.reading() as session:
        return await _read(session, actor, ProjectId(project_id), response)


@router.patch("/{project_id}")
async def change(
    project_id: UUID, body: ProjectChange, parts: Parts, actor: Writer, response: Response, if_match: IfMatch = ""
) -> Project:
    """Change a project: editors may change its instructions, owners its name too, and put it away or take it back."""
    one = ProjectId(project_id)
    async with parts.database.writing(lock=lock_of(if_match, one)) as session:
        require_match(if_match, await _read(session, actor, one, response))
        if body.name is not None:
            await projects.save(session, actor, one, body.name)
        if body.instructions is not None:
            await projects.change(session, actor, one, instructions=body.instructions)
        if body.is_archived is not None:
            await projects.archive(session, actor, one, is_archived=body.is_archived)
        await session.flush()
        return await _read(session, actor, one, response)


@router.delete("/{project_id}", status_code=204)
async def delete(project_id: UUID, parts: Parts, actor: Writer, response: Response, if_match: IfMatch = "") -> None:
    """Delete a project with its documents; its conversations go back to the lists of those who wrote them."""
    one = ProjectId(project_id)
    async with parts.database.writing(lock=lock_of(if_match, one)) as session:
        require_match(if_match, await _read(session, actor, one, response))
        await projects.remove(session, actor, one)


async def _read(session: ReadSession, actor: Actor, project_id: ProjectId, response: Response) -> Project:
    return tagged(response, _view(await projects.read(session, actor, project_id)))


def _view(one: ProjectInfo) -> Project:
    return Project(
        project_id=one.id,
        name=one.name,
        instructions=one.instructions,
        role=one.role,
        owner_name=one.owner,
        is_mine=one.is_own,
        members=one.members,
        is_archived=one.is_archived,
        keep_days=one.keep_days,
    )
