"""Writing runs down: checkpoints, heartbeats and ends, all fenced by the lease."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import ColumnElement, Update, exists, select, update

from llm_ui.contract import Metrics, Source, Usage
from llm_ui.db import ReadSession, Session
from llm_ui.kit.calibration import Calibration
from llm_ui.kit.clock import now
from llm_ui.kit.i18n import later
from llm_ui.kit.ids import KeyId, RunId, UserId
from llm_ui.kit.token_count import estimate
from llm_ui.models import (
    LIVE_STATUSES,
    AiModel,
    ChatHistory,
    ChatMessage,
    MessageStatus,
    Run,
    RunStatus,
    UsageKind,
    UsageLog,
    UsagePurpose,
    UsageSource,
    User,
)
from llm_ui.runs.booking import booking, settle
from llm_ui.runs.ending import MESSAGE_STATUS, Ending
from llm_ui.runs.live_run import LiveRun
from llm_ui.runs.splitting import LIMITS, note_booked, note_run
from llm_ui.runs.steps import steps_of, tokens_of
from llm_ui.runs.tries import Try
from llm_ui.services import calibrations, filters
from llm_ui.services.filters import Found
from llm_ui.services.price_history import prices_of
from llm_ui.services.prices import Prices, cost

UNSEEN = {"synchronize_session": False}
"""Of statements whose rows no session has: nothing has to be looked through for what they change."""
STALE_AFTER = timedelta(seconds=5)
"""A heartbeat comes every second; five missed ones mean that the process is gone or frozen."""

INTERRUPTED = Ending(
    RunStatus.INTERRUPTED,
    error_code="interrupted",
    error_message=later("The server stopped in mid-answer. What came is kept; try again."),
)


@dataclass(frozen=True, slots=True)
class Pulse:
    """What a heartbeat found of a run that is still ours: whether to go on."""

    is_stop_asked: bool = False
    may_go_on: bool = True
    """False once the chat or the person is gone."""


@dataclass(frozen=True, slots=True)
class Text:
    """The answer and the reasoning so far, and the number of the last event that told of them."""

    answer: str
    reasoning: str
    last_event: int
    more: dict[str, object] = field(default_factory=dict)
    """Further columns of the message: steps, and what may be cited once tools have found more."""


def text_of(live: LiveRun, last_event: int) -> Text:
    """Return the answer so far."""
    more: dict[str, object] = {"steps": live.steps.listed()} if live.steps.all else {}
    if live.sources and live.sources is not live.context.sources:
        more["citations"] = [source.model_dump(mode="json") for source in live.sources]
    return Text(live.text, live.reasoning, last_event, more)


@dataclass(frozen=True, slots=True)
class Beat:
    """One run's heartbeat, with its text where there is new one."""

    run_id: RunId
    started_at: datetime | None
    """When the provider was called, None before that."""
    text: Text | None
    answered_by: dict[str, object] = field(default_factory=dict)
    """Columns that say who answers, where that is not who was asked."""


@dataclass(frozen=True, slots=True)
class Final:
    """All that is written at the end of a run."""

    ending: Ending
    text: Text
    usage: Usage
    cost_usd: Decimal | None
    metrics: Metrics
    started_at: datetime | None
    provider_request_id: str
    cited: tuple[Source, ...] | None = None
    """What the answer cites; None: it was given nothing to cite."""
    invented: int = 0
    """Citations of passages that were never sent; they were taken out."""
    rounds: Sequence[dict[str, object]] = ()
    """The requests that the answer took, where it took several."""
    answered_by: dict[str, object] = field(default_factory=dict)
    """As in `Beat`."""
    tries: Sequence[Try] = ()
    """The models that were asked before and did not answer."""
    learnt: Calibration | None = None
    """What is known now of how the model's tokens are counted; None: nothing new."""
    key_id: KeyId | None = None
    """The key that a script asked with."""
    saved_usd: Decimal | None = None
    """What it would have cost, where its answer was there already."""
    found: Sequence[Found] = ()
    """What safety filters have found."""
    masked: Mapping[str, str] = field(default_factory=dict)
    """What the provider did not see, by what it saw in its place."""


async def beat(session: Session, owner: str, beats: Sequence[Beat]) -> dict[RunId, Pulse]:
    """Renew the leases of these runs and write down their texts; runs whose lease is somebody else's are left out."""
    # rights: the product's own writing; whether the owners may still go on is just what is asked
    ours = select(
        Run.id,
        Run.answer_id,
        Run.stop_requested_at,
        exists().where(ChatHistory.id == Run.chat_id, ChatHistory.deleted_at.is_(None))
        & exists().where(User.id == Run.user_id, User.is_active),
    ).where(Run.id.in_([beat.run_id for beat in beats]), *_fence(owner))
    # In order and locked: two transactions that lock the same rows must not wait for each other.
    rows = (await session.execute(ours.order_by(Run.id).with_for_update(of=Run))).all()
    by_id = {beat.run_id: beat for beat in beats}
    instant = now()
    renewed, written = [], []
    for run_id, answer_id, _, _ in rows:
        one = by_id[run_id]
        status = RunStatus.QUEUED if one.started_at is None else RunStatus.RUNNING
        renewed.append({"id": run_id, "heartbeat_at": instant, "status": status, "started_at": one.started_at})
        renewed[-1] |= one.answered_by
        if one.text is not None:
            renewed[-1]["last_event"] = one.text.last_event
            text = {"id": answer_id, "text": one.text.answer, "reasoning": one.text.reasoning}
            written.append(text | one.text.more | {"updated_at": instant})
    if renewed:
        await session.execute(update(Run), renewed)
    if written:
        await session.execute(update(ChatMessage), written)
    return {
        run_id: Pulse(is_stop_asked=stop_requested_at is not None, may_go_on=bool(may_go_on))
        for run_id, _, stop_requested_at, may_go_on in rows
    }


async def finish(session: Session, run_id: RunId, owner: str, final: Final) -> bool:
    """Write the end: run, message and booking together. Return False when the lease is somebody else's."""
    metrics = final.metrics
    fenced = _fenced(run_id, owner).values(
        {
            **_ending_values(final.ending, final.usage, final.cost_usd),
            "queue_ms": metrics.queue_ms,
            "context_ms": metrics.context_ms,
            "connect_ms": metrics.connect_ms,
            "reasoning_ms": metrics.reasoning_ms,
            "ttft_ms": metrics.ttft_ms,
            "total_ms": metrics.total_ms,
            "tokens_per_second": metrics.tokens_per_second,
            "attempts": metrics.attempts,
            "last_event": final.text.last_event,
            "invented": final.invented,
            "started_at": final.started_at,
            "provider_request_id": final.provider_request_id,
            "cached_at": metrics.cached_at,
            "saved_usd": final.saved_usd,
            **final.answered_by,
        }
    )
    run = await session.scalar(fenced.returning(Run), execution_options=UNSEEN)
    if run is None:
        return False
    told: dict[str, object] = {"invented": final.invented} if final.invented else {}
    if final.rounds:
        told["rounds"] = final.rounds
    if final.tries:
        told["tries"] = [one.listed() for one in final.tries]
    if final.found:
        told["filters"] = [asdict(one) for one in final.found]
        await filters.count(session, final.found)
    if final.masked:
        told["masked"] = dict(final.masked)
    if told:
        run.manifest = {**(run.manifest or {}), **told}
    written: dict[str, object] = {
        "text": final.text.answer, "reasoning": final.text.reasoning, "status": MESSAGE_STATUS[final.ending.status],
        **final.text.more,
    }  # fmt: skip
    if final.cited is not None:
        written["citations"] = [source.model_dump(mode="json") for source in final.cited]
    answer = update(ChatMessage).where(ChatMessage.id == run.answer_id)
    await session.execute(answer.values(written), execution_options=UNSEEN)
    await _book(session, run, final.key_id)
    if final.learnt is not None and run.model_id is not None:
        # Last: who holds this row, which all runs of a model share, waits for nobody.
        await calibrations.keep(session, run.model_id, final.learnt)
    return True


async def book(session: Session, live: LiveRun, final: Final) -> bool:
    """Book a run that is stored nowhere. Return True: nobody else can write it."""
    run_id, target = live.turn.run_id, live.target
    # rights: the product's own writing; once, however often it is tried
    if await session.get(UsageLog, run_id) is None:
        used = booking(
            run_id, UsagePurpose.ANSWER, live.actor.user_id, target,
            status=final.ending.status, usage=final.usage, metrics=final.metrics,
        )  # fmt: skip
        used.cost_usd = final.cost_usd
        await filters.count(session, final.found)
        used.kind = UsageKind.TEMPORARY
        used.agent_id = None if live.turn.agent is None else live.turn.agent.id
        await settle(session, used)
        by_limit = not LIMITS.isdisjoint({final.ending.error_code, *(one.fault for one in final.tries)})
        await note_booked(session, live.context.manifest, used, by_limit=by_limit)
    if final.learnt is not None:
        await calibrations.keep(session, target.model_id, final.learnt)
    return True


async def request_stop(session: Session, run_id: RunId) -> None:
    """Ask the process that owns the run to stop it."""
    live = update(Run).where(Run.id == run_id, Run.status.in_(LIVE_STATUSES))
    await session.execute(live.values(stop_requested_at=now()))


async def active_people(session: ReadSession, user_ids: Collection[UserId]) -> frozenset[UserId]:
    """Return those of these people who may still use the product."""
    # rights: the product's own look at whom its runs are for
    return frozenset(await session.scalars(select(User.id).where(User.id.in_(user_ids), User.is_active)))


def _stale(instant: datetime, spared: Collection[RunId]) -> tuple[ColumnElement[bool], ...]:
    is_live = Run.status.in_(LIVE_STATUSES)
    is_silent = Run.heartbeat_at < instant - STALE_AFTER
    return (is_live, is_silent, Run.id.not_in(spared)) if spared else (is_live, is_silent)


async def has_stale(session: ReadSession, instant: datetime, spared: Collection[RunId]) -> bool:
    """Return whether there are runs whose process seems gone. Asked often, so it takes no write lock."""
    # rights: the product's own sweep
    return bool(await session.scalar(select(exists().where(*_stale(instant, spared)))))


async def interrupt_stale(session: Session, instant: datetime, spared: Collection[RunId]) -> tuple[RunId, ...]:
    """End the runs whose process is gone; their text is what the last checkpoint wrote. Returns their ids.

    `spared` are runs that the caller knows to live, though the database would not take their heartbeats.
    """
    stale = select(Run).where(*_stale(instant, spared))
    ended = []
    for run in await session.scalars(stale.with_for_update(skip_locked=True)):
        # rights: the product's own sweep, over everybody's runs
        answer = await session.get_one(ChatMessage, run.answer_id)
        answer.status = MessageStatus.INTERRUPTED
        # The provider is called within milliseconds of the commit: it is assumed to have been asked.
        parts = (run.manifest or {}).get("parts", [])
        begun = sum(int(part["tokens"]) for part in parts if part["origin"] == "opening")
        said = max(0, estimate(answer.text) - begun) + estimate(answer.reasoning)
        sent, written = _sent_with_tools(answer, sum(int(part["tokens"]) for part in parts))
        usage = Usage(input_tokens=sent, output_tokens=said + written)
        model = None if run.model_id is None else await session.get(AiModel, run.model_id)
        price = None if model is None else _price(prices_of(model), usage)
        for name, value in _ending_values(INTERRUPTED, usage, price).items():
            setattr(run, name, value)
        # The fencing token changes hands: a frozen process that wakes up writes nothing any more.
        run.lease_owner = "swept"
        await session.flush()
        await _book(session, run)
        ended.append(run.id)
    return tuple(ended)


def _sent_with_tools(answer: ChatMessage, first: int) -> tuple[int, int]:
    """Return what all requests of a run were sent and wrote as calls, estimated, and end its steps.

    `first` is what the first one was sent. Each tool that was done had its result sent in those that follow.
    """
    steps = steps_of(answer)
    if not steps:
        return first, 0
    # rights: the product's own sweep, as above
    answer.steps = [
        (step.model_copy(update={"state": "stopped"}) if step.state == "running" else step).model_dump(mode="json")
        for step in steps
    ]
    rounds = {step.round for step in steps if step.round}
    last = max(rounds, default=0) + all(step.state != "running" for step in steps)
    sent = first * max(last, 1) + sum((last - step.round) * tokens_of([step]) for step in steps if step.round)
    return sent, sum(estimate(str(step.arguments)) for step in steps if step.round)


def _fence(owner: str) -> tuple[ColumnElement[bool], ...]:
    """Return the condition of every write: the lease is the writer's and the run has not ended."""
    return Run.lease_owner == owner, Run.status.in_(LIVE_STATUSES)


def _fenced(run_id: RunId, owner: str) -> Update:
    return update(Run).where(Run.id == run_id, *_fence(owner))


def _ending_values(ending: Ending, usage: Usage, cost_usd: Decimal | None) -> dict[str, object]:
    return {
        "status": ending.status,
        "finish_reason": ending.finish_reason or None,
        "error_code": ending.error_code,
        "error_message": ending.error_message,
        "input_tokens": usage.input_tokens,
        "cached_tokens": usage.cached_tokens,
        "output_tokens": usage.output_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
        "usage_source": UsageSource(usage.source),
        "cost_usd": cost_usd,
        "finished_at": now(),
    }


def _price(prices: Prices, usage: Usage) -> Decimal | None:
    return cost(prices, input_tokens=usage.input_tokens, output_tokens=usage.output_tokens)


async def _book(session: Session, run: Run, key_id: KeyId | None = None) -> None:
    # rights: the product's own writing
    kept_in = await session.scalar(select(ChatHistory.project_id).where(ChatHistory.id == run.chat_id))
    await settle(
        session,
        UsageLog(
            run_id=run.id,
            user_id=run.user_id,
            project_id=kept_in,
            key_id=key_id,
            agent_id=run.agent_id,
            model_id=run.model_id,
            provider_id=run.provider_id,
            model_name=run.model_name,
            provider_name=run.provider_name,
            status=run.status,
            input_tokens=run.input_tokens or 0,
            cached_tokens=run.cached_tokens or 0,
            output_tokens=run.output_tokens or 0,
            reasoning_tokens=run.reasoning_tokens or 0,
            usage_source=run.usage_source or UsageSource.ESTIMATE,
            cost_usd=run.cost_usd,
            is_cached=run.cached_at is not None,
            is_similar=run.similarity is not None,
            saved_usd=run.saved_usd,
            ttft_ms=run.ttft_ms,
            total_ms=run.total_ms if run.cached_at is None else None,
            created_at=now(),
        ),
    )
    await note_run(session, run)
