"""Chats in numbers, put straight into a database."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import insert

from llm_ui.db import Database
from llm_ui.kit.clock import now
from llm_ui.kit.ids import ChatId, MessageId, UserId, uuid7
from llm_ui.models import ChatHistory, ChatMessage, MessageRole, MessageStatus

BETWEEN = timedelta(minutes=1)
"""Two messages."""
BATCH_MESSAGES = 5_000
"""Of one transaction."""
TOGETHER = {"render_nulls": True}
"""With something returned, many rows go in with one statement (services/imports.py says why)."""


async def add_chats(
    database: Database, user_id: UserId, sizes: Sequence[int], said: Callable[[int], str]
) -> list[ChatId]:
    """Add chats of so many messages each, one written after the other until now; return their ids.

    `said` returns the text of the message with that number, over all chats.
    """
    ids = [ChatId(uuid7()) for _ in sizes]
    chats: list[dict[str, Any]] = []
    messages: list[dict[str, Any]] = []
    total, number = sum(sizes), 0
    began = now() - total * BETWEEN
    for chat_id, size in zip(ids, sizes, strict=True):
        parent = None
        for position in range(size):
            message_id, at = MessageId(uuid7()), began + number * BETWEEN
            messages.append({
                "id": message_id, "chat_id": chat_id, "parent_id": parent, "position": position,
                "role": MessageRole.ASSISTANT if position % 2 else MessageRole.USER, "status": MessageStatus.COMPLETE,
                "text": said(number), "created_at": at, "updated_at": at,
            })  # fmt: skip
            parent, number = message_id, number + 1
        at = messages[-1]["created_at"]
        chats.append({
            "id": chat_id, "user_id": user_id, "title": f"Chat {chat_id.hex[-6:]}", "is_title_automatic": False,
            "next_position": size, "active_leaf_id": parent, "last_message_at": at, "created_at": at, "updated_at": at,
        })  # fmt: skip
        if len(messages) >= BATCH_MESSAGES or number == total:
            async with database.writing() as session:
                await session.execute(insert(ChatHistory).returning(ChatHistory.id), chats, execution_options=TOGETHER)
                await session.execute(
                    insert(ChatMessage).returning(ChatMessage.id), messages, execution_options=TOGETHER
                )
            chats, messages = [], []
    return ids
