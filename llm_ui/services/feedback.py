"""Ratings of answers, for the quality figures of administrators."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete

from llm_ui.db import ReadSession, Session
from llm_ui.errors import InvalidInput, NotFound
from llm_ui.kit.ids import MessageId
from llm_ui.kit.text import storable
from llm_ui.models import ChatMessage, FeedbackReason, MessageFeedback, MessageRole, Rating, Run
from llm_ui.services import cached_answers
from llm_ui.services.access import Actor, Permission, readable, require

MAX_COMMENT_CHARS = 2_000


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a person thinks of an answer."""

    rating: Rating
    reason: FeedbackReason | None = None
    comment: str = ""


async def rate(session: Session, actor: Actor, answer_id: MessageId, given: Feedback | None) -> None:
    """Keep what the actor thinks of an answer, in place of what they thought before; None takes it back.

    Raises `NotFound` for what is no answer of the actor's, `InvalidInput` for a comment that is too long.
    """
    require(actor, Permission.CHAT)
    answers = readable(ChatMessage, actor).where(ChatMessage.role == MessageRole.ASSISTANT)
    if await session.scalar(answers.where(ChatMessage.id == answer_id)) is None:
        raise NotFound("This answer does not exist any more. Reload the chat.")
    mine = MessageFeedback.message_id == answer_id, MessageFeedback.user_id == actor.user_id
    await session.execute(delete(MessageFeedback).where(*mine))
    if given is None:
        return
    comment = storable(given.comment).strip()
    if len(comment) > MAX_COMMENT_CHARS:
        raise InvalidInput(
            "The comment has {count} characters; {most} are the most.", count=len(comment), most=MAX_COMMENT_CHARS
        )
    if given.rating is Rating.DOWN:
        await _unpair(session, actor, answer_id)
    session.add(
        MessageFeedback(
            message_id=answer_id, user_id=actor.user_id, rating=given.rating, reason=given.reason, comment=comment
        )
    )


async def _unpair(session: Session, actor: Actor, answer_id: MessageId) -> None:
    """Keep an answer from those who ask something else, where it was given to somebody who meant something else."""
    given = readable(Run, actor).where(Run.answer_id == answer_id, Run.similar_key.is_not(None))
    key = await session.scalar(given.with_only_columns(Run.similar_key))
    if key is not None:
        await cached_answers.unpair(session, key)


async def feedback_of(session: ReadSession, actor: Actor, answers: Sequence[MessageId]) -> dict[MessageId, Feedback]:
    """Return what the actor thinks of these answers, for those that were rated."""
    if not answers:
        return {}
    rows = await session.scalars(readable(MessageFeedback, actor).where(MessageFeedback.message_id.in_(answers)))
    return {row.message_id: Feedback(Rating(row.rating), row.reason, row.comment) for row in rows}
