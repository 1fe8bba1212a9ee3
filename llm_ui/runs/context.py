"""What a model is sent, and the manifest that says so.

In order: instructions, as many recent messages of the branch as fit, the question with how its answer should be, and
the beginning of an answer that is continued. A message is sent whole or not at all.
"""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from decimal import Decimal

from llm_ui.contract import LeftOut, Preview, PreviewRequest
from llm_ui.db import ReadSession
from llm_ui.errors import ContextTooLong
from llm_ui.kit.ids import AttachmentId, MessageId
from llm_ui.kit.money import plain
from llm_ui.kit.token_count import PER_MESSAGE, estimate
from llm_ui.models import ChatMessage, MessageRole
from llm_ui.runs.files import Room, SentFile, SentMessage
from llm_ui.services.access import Actor
from llm_ui.services.ai_models import ModelTarget
from llm_ui.services.attachments import attachments_of, find_attachments
from llm_ui.services.messages import branch
from llm_ui.services.prompts import PromptInfo, instructions
from llm_ui.services.turns import Turn

DEFAULT_WINDOW = 32_000
"""Tokens, for models whose window nobody has told us: small enough for what people run at home today."""
DEFAULT_RESERVE = 4_096
"""Tokens kept free for the answer when the person sets no limit."""
PAGE = 50
MERGE = (
    "Several answers to this follow. Write one answer that keeps what is right and useful in each of them, settles "
    "where they disagree and says so, and mentions neither the answers nor their number."
)
GO_ON = (
    "Your last answer was cut off. Go on exactly where it ended, in mid-sentence or mid-word if need be. "
    "Do not repeat anything and do not remark on the interruption."
)
"""Understood by every provider; beginning the answer for the model is refused by some."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of what the model is sent."""

    origin: str
    """`instructions`, `history`, `attachments`, `question`, `merged`, `wish` or `opening`."""
    name: str
    tokens: int
    count: int = 1
    """How many messages the part holds."""
    text: str = ""
    """What was sent, unless it is in the chat's messages."""
    messages: tuple[str, ...] = ()
    """Ids of the messages that were sent, oldest first."""
    files: tuple[dict[str, object], ...] = ()
    """Of the attached files `id`, `name`, `tokens`, and `is_shown` unless only the name was sent."""

    def listed(self) -> dict[str, object]:
        """Return the part as the manifest lists it."""
        told: dict[str, object] = {**asdict(self), "messages": list(self.messages), "files": list(self.files)}
        return told if self.files else {name: value for name, value in told.items() if name != "files"}


@dataclass(frozen=True, slots=True)
class Context:
    """What the model is sent."""

    system: str
    messages: tuple[SentMessage, ...]
    manifest: dict[str, object]
    input_tokens: int
    """Estimated."""


async def build(
    session: ReadSession,
    actor: Actor,
    turn: Turn,
    target: ModelTarget,
    *,
    max_tokens: int | None,
    wish: str = "",
    without: Collection[LeftOut] = (),
) -> Context:
    """Return the context of a stored turn; `wish` is how the answer should be, `without` names what is left out.

    Raises `ContextTooLong` when the question alone does not fit, `InvalidInput` when the model does not take its files.
    """
    prompt = None if "instructions" in without else await instructions(session, actor, turn.system_prompt_id)
    system = prompt.text if prompt else ""
    window = target.context_window or DEFAULT_WINDOW
    reserve = min(max_tokens or DEFAULT_RESERVE, window // 2)
    room = Room(target)
    files = room.required(turn.attachments)
    fixed = _fixed(prompt, turn, wish)
    attached = sum(file.tokens for file in files)
    left = window - reserve - sum(part.tokens for part in fixed) - attached
    if left < 0:
        question = sum(part.tokens for part in fixed if part.origin != "instructions") + attached
        shorten = "Remove a file, shorten it" if files else "Shorten it"
        raise ContextTooLong(
            f"The message has about {question:,} tokens; {target.display_name} takes at most "
            f"{max(0, left + question):,} beside its answer. {shorten} or pick a larger model."
        )
    history = await _history(session, None if "history" in without else turn.before_id, left, room)
    earlier = Part("history", "Earlier messages", history.tokens, len(history.messages), messages=history.ids)
    before = [part for part in fixed if part.origin == "instructions"]
    went = _attached([*(sent for message in history.messages for sent in message.files), *files])
    parts = [*before, *([earlier] if history.messages else []), *went, *fixed[len(before) :]]
    manifest: dict[str, object] = {
        "parts": [part.listed() for part in parts],
        "window": window,
        "reserved_for_answer": reserve,
        "is_window_known": target.context_window is not None,
        "cut": f"Older messages from {history.cut_at} on did not fit" if history.cut_at else "",
        "left_out": sorted(without),
        "counts": "estimate",
    }
    asked = "\n\n".join(text for text in (turn.question, _to_merge(turn), wish) if text)
    messages = [*history.messages, SentMessage("user", asked, files)]
    if turn.opening:
        messages += [SentMessage("assistant", turn.opening), SentMessage("user", GO_ON)]
    return Context(system, tuple(messages), manifest, sum(part.tokens for part in parts))


async def preview(
    session: ReadSession, actor: Actor, request: PreviewRequest, target: ModelTarget, leaf: MessageId | None
) -> Preview:
    """Return what a question after `leaf` would be sent with."""
    prompt = await instructions(session, actor, None)
    window = target.context_window or DEFAULT_WINDOW
    reserve = min(request.max_tokens or DEFAULT_RESERVE, window // 2)
    fixed = _tokens(prompt.text) if prompt and prompt.text else 0
    room = Room(target)
    files = room.offered(await find_attachments(session, actor, [AttachmentId(each) for each in request.attachments]))
    attached = sum(file.tokens for file in files)
    history = await _history(session, leaf, window - reserve - fixed - attached, room)
    return Preview(
        window=window,
        reserved=reserve,
        instructions=fixed,
        history=history.tokens + sum(file.tokens for message in history.messages for file in message.files),
        attachments=attached,
        is_cut=bool(history.cut_at),
        input_usd_per_mtok=_price(target.prices.input_usd_per_mtok),
        output_usd_per_mtok=_price(target.prices.output_usd_per_mtok),
    )


def _price(price: Decimal | None) -> str | None:
    return None if price is None else plain(price)


def _fixed(prompt: PromptInfo | None, turn: Turn, wish: str) -> list[Part]:
    """Return the parts that are sent in any case."""
    texts = [
        Part("instructions", prompt.name, _tokens(prompt.text), text=prompt.text) if prompt and prompt.text else None,
        Part("question", "Your message", _tokens(turn.question), messages=(str(turn.question_id),)),
        Part("merged", "Answers to merge", _tokens(_to_merge(turn)), text=_to_merge(turn)) if turn.merged else None,
        Part("wish", "How the answer should be", _tokens(wish), text=wish) if wish else None,
        Part("opening", "The answer so far", _tokens(turn.opening) + _tokens(GO_ON), text=turn.opening)
        if turn.opening
        else None,
    ]
    return [part for part in texts if part is not None]


def _attached(files: list[SentFile]) -> list[Part]:
    """Return the part of all files that are sent; none when there are none."""
    if not files:
        return []
    listed = tuple(
        {"id": str(sent.file.id), "name": sent.file.name, "tokens": sent.tokens, "is_shown": sent.is_shown}
        for sent in files
    )
    return [Part("attachments", "Files", sum(sent.tokens for sent in files), len(files), files=listed)]


def _to_merge(turn: Turn) -> str:
    """Return the answers that are to be brought together, each marked as one, and what to do with them."""
    if not turn.merged:
        return ""
    answers = "\n\n".join(f"<answer>\n{text}\n</answer>" for text in turn.merged)
    return f"{MERGE}\n\n{answers}"


def _tokens(text: str) -> int:
    return estimate(text) + PER_MESSAGE


@dataclass(frozen=True, slots=True)
class _History:
    """The earlier messages that are sent, oldest first."""

    messages: tuple[SentMessage, ...]
    ids: tuple[str, ...]
    tokens: int
    """Of their texts."""
    cut_at: str
    """When the newest message was written that did not fit; empty when all did."""


async def _history(session: ReadSession, leaf: MessageId | None, budget: int, room: Room) -> _History:
    """Return the newest messages up to `leaf` that fit together, each with its files."""
    found: list[tuple[str, SentMessage, int]] = []
    used = 0
    cut_at = ""
    while leaf is not None and not cut_at:
        rows = list(await session.scalars(branch(leaf, PAGE)))
        attached = await attachments_of(session, [row.id for row in rows if row.role is MessageRole.USER])
        for row in rows:
            message = _sent(row, room.offered(attached.get(row.id, ())))
            if message is None:
                continue
            tokens = _tokens(message.text)
            with_files = tokens + sum(file.tokens for file in message.files)
            if used + with_files > budget:
                cut_at = row.created_at.isoformat(timespec="seconds")
                break
            used += with_files
            found.append((str(row.id), message, tokens))
        leaf = rows[-1].parent_id if len(rows) == PAGE else None
    # A conversation begins with the person: some providers refuse anything else.
    while found and found[-1][1].role == "assistant":
        found.pop()
    ids, messages = [one[0] for one in found], [one[1] for one in found]
    return _History(tuple(messages[::-1]), tuple(ids[::-1]), sum(one[2] for one in found), cut_at)


def _sent(row: ChatMessage, files: tuple[SentFile, ...]) -> SentMessage | None:
    """Return the message as a model is sent it; notes, deleted ones and those without any content are not."""
    if row.role is MessageRole.NOTE or row.deleted_at is not None or not (row.text.strip() or files):
        return None
    return SentMessage("user" if row.role is MessageRole.USER else "assistant", row.text, files)
