"""What a person sorts chats by, for their page."""

from llm_ui.chat import place_ops
from llm_ui.chat.follow import Op
from llm_ui.db import Session
from llm_ui.kit.ids import ChatId, ModelId, ProjectId
from llm_ui.services import projects
from llm_ui.services.access import Actor
from llm_ui.services.documents import FILES_LOCK
from llm_ui.services.project_copies import begin_like
from llm_ui.services.projects import ProjectInfo, ProjectSettings
from llm_ui.services.tags import list_tags
from llm_ui.ui.page import PageContext


async def places(context: PageContext, asked: place_ops.Places) -> Op:
    """Do what is asked and return the operation that tells projects and tags. Raises our errors."""
    actor = await context.actor()
    database = context.backend.database
    saved: ProjectId | None = None
    deleted: ProjectId | None = None
    match asked:
        case place_ops.SaveProject():
            # While a file is being taken away that nobody needs, no copy comes to need it.
            async with database.writing(lock=FILES_LOCK if asked.with_documents else None) as session:
                saved = await _save(session, actor, asked)
                if asked.chat is not None:
                    await projects.move(session, actor, ChatId(asked.chat), saved)
        case place_ops.ArchiveProject():
            async with database.writing() as session:
                await projects.archive(session, actor, ProjectId(asked.project), is_archived=asked.is_archived)
        case place_ops.DeleteProject():
            deleted = ProjectId(asked.project)
            async with database.writing() as session:
                await projects.remove(session, actor, deleted)
    async with database.reading() as session:
        mine = await projects.list_projects(session, actor)
        tags = await list_tags(session, actor)
    return {
        "op": "places",
        "saved": None if saved is None else str(saved),
        "deleted": None if deleted is None else str(deleted),
        "projects": list(map(_shown, mine)),
        "tags": list(tags),
    }


async def _save(session: Session, actor: Actor, asked: place_ops.SaveProject) -> ProjectId:
    if asked.like is not None:
        like, look = ProjectId(asked.like), (asked.color, asked.icon)
        return await begin_like(session, actor, like, asked.name, look, with_documents=asked.with_documents)
    project_id = None if asked.project is None else ProjectId(asked.project)
    return await projects.save(session, actor, project_id, asked.name, _settings(asked))


def _settings(asked: place_ops.SaveProject) -> ProjectSettings:
    return ProjectSettings(
        asked.color,
        asked.icon,
        None if asked.model is None else ModelId(asked.model),
        "",
        asked.temperature,
        asked.max_tokens,
        asked.is_template,
    )


def _shown(one: ProjectInfo) -> Op:
    """Return a project as the page is told of it."""
    settings = one.settings
    return {
        "id": str(one.id),
        "name": one.name,
        "color": settings.color.value,
        "icon": settings.icon.value,
        "model": None if settings.model_id is None else str(settings.model_id),
        "model_name": settings.model_name,
        "temperature": settings.temperature,
        "max_tokens": settings.max_tokens,
        "is_template": settings.is_template,
        "is_archived": one.is_archived,
        "role": one.role.value,
        "owner": None if one.is_own else one.owner,
        "members": one.members,
        "keep_days": one.keep_days,
    }
