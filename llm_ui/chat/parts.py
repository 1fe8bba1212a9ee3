"""An answer in its parts, as it was written: one of them can be edited without touching the others."""

import asyncio
import itertools
from uuid import UUID

from llm_ui.errors import NotFound
from llm_ui.kit.block import MAX_CHARS, split
from llm_ui.kit.ids import MessageId
from llm_ui.kit.markdown import is_quick
from llm_ui.models import MessageRole
from llm_ui.services.messages import read_message
from llm_ui.ui.page import PageContext


async def parts(context: PageContext, answer_id: UUID) -> list[str]:
    """Return the Markdown of each top-level block of an answer; together they are its text. Raises `NotFound`."""
    actor = await context.actor()
    async with context.backend.database.reading() as session:
        message = await read_message(session, actor, MessageId(answer_id))
    if message.role is not MessageRole.ASSISTANT:
        raise NotFound("Only answers have parts to edit. Reload the page.")
    text = message.text.replace("\r\n", "\n").replace("\r", "\n")
    return in_parts(text) if is_quick(text) else await asyncio.to_thread(in_parts, text)


def in_parts(text: str) -> list[str]:
    """Return the Markdown of each top-level block with the lines up to the next; a very long text is one part."""
    found = split(text) if len(text) <= MAX_CHARS else []
    starts = [0, *(block.start for block in found[1:]), len(text)]
    return [text[begin:end] for begin, end in itertools.pairwise(starts)]
