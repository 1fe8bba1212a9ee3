"""How a person wants the chat to be, for their page."""

from llm_ui.chat import reply_ops
from llm_ui.chat.follow import Op
from llm_ui.services import follow_ups
from llm_ui.ui.page import PageContext


async def preferences(context: PageContext, asked: reply_ops.Preferences) -> Op:
    """Do what is asked and return the operation that tells how it is now. Raises our errors."""
    actor = await context.actor()
    if isinstance(asked, reply_ops.WantFollowUps):
        async with context.backend.database.writing() as session:
            await follow_ups.set_wanted(session, actor, is_wanted=asked.is_wanted)
    async with context.backend.database.reading() as session:
        return {
            "op": "preferences",
            "offers_follow_ups": await follow_ups.are_offered(session),
            "wants_follow_ups": await follow_ups.are_wanted(session, actor),
        }
