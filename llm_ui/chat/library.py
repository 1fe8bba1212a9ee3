"""The library of prompts, for a person's page."""

from llm_ui.chat import reply_ops
from llm_ui.chat.follow import Op
from llm_ui.kit.ids import SavedPromptId
from llm_ui.services import library
from llm_ui.services.access import Permission
from llm_ui.ui.page import PageContext


async def prompts(context: PageContext, asked: reply_ops.Prompts) -> Op:
    """Do what is asked and return the operation that tells the prompts. Raises our errors."""
    actor = await context.actor()
    database = context.backend.database
    if isinstance(asked, reply_ops.ListPrompts):
        async with database.reading() as session:
            found = await library.list_prompts(session, actor)
    else:
        async with database.writing() as session:
            if isinstance(asked, reply_ops.SavePrompt):
                prompt_id = None if asked.prompt is None else SavedPromptId(asked.prompt)
                await library.save(
                    session, actor, prompt_id, asked.name, asked.text, is_shared=asked.is_shared, tags=asked.tags
                )
            elif isinstance(asked, reply_ops.UsePrompt):
                await library.used(session, actor, SavedPromptId(asked.prompt))
            else:
                await library.remove(session, actor, SavedPromptId(asked.prompt))
            found = await library.list_prompts(session, actor)
    return {
        "op": "prompts",
        "is_saved": isinstance(asked, reply_ops.SavePrompt),
        "may_share": actor.may(Permission.MANAGE_SETTINGS),
        "prompts": [
            {
                "id": str(one.id),
                "name": one.name,
                "text": one.text,
                "is_shared": one.is_shared,
                "is_mine": one.is_mine,
                "tags": list(one.tags),
                "use_count": one.use_count,
            }
            for one in found
        ],
    }
