"""What is in a project, in numbers."""

from dataclasses import dataclass

from sqlalchemy import func

from llm_ui.db import ReadSession
from llm_ui.kit.ids import ProjectId
from llm_ui.models import ChatHistory, Document, UserMemory
from llm_ui.services.access import Actor, readable
from llm_ui.services.projects import require_project


@dataclass(frozen=True, slots=True)
class Contents:
    """What is in a project: documents and facts go with it, chats stay."""

    documents: int
    size_bytes: int
    """Of the documents."""
    facts: int
    chats: int


async def contents(session: ReadSession, actor: Actor, project_id: ProjectId) -> Contents:
    """Return what is in a project; chats in the bin are not counted. Raises `NotFound`."""
    await require_project(session, actor, project_id)
    documents = readable(Document, actor).where(Document.project_id == project_id)
    figures = documents.with_only_columns(func.count(), func.sum(Document.size_bytes))
    count, size = (await session.execute(figures)).one()
    facts = readable(UserMemory, actor).where(UserMemory.project_id == project_id)
    chats = readable(ChatHistory, actor).where(ChatHistory.project_id == project_id)
    return Contents(
        documents=count,
        size_bytes=int(size or 0),
        facts=await session.scalar(facts.with_only_columns(func.count())) or 0,
        chats=await session.scalar(chats.with_only_columns(func.count())) or 0,
    )
