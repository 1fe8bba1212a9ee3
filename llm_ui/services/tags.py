"""Tags: words that a person finds chats by."""

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import delete, func, insert, update

from llm_ui.db import ReadSession, Session
from llm_ui.errors import InvalidInput
from llm_ui.kit.ids import ChatId
from llm_ui.kit.text import one_line
from llm_ui.models import ChatHistory, ChatMessage, ChatTag, Run
from llm_ui.services.access import Actor, readable
from llm_ui.services.chats import chat_row

MAX_TAG_CHARS = 40
MAX_TAGS = 20
"""Of one chat."""
MAX_LISTED = 200


async def tag(session: Session, actor: Actor, chat_id: ChatId, names: Sequence[str]) -> None:
    """Give a chat these tags and no others. Raises `InvalidInput` when they are too many, `NotFound`."""
    await chat_row(session, actor, chat_id)
    given = cleaned(names)
    if len(given) > MAX_TAGS:
        raise InvalidInput("A chat has at most {most} tags. Take one away first.", most=MAX_TAGS)
    # rights: of the chat that was just asked for. First this: who tags it at the same moment waits, and sees it.
    await session.execute(update(ChatHistory).where(ChatHistory.id == chat_id).values(has_own_tags=True))
    await session.execute(delete(ChatTag).where(ChatTag.chat_id == chat_id))
    await _insert(session, chat_id, given)


async def are_wanted(session: ReadSession, actor: Actor, chat_id: ChatId) -> bool:
    """Return whether a chat has no tags and its person never set or removed any. Raises `NotFound`."""
    row = await chat_row(session, actor, chat_id)
    return not row.has_own_tags and not await tags_of(session, actor, [chat_id])


async def tag_automatically(session: Session, actor: Actor, chat_id: ChatId, names: Sequence[str]) -> bool:
    """Give a chat its first tags; return False when its person, or somebody before, has tagged it."""
    # Not read before: who tags it at the same moment wins.
    untagged = update(ChatHistory).where(
        ChatHistory.id == chat_id, ChatHistory.user_id == actor.user_id, ChatHistory.has_own_tags.is_(False)
    )
    is_held = await session.scalar(untagged.values(has_own_tags=False).returning(ChatHistory.id)) is not None
    if not is_held or not await are_wanted(session, actor, chat_id):
        return False
    await _insert(session, chat_id, cleaned(names))
    return True


async def _insert(session: Session, chat_id: ChatId, names: Sequence[str]) -> None:
    if names:
        await session.execute(insert(ChatTag), [{"chat_id": chat_id, "name": name} for name in names])


def cleaned(names: Iterable[str]) -> list[str]:
    """Return tags as they are kept: each once, in lower case, by name."""
    return sorted({one_line(name.strip().lstrip("#"), MAX_TAG_CHARS).lower() for name in names} - {""})


async def tags_of(session: ReadSession, actor: Actor, chat_ids: Collection[ChatId]) -> dict[ChatId, tuple[str, ...]]:
    """Return the tags of those of the chats that have any, by name."""
    rows = await session.scalars(
        readable(ChatTag, actor).where(ChatTag.chat_id.in_(chat_ids)).order_by(ChatTag.chat_id, ChatTag.name)
    )
    found: dict[ChatId, tuple[str, ...]] = {}
    for row in rows:
        found[row.chat_id] = (*found.get(row.chat_id, ()), row.name)
    return found


async def first_tags(session: ReadSession, actor: Actor, run: Run) -> tuple[str, ...]:
    """Return the tags of a chat after its first answer; none after another one."""
    questions = readable(ChatMessage, actor).where(ChatMessage.id == run.question_id)
    question = await session.scalar(questions)
    if question is None or question.parent_id is not None:
        return ()
    return (await tags_of(session, actor, [run.chat_id])).get(run.chat_id, ())


async def list_tags(session: ReadSession, actor: Actor) -> tuple[str, ...]:
    """Return the tags of the actor's chats, those first that most chats have."""
    counted = (
        readable(ChatTag, actor)
        .with_only_columns(ChatTag.name)
        .group_by(ChatTag.name)
        .order_by(func.count().desc(), ChatTag.name)
    )
    return tuple(await session.scalars(counted.limit(MAX_LISTED)))
