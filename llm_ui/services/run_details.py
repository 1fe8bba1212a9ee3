"""One run: its figures for whoever sees those, and what was said for administrators, where that is allowed."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select

from llm_ui.db import ReadSession, Session
from llm_ui.errors import Forbidden, NotFound
from llm_ui.kit.ids import RunId
from llm_ui.models import ChatMessage, Run, RunStatus, UsageKind, UsageLog, UsageSource, User
from llm_ui.services import audit, filter_words, settings
from llm_ui.services.access import Actor, Permission, readable, require
from llm_ui.services.auto_rules import Choice, choice_of
from llm_ui.services.experiment_results import took_part
from llm_ui.services.experiment_rules import Assigned, assigned_of
from llm_ui.services.explanations import SentPart, Timing, explain_answer, timings
from llm_ui.services.settings import SEE_CONTENT


@dataclass(frozen=True, slots=True)
class RunDetails:
    """A run without what was said in it."""

    id: RunId
    user_name: str
    """Empty: the account is gone."""
    model_name: str
    provider_name: str
    kind: UsageKind
    status: RunStatus
    at: datetime
    attempts: int
    rounds: int
    """Requests to the model; more than one where it used tools."""
    error_code: str
    error_message: str
    """Empty for those who see figures only: a provider may quote in it what it was sent."""
    finish_reason: str
    input_tokens: int | None
    cached_tokens: int | None
    output_tokens: int | None
    reasoning_tokens: int | None
    is_exact: bool
    cost_usd: Decimal | None
    ttft_ms: float | None
    total_ms: float | None
    tokens_per_second: float | None
    timings: tuple[Timing, ...]
    request_id: str
    provider_request_id: str
    choice: Choice | None
    """Why an *Auto* model has picked the model; None: none has."""
    experiments: tuple[Assigned, ...]
    """What it got in experiments."""
    filtered: tuple[str, ...]
    """What safety filters have found, without what it was."""
    may_see_content: bool


@dataclass(frozen=True, slots=True)
class Content:
    """What was said in a run."""

    question: str
    answer: str
    parts: tuple[SentPart, ...]
    """What the model saw."""


async def details(session: ReadSession, actor: Actor, run_id: RunId) -> RunDetails:
    """Return a run of anybody, one that goes on too. Raises `Forbidden` and `NotFound`."""
    require(actor, Permission.SEE_FIGURES)
    # rights: figures only, asked above
    run = await session.get(Run, run_id)
    booked = await session.get(UsageLog, run_id)
    row = run or booked
    if row is None:
        raise NotFound("There is no such run. Go back to the list.")
    user = await session.get(User, row.user_id)
    is_seen = actor.may(Permission.MANAGE_SETTINGS) and await settings.get(session, SEE_CONTENT)
    manifest = {} if run is None else run.manifest or {}
    return RunDetails(
        id=run_id,
        user_name="" if user is None else user.name,
        model_name=row.model_name,
        provider_name=row.provider_name,
        kind=UsageKind.CHAT if booked is None else booked.kind,
        status=row.status,
        at=row.created_at,
        attempts=0 if run is None else run.attempts,
        rounds=max(1, len(manifest.get("rounds", ()))),
        error_code="" if run is None else run.error_code or "",
        error_message=run.error_message or "" if run and actor.may(Permission.MANAGE_PROVIDERS) else "",
        finish_reason="" if run is None else run.finish_reason or "",
        input_tokens=row.input_tokens,
        cached_tokens=row.cached_tokens,
        output_tokens=row.output_tokens,
        reasoning_tokens=row.reasoning_tokens,
        is_exact=row.usage_source is UsageSource.PROVIDER,
        cost_usd=row.cost_usd,
        ttft_ms=row.ttft_ms,
        total_ms=row.total_ms,
        tokens_per_second=None if run is None else run.tokens_per_second,
        timings=() if run is None else timings(run),
        request_id="" if run is None else run.request_id,
        provider_request_id="" if run is None else run.provider_request_id,
        choice=choice_of(manifest.get("auto") or (None if booked is None else booked.auto_choice)),
        experiments=assigned_of(manifest.get("experiments")) or await took_part(session, run_id),
        filtered=tuple(filter_words.listed(manifest.get("filters", ()))),
        may_see_content=bool(is_seen and run is not None),
    )


async def read_content(session: Session, actor: Actor, run_id: RunId) -> Content:
    """Return what was said in a run of anybody; the look is written down with whose run it was.

    Raises `Forbidden` unless the workspace allows it to its administrators, and `NotFound` for what was deleted.
    """
    require(actor, Permission.MANAGE_SETTINGS)
    if not await settings.get(session, SEE_CONTENT):
        raise Forbidden("What people say is not shown in this workspace.")
    # rights: whose run it is; what they may not see themselves any more, as it is deleted, is not shown either
    found = select(Run, User).join(User, User.id == Run.user_id).where(Run.id == run_id)
    row = (await session.execute(found)).one_or_none()
    if row is None:
        raise NotFound("There is no such run. Go back to the list.")
    run, user = row
    owner = Actor(user.id, user.name, user.role)
    said = readable(ChatMessage, owner).where(ChatMessage.id.in_([run.question_id, run.answer_id]))
    texts = {message.id: message.text for message in await session.scalars(said)}
    if run.answer_id not in texts:
        raise NotFound("This chat was deleted; only the figures are left.")
    parts = (await explain_answer(session, owner, run.answer_id)).parts
    await audit.record(session, actor, "run.content_seen", user.name, target_id=run.id)
    return Content(texts.get(run.question_id, ""), texts[run.answer_id], parts)
