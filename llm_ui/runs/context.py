"""What a model is sent, and the manifest that says so.

In order: instructions, the person's own, those of the project and of the agent, what the person has told of themselves,
a summary of what no longer fits, passages of documents, who else has answered before, as many recent messages of the
branch as fit, the question with how its answer should be, and the beginning of an answer that is continued. A message
or passage is sent whole or not at all.
"""

import json
import time
from collections.abc import Collection
from dataclasses import asdict, dataclass
from decimal import Decimal
from uuid import UUID

from llm_ui.contract import LeftOut, Preview, PreviewRequest, Source
from llm_ui.db import ReadSession
from llm_ui.errors import ContextTooLong
from llm_ui.kit.i18n import to_tell
from llm_ui.kit.ids import AttachmentId, MessageId, ProjectId, PromptId
from llm_ui.kit.money import plain
from llm_ui.models import ChatHistory, ProviderKind
from llm_ui.providers.base import ToolSpec
from llm_ui.runs.files import Room, SentFile, SentMessage
from llm_ui.runs.history import History, fitting, remembered
from llm_ui.runs.passages import Found, Numbered, look_ahead, numbered
from llm_ui.runs.remembered import MEMORY_SHARE, about_person, about_project
from llm_ui.runs.tools.registry import offered
from llm_ui.services import agents, budgets, memories
from llm_ui.services.access import Actor
from llm_ui.services.agents import AgentInfo
from llm_ui.services.attachments import find_attachments
from llm_ui.services.experiment_rules import Assigned
from llm_ui.services.levels import levels
from llm_ui.services.prices import cost
from llm_ui.services.projects import instructions_of
from llm_ui.services.targets import ModelTarget
from llm_ui.services.turns import Turn

DEFAULT_WINDOW = 32_000
"""Tokens, for models whose window nobody has told us: small enough for what people run at home today."""
DEFAULT_RESERVE = 4_096
"""Tokens kept free for the answer when the person sets no limit."""
TOOLS_SHARE = 4
TOOLS_TOKENS = 8_000
"""What tools may find is given one in so many of the tokens that are left for earlier messages, and at most so many."""
TOO_LONG = to_tell(
    "The message has about {question} tokens; {name} takes at most {most} beside its answer. "
    "Shorten it or pick a larger model."
)
TOO_LONG_WITH_FILES = to_tell(
    "The message has about {question} tokens; {name} takes at most {most} beside its answer. "
    "Remove a file, shorten it or pick a larger model."
)
OLDER = to_tell("Older messages from {at} on did not fit")
FORGOTTEN = to_tell("{count} of the older facts did not fit")
MERGE = (
    "Several answers to this follow. Write one answer that keeps what is right and useful in each of them, settles "
    "where they disagree and says so, and mentions neither the answers nor their number."
)
GO_ON = (
    "Your last answer was cut off. Go on exactly where it ended, in mid-sentence or mid-word if need be. "
    "Do not repeat anything and do not remark on the interruption."
)
"""Understood by every provider; beginning the answer for the model is refused by some."""

OTHERS = (
    "Some earlier answers of this conversation were written by {others}. You answer {name} from here on, and follow "
    "the instructions that you were given here, not theirs."
)

MAX_OTHERS = 3
OTHERS_TOKENS = 100
"""Kept free for it, ahead of the messages that it is about."""

NOT_SENT_IN_TRIAL: tuple[LeftOut, ...] = (
    "instructions", "team", "personal", "project", "agent", "memory", "tools",
)  # fmt: skip
"""A model that is tried out is told what whoever tries it writes, and nothing else."""
NOT_SENT_IN_TEMPORARY: tuple[LeftOut, ...] = ("memory", "personal")
"""In a temporary chat nobody is told what is known of the person, nor what the person wants to be told."""

SYSTEM_PARTS = (
    "instructions",
    "team",
    "personal",
    "project",
    "agent",
    "others",
    "memory",
    "project_memory",
    "summary",
    "passages",
)
"""Origins that are sent ahead of the conversation, as one text."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of what the model is sent."""

    origin: str
    """`instructions`, `team`, `personal`, `project`, `agent`, `others`, `memory`, `project_memory`, `summary`,
    `passages`, `tools`, `history`, `attachments`, `question`, `merged`, `wish` or `opening`."""
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
    room: int
    """Tokens that the messages of the chat may take in this window, with the question."""
    took_ms: float
    """What putting it together took."""
    most_tokens: int
    """What the model can be sent altogether."""
    sources: tuple[Source, ...] | None = None
    """What the answer may cite; None: there is nothing to search."""
    answer_tokens: int = 0
    """Of the longest answer that is reckoned with."""
    tools: tuple[ToolSpec, ...] = ()
    """What the model may use."""

    @property
    def goes_on(self) -> bool:
        """Whether the next request is likely to begin like this one: passages differ from question to question."""
        return bool(self.tools) or not self.sources

    def most_usd(self, target: ModelTarget) -> Decimal | None:
        """Return what the longest answer that is reckoned with costs; None: nobody knows the price."""
        return self.request_usd(target, self.input_tokens)

    def request_usd(self, target: ModelTarget, sent: int) -> Decimal | None:
        """Return what one request for it costs at most that is sent so many tokens."""
        written = sent if self.goes_on and target.kind is ProviderKind.ANTHROPIC else 0
        return cost(target.prices, input_tokens=sent, output_tokens=self.answer_tokens, written_tokens=written)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a turn is to be sent with."""

    max_tokens: int | None = None
    wish: str = ""
    """How the answer should be."""
    without: Collection[LeftOut] = ()
    """What is left out."""
    found: Found | None = None
    """What the project's documents hold on the question; None: there is nothing to search."""
    tools_off: Collection[str] = ()
    """Tools that the person switched off."""
    system: str = ""
    """What a model that is tried out is told."""


async def build(session: ReadSession, actor: Actor, turn: Turn, target: ModelTarget, wanted: Wanted) -> Context:
    """Return the context of a turn.

    Raises `ContextTooLong` when the question alone does not fit, `InvalidInput` when the model does not take its files.
    """
    began = time.monotonic()
    without, found = wanted.without, wanted.found
    window = target.context_window or DEFAULT_WINDOW
    reserve = min(wanted.max_tokens or DEFAULT_RESERVE, window // 2)
    room = Room(target)
    files = room.required(turn.attachments)
    tools = _tools(target, wanted)
    told = _told_of(tools, room)
    place = Place(turn.system_prompt_id, turn.project_id, window - reserve, without, turn.agent, turn.split)
    before, forgotten = await _standing(session, actor, place, room)
    before += [Part("instructions", "", room.count(text), text=text) for text in [wanted.system] if text]
    after = _after(turn, wanted.wish, room)
    attached = sum(file.tokens for file in files)
    question = sum(part.tokens for part in after) + attached
    left = window - reserve - sum(part.tokens for part in (*before, *told)) - question
    if left < 0:
        sentence = TOO_LONG_WITH_FILES if files else TOO_LONG
        most = max(0, left + question)
        raise ContextTooLong(sentence, question=question, name=target.display_name, most=most)
    passages = numbered(found, left, room)
    count = len(passages.sources)
    given = [Part("passages", "Passages", passages.tokens, count, text=passages.text)] if passages.text else []
    may_be_others = turn.was_with_agent or turn.agent is not None
    left -= sum(part.tokens for part in given) + (OTHERS_TOKENS if may_be_others else 0)
    # What tools will find needs room too.
    kept = min(left // TOOLS_SHARE, TOOLS_TOKENS) if tools else 0
    history = await _said(session, actor, turn, without, left - kept, room)
    before += [*_summary(history), *given]
    if may_be_others:
        before += await _others(session, actor, history, turn, room)
    parts = [*before, *told, *_earlier(history), *_attached([*history.files, *files]), *after]
    manifest: dict[str, object] = {
        "parts": [part.listed() for part in parts],
        "window": window,
        "reserved_for_answer": reserve,
        "is_window_known": target.context_window is not None,
        "cut": _cut(history, forgotten),
        "left_out": sorted(without),
        **({"tools": [tool.name for tool in tools]} if tools else {}),
        "counts": "calibrated" if target.calibration.is_known else "estimate",
        **_sought(found, passages),
    }
    asked = "\n\n".join(text for text in (turn.question, _to_merge(turn), wanted.wish) if text)
    messages = [*history.messages, SentMessage("user", asked, files)]
    if turn.opening:
        messages += [SentMessage("assistant", turn.opening, steps=turn.steps), SentMessage("user", GO_ON)]
    system = "\n\n".join(part.text for part in before)
    took_ms = round((time.monotonic() - began) * 1000, 1)
    return Context(
        system, tuple(messages), manifest, sum(part.tokens for part in parts), left + question, took_ms,
        window - reserve, sources=None if found is None else passages.sources,
        answer_tokens=max(reserve, wanted.max_tokens or 0), tools=tools,
    )  # fmt: skip


async def _said(
    session: ReadSession, actor: Actor, turn: Turn, without: Collection[LeftOut], left: int, room: Room
) -> History:
    """Return what was said before, as much of it as fits."""
    if turn.said is not None:
        return fitting([SentMessage(one.role, one.text) for one in turn.said], left, room)
    leaf = None if "history" in without else turn.before_id
    return await remembered(session, actor, turn.chat_id, leaf, left, room, is_summed_up="summary" not in without)


def _sought(found: Found | None, passages: Numbered) -> dict[str, object]:
    """Return what the manifest says of the search; nothing where there was none."""
    if found is None:
        return {}
    return {"retrieval_ms": found.took_ms, "retrieval": {**found.how(), "beside": passages.completing}}


async def preview(
    session: ReadSession, actor: Actor, request: PreviewRequest, target: ModelTarget, chat: ChatHistory | None
) -> Preview:
    """Return what a question after what the chat shows would be sent with; None: in a new chat."""
    window = target.context_window or DEFAULT_WINDOW
    reserve = min(request.max_tokens or DEFAULT_RESERVE, window // 2)
    room = Room(target)
    prompt_id = None if chat is None else chat.system_prompt_id
    project_id = _project(request, chat)
    without = NOT_SENT_IN_TEMPORARY if request.is_temporary else ()
    agent = await agents.answering(session, actor, None if chat is None else chat.agent_id, request.agent_id)
    place = Place(prompt_id, project_id, window - reserve, without, agent)
    standing, _ = await _standing(session, actor, place, room)
    fixed = sum(part.tokens for part in standing)
    files = room.offered(await find_attachments(session, actor, [AttachmentId(each) for each in request.attachments]))
    attached = sum(file.tokens for file in files)
    left = window - reserve - fixed - attached
    known = await agents.knowledge(session, actor, project_id, agent)
    found = None if known is None else await look_ahead(session, actor, known, request)
    off = () if chat is None else chat.tools_off or ()
    tools = sum(part.tokens for part in _told_of(_tools(target, Wanted(found=found, tools_off=off)), room))
    left -= tools
    passages = numbered(found, left - room.count(request.text), room)
    left -= passages.tokens
    history = History()
    if chat is not None:
        history = await remembered(session, actor, chat.id, chat.active_leaf_id, left, room)
    budget = None if project_id is None else await budgets.read(session, actor, project_id)
    return Preview(
        window=window,
        reserved=reserve,
        instructions=fixed + tools,
        history=history.all_tokens,
        tokens_factor=target.calibration.factor,
        attachments=attached,
        passages=passages.tokens,
        passage_count=len(passages.sources),
        is_in_project=known is not None,
        is_cut=bool(history.cut_at),
        input_usd_per_mtok=_price(target.prices.input_usd_per_mtok),
        output_usd_per_mtok=_price(target.prices.output_usd_per_mtok),
        budget_usd=None if budget is None else plain(budget.amount_usd),
        budget_left_usd=None if budget is None else plain(budget.left_usd),
        likely_model="" if target.choice is None else target.display_name,
    )


@dataclass(frozen=True, slots=True)
class FirstChat:
    """A chat that might be begun."""

    project_id: ProjectId
    max_tokens: int | None
    """Of its answers."""


async def first_passages(
    session: ReadSession, actor: Actor, question: str, found: Found, target: ModelTarget, settings: FirstChat
) -> Numbered:
    """Return the passages that would be sent with the first question of a new chat of a project."""
    window = target.context_window or DEFAULT_WINDOW
    most = window - min(settings.max_tokens or DEFAULT_RESERVE, window // 2)
    room = Room(target)
    standing, _ = await _standing(session, actor, Place(None, settings.project_id, most), room)
    told = _told_of(_tools(target, Wanted(found=found)), room)
    left = most - sum(part.tokens for part in (*standing, *told)) - room.count(question)
    return numbered(found, left, room)


def _project(request: PreviewRequest, chat: ChatHistory | None) -> ProjectId | None:
    if chat is not None:
        return chat.project_id
    return None if request.project_id is None else ProjectId(request.project_id)


def _price(price: Decimal | None) -> str | None:
    return None if price is None else plain(price)


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is asked."""

    prompt_id: PromptId | None
    project_id: ProjectId | None
    most: int
    """Tokens that a model can be sent."""
    without: Collection[LeftOut] = ()
    agent: AgentInfo | None = None
    split: Assigned | None = None


async def _standing(session: ReadSession, actor: Actor, place: Place, room: Room) -> tuple[list[Part], int]:
    """Return the parts ahead of the conversation that are sent in any case, and how many facts did not fit."""
    without, project_id, most = place.without, place.project_id, place.most // MEMORY_SHARE
    told = await levels(
        session, actor, place.prompt_id, project_id, agent=place.agent, without=without, split=place.split
    )
    name = ""
    of_project: tuple[str, ...] = ()
    if project_id is not None and "memory" not in without:
        of_project = await memories.facts_of(session, actor, project_id)
        name = (await instructions_of(session, actor, project_id))[0] if of_project else ""
    facts = () if "memory" in without else await memories.facts(session, actor, project_id)
    project, left_of_project = about_project(of_project, most, room.count)
    person, left_of_person = about_person(facts, most, room.count)
    parts = [
        *((level.origin, level.name, level.text) for level in told),
        ("memory", "What you told of yourself", person),
        ("project_memory", name, project),
    ]
    sent = [Part(origin, known, room.count(text), text=text) for origin, known, text in parts if text]
    return sent, left_of_project + left_of_person


async def _others(session: ReadSession, actor: Actor, history: History, turn: Turn, room: Room) -> list[Part]:
    """Return the part that says who else has written answers that are sent; none where nobody has."""
    agent = turn.agent
    if turn.said is None:
        names = await agents.others_before(session, actor, [MessageId(UUID(each)) for each in history.ids], agent)
    else:
        answers = [one.agent for one in turn.said[len(turn.said) - len(history.messages) :] if one.role == "assistant"]
        names = tuple(sorted(set(answers) - {"" if agent is None else agent.name}))
    if not names:
        return []
    known = [f"the agent “{name}”" if name else "a model without an agent" for name in names]
    others = ", ".join([*known[:MAX_OTHERS], *(["others"] if len(known) > MAX_OTHERS else [])])
    text = OTHERS.format(others=others, name="without an agent" if agent is None else f"as the agent “{agent.name}”")
    return [Part("others", "Change of agent", room.count(text), text=text)]


def _tools(target: ModelTarget, wanted: Wanted) -> tuple[ToolSpec, ...]:
    """Return what the model may use: nothing where it cannot, or where it is to be asked without."""
    if not target.can_use_tools or "tools" in wanted.without:
        return ()
    return offered(wanted.tools_off, has_documents=wanted.found is not None)


def _told_of(tools: tuple[ToolSpec, ...], room: Room) -> list[Part]:
    """Return the part of the tools that the model is told of; none when there are none."""
    if not tools:
        return []
    text = "\n\n".join(f"{tool.name}: {tool.description}\n{json.dumps(tool.schema)}" for tool in tools)
    return [Part("tools", "Tools", room.count(text), len(tools), text=text)]


def _summary(history: History) -> list[Part]:
    text = history.summary
    return [Part("summary", "Summary of earlier messages", history.summary_tokens, text=text)] if text else []


def _earlier(history: History) -> list[Part]:
    messages = len(history.messages)
    return [Part("history", "Earlier messages", history.tokens, messages, messages=history.ids)] if messages else []


def _after(turn: Turn, wish: str, room: Room) -> list[Part]:
    """Return the parts that follow the earlier messages."""
    merged, opening = _to_merge(turn), turn.opening
    return [
        Part("question", "Your message", room.count(turn.question), messages=(str(turn.question_id),)),
        *([Part("merged", "Answers to merge", room.count(merged), text=merged)] if merged else []),
        *([Part("wish", "How the answer should be", room.count(wish), text=wish)] if wish else []),
        *(
            [Part("opening", "The answer so far", room.count(opening) + room.count(GO_ON), text=opening)]
            if opening
            else []
        ),
    ]


def _cut(history: History, forgotten: int) -> str:
    """Return what did not fit, as a sentence without its full stop."""
    said = [OLDER.format(at=history.cut_at)] if history.cut_at else []
    if forgotten:
        said.append(FORGOTTEN.format(count=forgotten))
    return ". ".join(said)


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
