"""The summary of a chat's older messages, for its owner's page."""

from llm_ui.chat import reply_ops
from llm_ui.chat.follow import Op
from llm_ui.kit.ids import ChatId, SummaryId
from llm_ui.services import summaries
from llm_ui.ui.page import PageContext


async def summary(context: PageContext, asked: reply_ops.Summaries) -> Op:
    """Do what is asked and return the operation that tells the chat's summary. Raises our errors."""
    actor = await context.actor()
    if isinstance(asked, reply_ops.EditSummary):
        async with context.backend.database.writing() as session:
            if asked.text is None:
                await summaries.remove(session, actor, SummaryId(asked.summary))
            else:
                await summaries.edit(session, actor, SummaryId(asked.summary), asked.text)
    async with context.backend.database.reading() as session:
        found = await summaries.current(session, actor, ChatId(asked.chat))
    told: Op = {"op": "summary", "chat": str(asked.chat), "is_saved": isinstance(asked, reply_ops.EditSummary)}
    if found is not None:
        told |= {"id": str(found.id), "text": found.text, "model": found.model_name, "is_edited": found.is_edited}
    return told
