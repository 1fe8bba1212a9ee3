"""What a model is sent, and the manifest that says so.

In order: instructions, as many recent messages of the branch as fit, the new question. A message is sent whole or not
at all.
"""

from dataclasses import asdict, dataclass

from llm_ui.db import ReadSession
from llm_ui.errors import ContextTooLong
from llm_ui.kit.ids import MessageId
from llm_ui.kit.token_count import PER_MESSAGE, estimate
from llm_ui.models import ChatMessage, MessageRole
from llm_ui.providers.base import PromptMessage
from llm_ui.services.access import Actor
from llm_ui.services.ai_models import ModelTarget
from llm_ui.services.messages import branch
from llm_ui.services.prompts import instructions
from llm_ui.services.turns import Turn

DEFAULT_WINDOW = 32_000
"""Tokens, for models whose window nobody has told us: small enough for what people run at home today."""
DEFAULT_RESERVE = 4_096
"""Tokens kept free for the answer when the person sets no limit."""
PAGE = 50


@dataclass(frozen=True, slots=True)
class Part:
    """One part of what the model is sent."""

    origin: str
    """`instructions`, `history` or `question`."""
    name: str
    tokens: int
    count: int
    """How many messages the part holds."""


@dataclass(frozen=True, slots=True)
class Context:
    """What the model is sent."""

    system: str
    messages: tuple[PromptMessage, ...]
    manifest: dict[str, object]
    input_tokens: int
    """Estimated."""


async def build(
    session: ReadSession, actor: Actor, turn: Turn, target: ModelTarget, *, max_tokens: int | None
) -> Context:
    """Return the context of a stored turn. Raises `ContextTooLong` when the question alone does not fit."""
    prompt = await instructions(session, actor, turn.system_prompt_id)
    system = prompt.text if prompt else ""
    window = target.context_window or DEFAULT_WINDOW
    reserve = min(max_tokens or DEFAULT_RESERVE, window // 2)
    system_tokens = estimate(system) + PER_MESSAGE if system else 0
    question_tokens = estimate(turn.question) + PER_MESSAGE
    left = window - reserve - system_tokens - question_tokens
    if left < 0:
        raise ContextTooLong(
            f"The message has about {question_tokens:,} tokens; {target.display_name} takes at most "
            f"{max(0, window - reserve - system_tokens):,} beside its answer. Shorten it or pick a larger model."
        )
    history, used, dropped = await _history(session, turn.before_id, left)
    parts = [
        *([Part("instructions", prompt.name, system_tokens, 1)] if prompt else []),
        *([Part("history", "Earlier messages", used, len(history))] if history else []),
        Part("question", "Your message", question_tokens, 1),
    ]
    manifest: dict[str, object] = {
        "parts": [asdict(part) for part in parts],
        "window": window,
        "reserved_for_answer": reserve,
        "is_window_known": target.context_window is not None,
        "cut": f"Older messages from {dropped} on did not fit" if dropped else "",
        "counts": "estimate",
    }
    total = sum(part.tokens for part in parts)
    return Context(system, (*history, PromptMessage("user", turn.question)), manifest, total)


async def _history(session: ReadSession, leaf: MessageId | None, budget: int) -> tuple[list[PromptMessage], int, str]:
    """Return the newest messages up to `leaf` that fit together, their tokens, and where the cut is."""
    found: list[PromptMessage] = []
    used = 0
    cut_at = ""
    while leaf is not None and not cut_at:
        rows = list(await session.scalars(branch(leaf, PAGE)))
        for row in rows:
            message = _sent(row)
            if message is None:
                continue
            tokens = estimate(message.text) + PER_MESSAGE
            if used + tokens > budget:
                cut_at = row.created_at.isoformat(timespec="seconds")
                break
            used += tokens
            found.append(message)
        leaf = rows[-1].parent_id if len(rows) == PAGE else None
    # A conversation begins with the person: some providers refuse anything else.
    while found and found[-1].role == "assistant":
        dropped = found.pop()
        used -= estimate(dropped.text) + PER_MESSAGE
    return found[::-1], used, cut_at


def _sent(row: ChatMessage) -> PromptMessage | None:
    """Return the message as a model is sent it; notes, deleted ones and answers without text are not."""
    if row.role is MessageRole.NOTE or row.deleted_at is not None or not row.text.strip():
        return None
    return PromptMessage("user" if row.role is MessageRole.USER else "assistant", row.text)
