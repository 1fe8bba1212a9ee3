"""What models know of a person, for that person's page."""

from llm_ui.chat import reply_ops
from llm_ui.chat.follow import Op
from llm_ui.kit.ids import MemoryId
from llm_ui.services import memories
from llm_ui.ui.page import PageContext


async def memory(context: PageContext, asked: reply_ops.Memories) -> Op:
    """Do what is asked and return the operation that tells the facts. Raises our errors."""
    actor = await context.actor()
    database = context.backend.database
    if not isinstance(asked, reply_ops.ListMemories):
        async with database.writing() as session:
            match asked:
                case reply_ops.SaveMemory():
                    memory_id = None if asked.memory is None else MemoryId(asked.memory)
                    await memories.save(session, actor, memory_id, asked.text, is_on=asked.is_on)
                case reply_ops.DeleteMemory():
                    await memories.remove(session, actor, MemoryId(asked.memory))
                case reply_ops.UseMemory():
                    await memories.set_used(session, actor, is_used=asked.is_used)
    async with database.reading() as session:
        found = await memories.list_memories(session, actor)
        is_used = await memories.is_used(session, actor)
    facts = [{"id": str(one.id), "text": one.text, "is_on": one.is_on} for one in found]
    return {"op": "memories", "is_used": is_used, "facts": facts, "most": memories.MAX_FACTS}
