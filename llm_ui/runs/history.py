"""The earlier messages that a model is sent: as many as fit, behind the summary of the others."""

import copy
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

from llm_ui.db import ReadSession
from llm_ui.kit.ids import ChatId, MessageId
from llm_ui.models import ChatMessage, MessageRole
from llm_ui.runs.files import Room, SentFile, SentMessage
from llm_ui.runs.remembered import summed_up
from llm_ui.runs.said import shortened
from llm_ui.runs.steps import steps_of, tokens_of
from llm_ui.services import summaries
from llm_ui.services.access import Actor
from llm_ui.services.attachments import attachments_of
from llm_ui.services.messages import branch

PAGE = 50
"""Messages that are read at first; then twice as many, as most chats fit into the first page or are long."""


@dataclass(frozen=True, slots=True)
class History:
    """The earlier messages that are sent, oldest first."""

    messages: tuple[SentMessage, ...] = ()
    ids: tuple[str, ...] = ()
    tokens: int = 0
    """Of their texts."""
    cut_at: str = ""
    """When the newest message was written that did not fit; empty when all did."""
    summary: str = ""
    """What was said before them, as it is sent."""
    summary_tokens: int = 0

    @property
    def files(self) -> tuple[SentFile, ...]:
        """Return the files that are sent with them."""
        return tuple(file for message in self.messages for file in message.files)

    @property
    def all_tokens(self) -> int:
        """Return what they take with their files and the summary."""
        return self.tokens + self.summary_tokens + sum(file.tokens for file in self.files)


async def remembered(
    session: ReadSession,
    actor: Actor,
    chat_id: ChatId,
    leaf: MessageId | None,
    budget: int,
    room: Room,
    *,
    is_summed_up: bool = True,
) -> History:
    """Return the earlier messages: all of them where they fit, else the newest, behind the summary of the others."""
    found = await history(session, leaf, budget, copy.copy(room))
    summary = await summaries.latest(session, actor, chat_id, leaf) if found.cut_at and is_summed_up else None
    if summary is None or not summary.text:
        return found
    text = summed_up(summary.text)
    tokens = room.count(text)
    if tokens > budget:
        return found
    newer = await history(session, leaf, budget - tokens, room, after=summary.upto_id)
    return replace(newer, summary=text, summary_tokens=tokens)


async def history(
    session: ReadSession,
    leaf: MessageId | None,
    budget: int,
    room: Room,
    *,
    after: MessageId | None = None,
) -> History:
    """Return the newest messages up to `leaf` that fit together, each with its files.

    Those up to `after` are not looked at.
    """
    found: list[tuple[str, SentMessage, int]] = []
    used, size = 0, PAGE
    cut_at = ""
    while leaf is not None and leaf != after and not cut_at:
        rows = await branch(session, leaf, size, has_sources=False)
        attached = await attachments_of(session, [row.id for row in rows if row.role is MessageRole.USER])
        for row in itertools.takewhile(lambda row: row.id != after, rows):
            message = sent(row, room.offered(attached.get(row.id, ())))
            if message is None:
                continue
            tokens = room.count(message.text) + room.scaled(tokens_of(message.steps))
            with_files = tokens + sum(file.tokens for file in message.files)
            if used + with_files > budget:
                cut_at = row.created_at.isoformat(timespec="seconds")
                break
            used += with_files
            found.append((str(row.id), message, tokens))
        is_more = len(rows) == size and all(row.id != after for row in rows)
        leaf, size = rows[-1].parent_id if is_more else None, size * 2
    # A conversation begins with the person: some providers refuse anything else.
    while found and found[-1][1].role == "assistant":
        found.pop()
    ids, messages = [one[0] for one in found], [one[1] for one in found]
    return History(tuple(messages[::-1]), tuple(ids[::-1]), sum(one[2] for one in found), cut_at)


def fitting(said: Sequence[SentMessage], budget: int, room: Room) -> History:
    """Return the newest of these messages that fit together; they are oldest first and have no files."""
    found: list[SentMessage] = []
    used = 0
    for message in reversed(said):
        tokens = room.count(message.text)
        if used + tokens > budget:
            break
        used += tokens
        found.insert(0, message)
    while found and found[0].role == "assistant":
        used -= room.count(found.pop(0).text)
    return History(tuple(found), tokens=used)


def sent(row: ChatMessage, files: tuple[SentFile, ...] = ()) -> SentMessage | None:
    """Return the message as a model is sent it; notes, deleted ones and those without any content are not."""
    if row.role is MessageRole.NOTE or row.deleted_at is not None or not (row.text.strip() or files):
        return None
    if row.role is MessageRole.USER:
        return SentMessage("user", row.text, files)
    return SentMessage("assistant", row.text, steps=shortened(steps_of(row)))
