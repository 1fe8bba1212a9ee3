"""What a search finds, as the page is told of it."""

from datetime import timedelta

from llm_ui.chat.follow import Op
from llm_ui.chat.reply_ops import Search
from llm_ui.kit.clock import now
from llm_ui.kit.ids import ModelId, ProjectId
from llm_ui.services.search import Filters, search
from llm_ui.ui.page import PageContext


async def find(context: PageContext, asked: Search) -> Op:
    """Return some of what holds the words that were typed."""
    actor = await context.actor()
    filters = Filters(
        model_id=None if asked.model is None else ModelId(asked.model),
        project_id=None if asked.project is None else ProjectId(asked.project),
        tag=asked.tag,
        since=None if asked.days is None else now() - timedelta(days=asked.days),
        has_file=asked.has_file,
    )
    async with context.backend.database.reading() as session:
        page = await search(session, actor, asked.text, filters, offset=asked.offset)
    return {
        "op": "found",
        "number": asked.number,
        "offset": asked.offset,
        "has_more": page.has_more,
        "items": [
            {
                "chat": str(one.chat_id),
                "title": one.title,
                "message": None if one.message_id is None else str(one.message_id),
                "role": None if one.role is None else one.role.value,
                "at": int(one.at.timestamp() * 1000),
                "pieces": [[piece.text, piece.is_match] for piece in one.snippet],
            }
            for one in page.items
        ],
    }
