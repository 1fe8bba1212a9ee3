"""What a person does with a message that is there: another branch, own words, a rating, away with it."""

from collections.abc import Sequence
from dataclasses import dataclass

from llm_ui.chat import ops
from llm_ui.db import Session
from llm_ui.errors import Conflict, NotFound
from llm_ui.kit.ids import ChatId, MessageId
from llm_ui.models import Rating
from llm_ui.observability.logging import get_logger
from llm_ui.services import branches
from llm_ui.services.access import Actor
from llm_ui.services.feedback import Feedback, rate
from llm_ui.ui.page import PageContext

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it."""

    has_changed: bool = True
    """Whether the open chat shows other messages now."""
    gone: Sequence[MessageId] = ()
    """Messages that were taken away and can be taken back."""
    new_chat: ChatId | None = None
    """The chat that was begun."""


async def change_message(context: PageContext, asked: ops.Change) -> Outcome:
    """Do what is asked. Raises our errors, and nothing has changed then."""
    actor = await context.actor()
    async with context.backend.database.writing() as session:
        return await _change(session, actor, asked)


async def show_branch_of(context: PageContext, message_id: MessageId) -> None:
    """Let a chat show the branch of a message that it does not show; without a word where that cannot be done."""
    actor = await context.actor()
    try:
        async with context.backend.database.reading() as session:
            is_shown = await branches.is_shown(session, actor, message_id)
        if not is_shown:
            async with context.backend.database.writing() as session:
                await branches.show(session, actor, message_id)
    except (NotFound, Conflict) as refusal:
        # The chat is shown at its end then.
        log.info("message.not_shown", code=refusal.code)


async def _change(session: Session, actor: Actor, asked: ops.Change) -> Outcome:
    match asked:
        case ops.ShowBranch():
            await branches.show(session, actor, MessageId(asked.message))
        case ops.Rewrite():
            await branches.edit_answer(session, actor, MessageId(asked.answer), asked.text)
        case ops.DeleteMessage():
            return Outcome(gone=await branches.delete(session, actor, MessageId(asked.message)))
        case ops.RestoreMessages():
            await branches.restore(session, actor, [MessageId(each) for each in asked.messages])
        case ops.Rate():
            given = Feedback(Rating(asked.rating), asked.reason, asked.comment) if asked.rating else None
            await rate(session, actor, MessageId(asked.answer), given)
            return Outcome(has_changed=False)
        case ops.BranchOff():
            return Outcome(new_chat=await branches.branch_off(session, actor, MessageId(asked.message)))
    return Outcome()
