"""System prompts: the instructions a chat can start with."""

from dataclasses import dataclass

from llm_ui.db import ReadSession
from llm_ui.kit.ids import PromptId
from llm_ui.models import SystemPrompt
from llm_ui.services.access import Actor, readable


@dataclass(frozen=True, slots=True)
class PromptInfo:
    """A system prompt."""

    id: PromptId
    name: str
    text: str
    is_default: bool


async def instructions(session: ReadSession, actor: Actor, prompt_id: PromptId | None) -> PromptInfo | None:
    """Return the prompt a chat uses: the chosen one while it exists, else the default, else none."""
    query = readable(SystemPrompt, actor)
    chosen = await session.scalar(query.where(SystemPrompt.id == prompt_id)) if prompt_id else None
    if chosen is None:
        default = query.where(SystemPrompt.is_default, SystemPrompt.owner_id.is_(None)).order_by(SystemPrompt.id)
        chosen = await session.scalar(default.limit(1))
    return None if chosen is None else PromptInfo(chosen.id, chosen.name, chosen.text, chosen.is_default)
