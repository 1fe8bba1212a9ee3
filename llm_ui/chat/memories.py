"""What models know of a person, for that person's page."""

from llm_ui.chat import reply_ops
from llm_ui.chat.follow import Op
from llm_ui.db import Session
from llm_ui.kit.ids import MemoryId, ProjectId
from llm_ui.services import memories, projects
from llm_ui.services.access import Actor
from llm_ui.ui.page import PageContext


async def memory(context: PageContext, asked: reply_ops.Memories) -> Op:
    """Do what is asked and return the operation that tells the facts. Raises our errors."""
    actor = await context.actor()
    database = context.backend.database
    project_id = None if asked.project is None else ProjectId(asked.project)
    if not isinstance(asked, reply_ops.ListMemories):
        async with database.writing() as session:
            await _change(session, actor, project_id, asked)
    async with database.reading() as session:
        project = None if project_id is None else await projects.read(session, actor, project_id)
        found = await memories.list_memories(session, actor, project_id)
        is_used = await memories.is_used(session, actor)
    facts = [{"id": str(one.id), "text": one.text, "is_on": one.is_on} for one in found]
    return {
        "op": "memories",
        "project": None if project is None else str(project.id),
        "is_used": is_used if project is None else project.lets_memory_in,
        "facts": facts,
        "most": memories.MAX_FACTS,
    }


async def _change(session: Session, actor: Actor, project_id: ProjectId | None, asked: reply_ops.Memories) -> None:
    match asked:
        case reply_ops.SaveMemory():
            memory_id = None if asked.memory is None else MemoryId(asked.memory)
            await memories.save(session, actor, memory_id, asked.text, is_on=asked.is_on, project_id=project_id)
        case reply_ops.DeleteMemory():
            await memories.remove(session, actor, MemoryId(asked.memory))
        case reply_ops.UseMemory() if project_id is not None:
            await projects.let_memory_in(session, actor, project_id, is_in=asked.is_used)
        case reply_ops.UseMemory():
            await memories.set_used(session, actor, is_used=asked.is_used)
