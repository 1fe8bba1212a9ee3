"""Earlier versions of prompts: who wrote what when, what differs, and how one is taken back."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete

from llm_ui.db import ReadSession, Session
from llm_ui.errors import NotFound
from llm_ui.kit.clock import now
from llm_ui.kit.difference import Piece, difference
from llm_ui.kit.ids import PromptId, PromptVersionId, SavedPromptId, uuid7
from llm_ui.models import PromptVersion, SavedPrompt, SystemPrompt
from llm_ui.services.access import Actor, Permission, readable, require

KEPT = 50
"""Versions of one prompt; the oldest go."""


@dataclass(frozen=True, slots=True)
class Version:
    """A text as somebody saved it."""

    id: PromptVersionId
    number: int
    """From 1."""
    author_name: str
    """Empty for what was there before versions were kept."""
    created_at: datetime
    text: str


async def note(session: Session, actor: Actor, row: SystemPrompt | SavedPrompt, before: str) -> None:
    """Keep the text of a prompt that was just saved as a version; `before` is what it was until then."""
    require(actor, Permission.CHAT)
    if row.text == before:
        return
    versions = await _all(session, actor, row.id)
    number = versions[0].number if versions else 0
    if not versions and before:
        number = 1
        session.add(_version(row, 1, "", before, row.updated_at))
    session.add(_version(row, number + 1, actor.name, row.text, now()))
    for old in versions[KEPT - 1 :]:
        await session.execute(delete(PromptVersion).where(PromptVersion.id == old.id))
    await session.flush()


async def list_versions(session: ReadSession, actor: Actor, prompt_id: PromptId | SavedPromptId) -> tuple[Version, ...]:
    """Return the versions of a prompt that the actor may change, the newest first; of others none."""
    return tuple(
        Version(row.id, row.number, row.author_name, row.created_at, row.text)
        for row in await _all(session, actor, prompt_id)
    )


async def read(session: ReadSession, actor: Actor, version_id: PromptVersionId) -> Version:
    """Return a version. Raises `NotFound`."""
    row = await session.scalar(readable(PromptVersion, actor).where(PromptVersion.id == version_id))
    if row is None:
        raise NotFound("This version does not exist any more. Open the versions again.")
    return Version(row.id, row.number, row.author_name, row.created_at, row.text)


async def differences(versions: tuple[Version, ...]) -> tuple[tuple[Piece, ...], ...]:
    """Return for each version what differs from the one before it."""
    texts = [one.text for one in versions]
    pairs = list(zip([*texts[1:], ""], texts, strict=True))
    return await asyncio.to_thread(lambda: tuple(difference(before, after) for before, after in pairs))


async def _all(session: ReadSession, actor: Actor, prompt_id: PromptId | SavedPromptId) -> list[PromptVersion]:
    is_of = (PromptVersion.system_prompt_id == prompt_id) | (PromptVersion.saved_prompt_id == prompt_id)
    rows = await session.scalars(readable(PromptVersion, actor).where(is_of).order_by(PromptVersion.number.desc()))
    return list(rows)


def _version(row: SystemPrompt | SavedPrompt, number: int, author: str, text: str, at: datetime) -> PromptVersion:
    return PromptVersion(
        id=PromptVersionId(uuid7()),
        system_prompt_id=row.id if isinstance(row, SystemPrompt) else None,
        saved_prompt_id=row.id if isinstance(row, SavedPrompt) else None,
        number=number,
        author_name=author,
        text=text,
        created_at=at,
    )
