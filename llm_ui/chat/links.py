"""Links to a chat, for its owner's page."""

from llm_ui.chat import reply_ops
from llm_ui.chat.follow import Op
from llm_ui.kit.ids import ChatId, ShareId
from llm_ui.services import sharing
from llm_ui.services.sharing import Link
from llm_ui.ui.page import PageContext


async def links(context: PageContext, asked: reply_ops.Links) -> Op:
    """Do what is asked and return the operation that tells the chat's links. Raises our errors.

    A new link's token is told this once.
    """
    actor = await context.actor()
    fresh: dict[ShareId, Op] = {}
    database = context.backend.database
    match asked:
        case reply_ops.Share():
            chat_id = ChatId(asked.chat)
            async with database.writing() as session:
                made, token = await sharing.share(session, actor, chat_id, asked.audience, asked.days)
            fresh[made.id] = {"token": token}
        case reply_ops.Revoke():
            async with database.writing() as session:
                chat_id = await sharing.revoke(session, actor, ShareId(asked.link))
        case reply_ops.ListLinks():
            chat_id = ChatId(asked.chat)
    async with database.reading() as session:
        found = await sharing.list_links(session, actor, chat_id)
        audiences = await sharing.audiences(session)
    return {
        "op": "links",
        "chat": str(chat_id),
        "audiences": [audience.value for audience in audiences],
        "links": [_told(link) | fresh.get(link.id, {}) for link in found],
    }


def _told(link: Link) -> dict[str, object]:
    return {
        "id": str(link.id),
        "prefix": link.prefix,
        "audience": link.audience.value,
        "created_at": int(link.created_at.timestamp() * 1000),
        "expires_at": None if link.expires_at is None else int(link.expires_at.timestamp() * 1000),
    }
