"""How an answer came about: what its model was sent, as the manifest of its run says."""

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from llm_ui.contract.steps import Step
from llm_ui.db import ReadSession
from llm_ui.errors import NotFound
from llm_ui.kit.ids import MessageId
from llm_ui.kit.token_count import estimate
from llm_ui.models import ChatMessage, Run, RunStatus, UsageSource
from llm_ui.services import filter_words
from llm_ui.services.access import Actor, readable
from llm_ui.services.auto_rules import Choice, choice_of
from llm_ui.services.experiment_rules import Assigned, assigned_of

SPEAKERS = {
    "instructions": "system", "personal": "system", "project": "system", "agent": "system", "others": "system",
    "memory": "system", "project_memory": "system", "summary": "system", "passages": "system", "tools": "system",
    "opening": "assistant",
}  # fmt: skip
"""Who is said to speak in a part that is no message of the chat; else it is the person."""


@dataclass(frozen=True, slots=True)
class FileSent:
    """One file that went along."""

    id: str
    name: str
    tokens: int
    """Estimated."""
    is_shown: bool
    """Whether the model got what it holds; else only its name."""


@dataclass(frozen=True, slots=True)
class SentPart:
    """One part of what the model was sent."""

    origin: str
    """As in the manifest (runs/context.py)."""
    name: str
    tokens: int
    """Estimated."""
    texts: tuple[tuple[str, str], ...]
    """Who is said to speak, and the text; messages that were deleted since are left out."""
    messages: tuple[str, ...] = ()
    """The ids of the chat's messages among them."""
    files: tuple[FileSent, ...] = ()


class Stretch(StrEnum):
    """What the time between a question and the end of its answer is spent on."""

    RETRIEVAL = "retrieval"
    CONTEXT = "context"
    STORING = "storing"
    CONNECTING = "connecting"
    FIRST_TOKEN = "first_token"  # noqa: S105 - no secret
    WRITING = "writing"
    TOOLS = "tools"
    TRIED = "tried"


@dataclass(frozen=True, slots=True)
class Timing:
    """How long a stretch took."""

    stretch: Stretch
    ms: float
    name: str = ""
    """The model that was waited for in vain."""


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """A model that was asked and did not answer."""

    model: str
    provider: str
    reason: str
    """Empty where that is for administrators."""


@dataclass(frozen=True, slots=True)
class PassedOver:
    """How many passages were sent, or not, for another reason than that they match."""

    weak: int
    """Left out because they barely match."""
    alike: int
    """Left out because they say nearly the same as one that was sent."""
    beside: int
    """Sent because they stand right before or after one that was found."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """One answer: what went into it, what it cost and where the time went."""

    model_name: str
    provider_name: str
    agent_name: str
    """Empty: the model alone."""
    status: RunStatus
    reason: str
    """Why it ended, where more is known than that it did."""
    parts: tuple[SentPart, ...]
    requests: int
    """To the model; more than one where it used tools."""
    window: int
    """The model's context window, in tokens; assumed where nobody has said it."""
    reserved: int
    """Tokens of it that were kept free for the answer."""
    is_calibrated: bool
    """Whether the estimates are corrected by what the provider has counted before."""
    left_out: tuple[str, ...]
    """Origins of parts that the person left out of this request."""
    cut: str
    """What was left out and why; empty when all was sent."""
    found_by: str
    """How passages were looked for: `lexical`, `vector` or `hybrid`; empty where none were."""
    words_alone: str
    """Why they were looked for by words alone, although there is an embedding model; else empty."""
    searched_for: str
    """What the documents were searched for instead of the question; empty: the question itself."""
    reranked_by: str
    """The model that put the passages in order; empty where none did."""
    not_reranked: str
    """Why none did, although one is set; else empty."""
    passed_over: PassedOver
    timings: tuple[Timing, ...]
    """One after the other, from the question's arrival to the answer's end."""
    input_tokens: int | None
    cached_tokens: int | None
    output_tokens: int | None
    reasoning_tokens: int | None
    is_exact: bool
    """Whether the provider counted the tokens."""
    cost_usd: Decimal | None
    cached_at: datetime | None
    """When the answer was made, where one was there already."""
    similarity: float | None
    """The cosine with the question that it was the answer to; None: it was the very same."""
    similar_to: str
    """That question, where it was the same person's in the same project."""
    saved_usd: Decimal | None
    """What it would have cost then."""
    attempts: int
    experiments: tuple[Assigned, ...]
    """What it got in experiments."""
    choice: Choice | None
    """Why an *Auto* model has picked the model; None: a person has."""
    tries: tuple[NoAnswer, ...]
    """Who was asked before; the first one is who the question went to."""
    temperature: float | None
    max_tokens: int | None
    request_id: str
    provider_request_id: str


async def explain_answer(session: ReadSession, actor: Actor, answer_id: MessageId) -> Explanation:
    """Return how an answer came about. Raises `NotFound` for one that no model wrote here, or that is not theirs."""
    query = readable(Run, actor).where(Run.answer_id == answer_id).order_by(Run.created_at.desc()).limit(1)
    run = await session.scalar(query)
    if run is None:
        raise NotFound("Nothing is known of how this answer came about: no model wrote it in this chat.")
    manifest: dict[str, Any] = run.manifest or {}
    listed: list[dict[str, Any]] = manifest.get("parts", [])
    sought: dict[str, Any] = manifest.get("retrieval", {})
    answer = await session.scalar(readable(ChatMessage, actor).where(ChatMessage.id == answer_id))
    texts = await _texts(session, actor, [name for part in listed for name in part.get("messages", ())])
    return Explanation(
        model_name=run.model_name,
        provider_name=run.provider_name,
        agent_name=run.agent_name,
        status=run.status,
        reason=_reason(run),
        parts=tuple(_as_seen([*(_part(part, texts) for part in listed), *_used(answer), *_filtered(run)], run)),
        requests=max(1, len(manifest.get("rounds", ()))),
        window=int(manifest.get("window", 0)),
        reserved=int(manifest.get("reserved_for_answer", 0)),
        is_calibrated=manifest.get("counts") == "calibrated",
        left_out=tuple(manifest.get("left_out", ())),
        cut=str(manifest.get("cut", "")),
        found_by=str(sought.get("strategy") or ""),
        words_alone=str(sought.get("problem") or ""),
        searched_for=str(sought.get("searched_for") or ""),
        reranked_by=str(sought.get("reranked_by") or ""),
        not_reranked=str(sought.get("not_reranked") or ""),
        passed_over=PassedOver(*(int(sought.get(name) or 0) for name in ("weak", "alike", "beside"))),
        timings=timings(run),
        input_tokens=run.input_tokens,
        cached_tokens=run.cached_tokens,
        output_tokens=run.output_tokens,
        reasoning_tokens=run.reasoning_tokens,
        is_exact=run.usage_source is UsageSource.PROVIDER,
        cost_usd=run.cost_usd,
        cached_at=run.cached_at,
        similarity=run.similarity,
        similar_to=run.similar_to,
        saved_usd=run.saved_usd,
        attempts=run.attempts,
        choice=choice_of(manifest.get("auto")),
        experiments=assigned_of(manifest.get("experiments")),
        tries=tuple(NoAnswer(one["model"], one["provider"], one["message"]) for one in manifest.get("tries", ())),
        temperature=run.temperature,
        max_tokens=run.max_tokens,
        request_id=run.request_id,
        provider_request_id=run.provider_request_id,
    )


async def _texts(session: ReadSession, actor: Actor, names: list[str]) -> dict[str, tuple[str, str]]:
    if not names:
        return {}
    query = readable(ChatMessage, actor).where(ChatMessage.id.in_([UUID(name) for name in names]))
    columns = query.with_only_columns(ChatMessage.id, ChatMessage.role, ChatMessage.text)
    return {str(row.id): (row.role.value, row.text) for row in await session.execute(columns)}


def _part(part: dict[str, Any], texts: dict[str, tuple[str, str]]) -> SentPart:
    messages = tuple(name for name in part.get("messages", ()) if name in texts)
    sent = [texts[name] for name in messages]
    files = tuple(FileSent(**file) for file in part.get("files", ()))
    if part.get("text"):
        sent.append((SPEAKERS.get(part["origin"], "user"), str(part["text"])))
    return SentPart(str(part["origin"]), str(part["name"]), int(part["tokens"]), tuple(sent), messages, files)


def masked_in(manifest: dict[str, Any] | None) -> dict[str, str]:
    """Return what a provider did not see, by what it saw in its place."""
    return dict((manifest or {}).get("masked", {}))


def as_seen(text: str, masked: dict[str, str]) -> str:
    """Return a text as a provider saw it."""
    for name, value in sorted(masked.items(), key=lambda pair: -len(pair[1])):
        text = text.replace(value, name)
    return text


def _as_seen(parts: Sequence[SentPart], run: Run) -> Sequence[SentPart]:
    masked = masked_in(run.manifest)
    if not masked:
        return parts
    return [replace(part, texts=tuple((who, as_seen(text, masked)) for who, text in part.texts)) for part in parts]


def _filtered(run: Run) -> Iterator[SentPart]:
    """Yield what safety filters have found, if anything."""
    found = filter_words.listed((run.manifest or {}).get("filters", ()))
    if found:
        yield SentPart("filters", "Safety filters", 0, (("system", "\n".join(found)),))


def _reason(run: Run) -> str:
    reason = run.error_message or run.finish_reason or ""
    return "" if reason == run.status.value else reason


def _used(answer: ChatMessage | None) -> Iterator[SentPart]:
    """Yield what tools gave on the way to the answer: a part for each request that it was sent with."""
    steps = [Step.model_validate(step) for step in (answer.steps or () if answer else ())]
    for number, together in itertools.groupby((step for step in steps if step.round), lambda step: step.round):
        texts = []
        for step in together:
            texts.append(("assistant", f"{step.name} {json.dumps(step.arguments or {}, ensure_ascii=False)}"))
            texts.append(("tool", step.result or step.state))
        tokens = sum(estimate(text) for _, text in texts)
        yield SentPart("steps", str(number), tokens, tuple(texts))


def timings(run: Run) -> tuple[Timing, ...]:
    """Return where the time of a run went, as far as it got. Runs of older releases know fewer stretches."""
    if run.queue_ms is None:
        return ()
    manifest = run.manifest or {}
    retrieval_ms = manifest.get("retrieval_ms")
    sought = float(retrieval_ms or 0)
    tries = [(str(one["model"]), float(one["ms"])) for one in manifest.get("tries", ()) if one["is_first"]]
    stored = run.queue_ms - sum(ms for _, ms in tries)
    in_vain = [(Stretch.TRIED, stored + sum(ms for _, ms in tries[:count])) for count in range(1, len(tries) + 1)]
    ends = [
        (Stretch.RETRIEVAL, None if retrieval_ms is None else sought),
        (Stretch.CONTEXT, None if run.context_ms is None else sought + run.context_ms),
        (Stretch.STORING, stored),
        *in_vain,
        (Stretch.CONNECTING, None if run.connect_ms is None else run.queue_ms + run.connect_ms),
        (Stretch.FIRST_TOKEN, None if run.ttft_ms is None else run.queue_ms + run.ttft_ms),
        *_of_rounds(manifest.get("rounds", ())),
        (Stretch.WRITING, None if run.ttft_ms is None else run.total_ms),
    ]
    known = [(stretch, end) for stretch, end in ends if end is not None]
    begins = [0.0, *(end for _, end in known)]
    names = iter(name for name, _ in tries)
    return tuple(
        Timing(stretch, max(0.0, round(end - begin, 1)), next(names) if stretch is Stretch.TRIED else "")
        for (stretch, end), begin in zip(known, begins, strict=False)
    )


def _of_rounds(rounds: Sequence[dict[str, Any]]) -> Iterator[tuple[Stretch, float | None]]:
    """Yield when the model had called tools, when they were done and when it went on, for each further request."""
    for before, after in itertools.pairwise(rounds):
        yield Stretch.WRITING, before["last_ms"]
        if not after.get("is_moved"):
            yield Stretch.TOOLS, after["called_ms"]
        yield Stretch.FIRST_TOKEN, after["first_ms"]
