"""Our own chats, as `services/exports.py` writes them, and what `services/archive.py` puts beside them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from llm_ui.contract import MAX_ANSWER_TOKENS, MAX_ATTACHMENTS, MAX_TEMPERATURE
from llm_ui.contract import Source as Cited
from llm_ui.contract.steps import Step
from llm_ui.errors import InvalidInput
from llm_ui.kit.fetching import checked
from llm_ui.kit.text import one_line, storable
from llm_ui.models import (
    Cutting,
    FeedbackReason,
    MessageRole,
    MessageStatus,
    ProjectColor,
    ProjectIcon,
    Rating,
    Strategy,
)
from llm_ui.services.agents import (
    MAX_DESCRIPTION_CHARS,
    MAX_DOCUMENTS,
    MAX_STARTER_CHARS,
    MAX_STARTERS,
    AgentSettings,
)
from llm_ui.services.agents import MAX_NAME_CHARS as MAX_AGENT_NAME_CHARS
from llm_ui.services.attachments import file_name
from llm_ui.services.cutting import AS_CUT, CuttingInfo
from llm_ui.services.cutting import checked as checked_cutting
from llm_ui.services.exports import FORMAT, VERSION
from llm_ui.services.feedback import MAX_COMMENT_CHARS, Feedback
from llm_ui.services.formats.base import (
    BadEntry,
    ImportedAgent,
    ImportedCase,
    ImportedChat,
    ImportedDocument,
    ImportedFile,
    ImportedMemory,
    ImportedMessage,
    ImportedProject,
    ImportedPrompt,
    ImportedSummary,
    Place,
    Source,
    chat,
    identifier,
    instant,
    mapping,
    project,
    sequence,
    text,
    texts,
)
from llm_ui.services.memories import MAX_FACTS
from llm_ui.services.projects import MAX_INSTRUCTIONS_CHARS, ProjectSettings
from llm_ui.services.summaries import MAX_CHARS

STATUSES = {status.value: status for status in MessageStatus} | {"streaming": MessageStatus.INTERRUPTED}
ROLES = {role.value: role for role in MessageRole}
RATINGS = {rating.name.lower(): rating for rating in Rating}
REASONS = {reason.value: reason for reason in FeedbackReason}
COLORS = {color.value: color for color in ProjectColor}
ICONS = {icon.value: icon for icon in ProjectIcon}
STRATEGIES = {one.value: one for one in Strategy}

MAX_CITED = 500
"""Of one answer."""
MAX_STEPS = 200
"""Of one answer."""
MAX_MODEL_CHARS = 200
"""Of its name."""


def knows(entry: dict[str, Any]) -> bool:
    """Return whether this is a chat of ours."""
    return entry.get("format") == FORMAT


def read(entry: dict[str, Any]) -> ImportedChat:
    """Return the chat. Raises `BadEntry`."""
    if entry.get("version") != VERSION:
        raise BadEntry("A newer version of LLM UI wrote it. Update this one first.")
    told = mapping(entry.get("chat"))
    kept_in = mapping(told.get("project"))
    found = chat(
        Source.LLM_UI,
        identifier(told.get("id")),
        told.get("title"),
        instant(told.get("created_at")),
        [_message(mapping(one)) for one in sequence(entry.get("messages"))],
        identifier(told.get("active_leaf_id")),
        place=Place(
            is_archived=told.get("is_archived") is True,
            is_pinned=told.get("is_pinned") is True,
            tags=texts(told.get("tags")),
            project=project(Source.LLM_UI, kept_in.get("id"), kept_in.get("name")),
        ),
    )
    temperature, max_tokens = _parameters(told)
    summaries = tuple(_summaries(entry, found))
    return replace(found, summaries=summaries, temperature=temperature, max_tokens=max_tokens)


def _message(told: dict[str, Any]) -> ImportedMessage:
    message_id, role = identifier(told.get("id")), ROLES.get(text(told.get("role")))
    if message_id is None or role is None:
        raise BadEntry("One of its messages has no id or no role.")
    run = mapping(told.get("run"))
    wrote = " · ".join(filter(None, (text(run.get("agent")), text(run.get("model"))))) or text(told.get("model"))
    return ImportedMessage(
        id=message_id,
        parent_id=identifier(told.get("parent_id")),
        role=role,
        text=text(told.get("text")),
        created_at=instant(told.get("created_at")),
        reasoning=text(told.get("reasoning")),
        model_name=one_line(wrote, MAX_MODEL_CHARS),
        status=STATUSES.get(text(told.get("status")), MessageStatus.COMPLETE),
        feedback=_feedback(mapping(told.get("feedback"))) if role is MessageRole.ASSISTANT else None,
        files=tuple(
            ImportedFile(text(file.get("name")), text(file.get("sha256")))
            for file in map(mapping, sequence(told.get("attachments"))[:MAX_ATTACHMENTS])
        ),
        citations=tuple(_citations(sequence(told.get("sources")))) if "sources" in told else None,
        steps=tuple(_steps(sequence(told.get("steps")), text(told.get("text")))),
    )


def _citations(told: Sequence[object]) -> Iterator[Cited]:
    """Yield what an answer cites; what is no source is left out, as a chip without one is."""
    for one in told[:MAX_CITED]:
        with suppress(ValidationError):
            yield Cited.model_validate(one)


def _steps(told: Sequence[object], said: str) -> Iterator[Step]:
    """Yield the tools that were used; what is no step is left out, and none stands beyond the text."""
    at = 0
    for one in told[:MAX_STEPS]:
        with suppress(ValidationError):
            step = Step.model_validate(one)
            at = min(max(at, step.at), len(said))
            state = "stopped" if step.state == "running" else step.state
            kept = {"at": at, "state": state, "name": storable(step.name), "result": storable(step.result)}
            yield step.model_copy(update=kept)


def _feedback(told: dict[str, Any]) -> Feedback | None:
    rating = RATINGS.get(text(told.get("rating")))
    reason = REASONS.get(text(told.get("reason")))
    return None if rating is None else Feedback(rating, reason, text(told.get("comment"))[:MAX_COMMENT_CHARS])


def _summaries(entry: dict[str, Any], found: ImportedChat) -> Iterator[ImportedSummary]:
    """Yield what was summed up; one for each message at most, as it is kept."""
    left = {message.id for message in found.messages}
    for told in map(mapping, sequence(entry.get("summaries"))):
        upto_id = identifier(told.get("upto_id"))
        if upto_id in left:
            left.remove(upto_id)
            said, wrote = text(told.get("text")).strip()[:MAX_CHARS], one_line(text(told.get("model")), MAX_MODEL_CHARS)
            yield ImportedSummary(upto_id, said, wrote, is_edited=told.get("is_edited") is True)


def _parameters(told: dict[str, Any]) -> tuple[float | None, int | None]:
    """Return how a model is asked: temperature and longest answer, None what is left to it."""
    temperature, max_tokens = _number(told.get("temperature")), _number(told.get("max_tokens"))
    return (
        temperature if temperature is not None and 0 <= temperature <= MAX_TEMPERATURE else None,
        int(max_tokens) if max_tokens is not None and 1 <= max_tokens <= MAX_ANSWER_TOKENS else None,
    )


def _number(value: object) -> float | None:
    """Return a number, None when it is none; what is no number at all compares with nothing."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


MAX_CASES = 500
"""Of one document: as many as a test set has."""
Kept = ImportedProject | ImportedAgent | ImportedPrompt | ImportedMemory | ImportedDocument
"""What an archive holds beside chats."""


def _kept_project(told: dict[str, Any]) -> Kept | BadEntry:
    found = project(Source.LLM_UI, told.get("id"), told.get("name"))
    if found is None:
        return BadEntry("It is a project without a name.")
    facts = tuple(map(_fact, map(mapping, sequence(told.get("facts"))[:MAX_FACTS])))
    return replace(
        found,
        instructions=text(told.get("instructions"))[:MAX_INSTRUCTIONS_CHARS],
        facts=facts,
        settings=_settings(told),
        cutting=_cutting(mapping(told.get("passages"))),
        strategy=STRATEGIES.get(text(mapping(told.get("passages")).get("strategy"))),
        lets_memory_in=told.get("lets_memory_in") is True,
        is_archived=told.get("is_archived") is True,
    )


def _settings(told: dict[str, Any]) -> ProjectSettings:
    temperature, max_tokens = _parameters(told)
    return ProjectSettings(
        color=COLORS.get(text(told.get("color")), ProjectColor.GREY),
        icon=ICONS.get(text(told.get("icon")), ProjectIcon.FOLDER),
        model_name=one_line(text(told.get("model")), MAX_MODEL_CHARS),
        temperature=temperature,
        max_tokens=max_tokens,
        is_template=told.get("is_template") is True,
    )


def _cutting(told: dict[str, Any]) -> CuttingInfo:
    """Return how documents are cut; as all are at first where it cannot be so."""
    tokens, overlap = _number(told.get("tokens")), _number(told.get("overlap_tokens"))
    try:
        return checked_cutting(CuttingInfo(Cutting(text(told.get("by"))), int(tokens or 0), int(overlap or 0)))
    except (ValueError, OverflowError, InvalidInput):
        return AS_CUT


def _kept_agent(told: dict[str, Any]) -> Kept | BadEntry:
    name = one_line(text(told.get("name")), MAX_AGENT_NAME_CHARS)
    if not name:
        return BadEntry("It is an agent without a name.")
    kept_in, looks = mapping(told.get("project")), _settings(told)
    settings = AgentSettings(
        name=name,
        description=one_line(text(told.get("description")), MAX_DESCRIPTION_CHARS),
        instructions=text(told.get("instructions")).strip()[:MAX_INSTRUCTIONS_CHARS],
        color=looks.color,
        icon=looks.icon,
        model_name=looks.model_name,
        temperature=looks.temperature,
        max_tokens=looks.max_tokens,
        starters=tuple(one_line(each, MAX_STARTER_CHARS) for each in texts(told.get("starters"))[:MAX_STARTERS]),
        keeps_answers=told.get("keeps_answers") is True,
        keeps_similar=told.get("keeps_similar") is True,
    )
    found = project(Source.LLM_UI, kept_in.get("id"), kept_in.get("name"))
    names = sequence(told.get("documents"))[:MAX_DOCUMENTS]
    return ImportedAgent(settings, found, tuple(filter(None, map(text, names))))


def _kept_prompt(told: dict[str, Any]) -> Kept:
    return ImportedPrompt(text(told.get("name")), text(told.get("text")))


def _fact(told: dict[str, Any]) -> ImportedMemory:
    return ImportedMemory(text(told.get("text")), is_on=told.get("is_on") is not False)


def _kept_document(told: dict[str, Any]) -> Kept | BadEntry:
    kept_in = mapping(told.get("project"))
    found = project(Source.LLM_UI, kept_in.get("id"), kept_in.get("name"))
    if found is None:
        return BadEntry("It is a document without a project.")
    try:
        source_url = checked(text(told.get("source_url")))
    except InvalidInput:
        source_url = None
    told_cases = map(mapping, sequence(told.get("cases"))[:MAX_CASES])
    cases = tuple(
        ImportedCase(text(one.get("question")), text(one.get("passage")), one.get("is_wanted") is True)
        for one in told_cases
        if text(one.get("question")).strip()
    )
    return ImportedDocument(found, file_name(text(told.get("name"))), text(told.get("path")), source_url, cases)


LISTS: dict[str, Callable[[dict[str, Any]], Kept | BadEntry]] = {
    "projects.json": _kept_project,
    "prompts.json": _kept_prompt,
    "memories.json": _fact,
    "documents.json": _kept_document,
    "agents.json": _kept_agent,
}
"""How each of the archive's other files is read, entry by entry."""
BEFORE_CHATS = frozenset({"projects.json"})
"""What chats lie in is there before them, with all that belongs to it."""
