"""What one answer says that another one to the same question does not."""

import asyncio
from uuid import UUID

from llm_ui.chat.follow import Op
from llm_ui.errors import InvalidInput
from llm_ui.kit.difference import difference
from llm_ui.kit.ids import MessageId
from llm_ui.services.messages import read_message
from llm_ui.ui.page import PageContext

MOST_CHARS = 100_000
"""Of both: longer ones take too long to compare."""


async def differing(context: PageContext, answer_id: UUID, other_id: UUID) -> Op:
    """Return the pieces of the one and the other, as they were written. Raises `NotFound` and `InvalidInput`."""
    actor = await context.actor()
    async with context.backend.database.reading() as session:
        before = await read_message(session, actor, MessageId(answer_id))
        after = await read_message(session, actor, MessageId(other_id))
    if len(before.text) + len(after.text) > MOST_CHARS:
        raise InvalidInput("These answers are too long to mark what differs.")
    pieces = await asyncio.to_thread(difference, before.text, after.text)
    return {"other": str(other_id), "pieces": [{"kind": piece.kind, "text": piece.text} for piece in pieces]}
