"""The life of a run: stored, streamed, written down, ended.

A run is a task of its own: whoever asked may go away. Its question, its empty answer and its row are committed before
the provider is called; its end is told only after it is committed.
"""

import asyncio
import itertools
import secrets
import time
from contextlib import nullcontext
from dataclasses import dataclass

import httpx2
from sqlalchemy.exc import IntegrityError

from llm_ui.config import Config
from llm_ui.contract import ChatRequest, TemporaryRequest, TitleEvent
from llm_ui.db import Database, Session
from llm_ui.errors import BudgetSpent, LLMUIError, ModelUnknown, ProviderError, TooLarge, Unavailable
from llm_ui.kit.encryption import Sealer
from llm_ui.kit.file_store import FileStore
from llm_ui.kit.ids import ModelId, ProviderId, RunId, UserId
from llm_ui.kit.text import storable
from llm_ui.models import ChatHistory, LimitAction, Role
from llm_ui.observability.answers import Answered, note
from llm_ui.observability.logging import get_logger
from llm_ui.providers.base import Prompt
from llm_ui.runs import context, store
from llm_ui.runs.asking import Asker
from llm_ui.runs.background import Background
from llm_ui.runs.cache_key import CacheUse, Keeping, use_of
from llm_ui.runs.context import Context, Wanted
from llm_ui.runs.embeddings import Embeddings
from llm_ui.runs.ending import STOPPED, Ending
from llm_ui.runs.ends import bad_end, crashed, end_event
from llm_ui.runs.event_log import EventLog
from llm_ui.runs.event_logs import EventLogs
from llm_ui.runs.files import Room, with_contents
from llm_ui.runs.filters.filters import Filters
from llm_ui.runs.gateway.limits import Limits
from llm_ui.runs.keeper import Keeper
from llm_ui.runs.key_watch import KeyWatch
from llm_ui.runs.live_run import LiveRun
from llm_ui.runs.passages import Found, Means, look_up
from llm_ui.runs.reranking import Reranker
from llm_ui.runs.rewriting import Rewriter
from llm_ui.runs.router import Router
from llm_ui.runs.splitting import split_instructions, told_of
from llm_ui.runs.temporary import Came, TemporaryRuns, prepare
from llm_ui.runs.tool_loop import answer
from llm_ui.runs.tools.base import Around
from llm_ui.runs.tries import SECRET_FAULTS
from llm_ui.services import agents, budgets
from llm_ui.services.access import Actor
from llm_ui.services.agents import AgentInfo
from llm_ui.services.asked import filled
from llm_ui.services.targets import ModelTarget
from llm_ui.services.targets import target as find_target
from llm_ui.services.turns import Answerer, NewRun, Turn, add_run, append_turn, find_run, open_turn_chat, set_sources

log = get_logger(__name__)

FINISH_LIMIT_S = 120.0
"""How long it is tried to write down an end that the database does not take: it may be locked or away for a minute."""
FINISH_PAUSES_S = (0.2, 0.5, 1.0)
"""Between these attempts; the last one repeats."""
DRAIN_WRITE_S = 5.0
"""What writing down the ends may take once the process is told to stop and the answers had their time."""


@dataclass(frozen=True, slots=True)
class _New:
    """What is asked, before it is stored."""

    request: ChatRequest
    request_id: str
    found: Found | None
    """What was found for it in documents."""
    agent: AgentInfo | None
    """Who answers; None: the model alone."""


@dataclass(frozen=True, slots=True)
class _Paid:
    """What came of setting aside what the answer may cost."""

    warnings: tuple[str, ...] = ()
    held_up: BudgetSpent | None = None


class Engine:
    """Makes answers. One in each process of the LLM API."""

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        http: httpx2.AsyncClient,
        config: Config,
        embeddings: Embeddings,
        limits: Limits,
        asker: Asker,
    ) -> None:
        self._database = database
        self._embeddings = embeddings
        self._asker = asker
        self._files = FileStore(config.files_path)
        self._max_files = config.max_files
        self._limits = limits
        self.watch = KeyWatch(database)
        self._owner = secrets.token_hex(16)
        self._live: dict[RunId, LiveRun] = {}
        self._logs = EventLogs()
        self._temporary = TemporaryRuns(self._logs)
        self._running: set[asyncio.Task[None]] = set()
        self._beginning: dict[tuple[UserId, str], asyncio.Task[RunId]] = {}
        self._background = Background(database, sealer, http)
        self._rewriter = Rewriter(database, sealer, http)
        self.reranker = Reranker(database, sealer, http)
        self._means = Means(embeddings, self.reranker, self._rewriter.worded)
        self._keeper = Keeper(database, self._owner, self._live)
        self._keeping: asyncio.Task[None] | None = None
        self._is_draining = False

    @property
    def is_draining(self) -> bool:
        """Whether no new runs are taken."""
        return self._is_draining

    def events(self, run_id: RunId) -> EventLog | None:
        """Return the events of a run of this process that is live or ended a moment ago."""
        return self._logs.find(run_id)

    def is_temporary(self, actor: Actor, run_id: RunId) -> bool:
        """Return whether this is a run of a temporary chat of the person, which no database knows."""
        return self._temporary.is_of(actor, run_id)

    def left_alone(self) -> frozenset[ProviderId]:
        """Return the providers that failed several times in a row and get no calls for a while."""
        return self._asker.left_alone()

    @property
    def router(self) -> Router:
        """Return what lets *Auto* models pick."""
        return self._asker.router

    @property
    def filters(self) -> Filters:
        """Return the safety filters of all who ask."""
        return self._asker.filters

    def live_runs(self) -> tuple[RunId, ...]:
        """Return the runs that this process makes now."""
        return tuple(self._live)

    async def start(self, actor: Actor, request: ChatRequest | TemporaryRequest, request_id: str) -> RunId:
        """Store the turn and begin to answer it; a repeated idempotency key gives the run it made.

        Nothing of a temporary chat is stored. Raises our errors: nothing is stored then either.
        """
        key = actor.user_id, request.idempotency_key
        beginning = self._beginning.get(key)
        if beginning is None:
            beginning = asyncio.create_task(self._begin(actor, request, request_id))
            self._beginning[key] = beginning
            beginning.add_done_callback(lambda task: self._begun(key, task))
        # Whoever sends the same meanwhile waits for it too: each would take a connection to learn that it is the same.
        return await asyncio.shield(beginning)

    async def _begin(self, actor: Actor, request: ChatRequest | TemporaryRequest, request_id: str) -> RunId:
        received_at = time.monotonic()
        if self._is_draining:
            raise Unavailable("The server is restarting. Your message is kept here; send it again in a moment.")
        if isinstance(request, TemporaryRequest):
            if (known := self._temporary.find(actor, request.idempotency_key)) is not None:
                return known
            came = Came(actor, request_id, received_at)
            live = await prepare(self._database, self._asker, self._means, came, request)
            self._take_up(live)
            self._temporary.add(actor, request.idempotency_key, live.turn.run_id)
            return live.turn.run_id
        try:
            live = await self._store(actor, request, request_id, received_at)
        except (LLMUIError, IntegrityError) as refusal:
            # Most keys are new, so none is looked up before: of those that are not, the run they made is the answer.
            return await self._made_before(actor, request, refusal)
        self._take_up(live)
        return live.turn.run_id

    def _take_up(self, live: LiveRun) -> None:
        """Begin to answer."""
        run_id = live.turn.run_id
        self._live[run_id] = live
        self._logs.add(run_id, live.log)
        _announce(live)
        if self._keeping is None or self._keeping.done():
            self._keeping = asyncio.create_task(self._keeper.keep())
        task = asyncio.create_task(self._run(live), name=f"run {run_id}")
        self._running.add(task)
        task.add_done_callback(self._ended)

    async def stop(self, run_id: RunId) -> None:
        """End the run and keep what was said. The caller has checked whose it is."""
        live = self._live.get(run_id)
        if live is not None:
            live.end(STOPPED)
            return
        async with self._database.writing() as session:
            await store.request_stop(session, run_id)

    async def finished(self, run_id: RunId, limit_s: float) -> bool:
        """Return whether all that is done after a run is done, once it is or the time is over."""
        live = self._live.get(run_id)
        return live is None and await self._background.wait(run_id, limit_s)

    async def drain(self, limit_s: float) -> None:
        """Take no new runs, let the live ones end for so long, interrupt the rest, and return once all is written."""
        self._is_draining = True
        await self._background.close()
        await self._rewriter.close()
        if self._running:
            await asyncio.wait(self._running, timeout=limit_s)
        for live in list(self._live.values()):
            live.end(store.INTERRUPTED)
        if self._running:
            await asyncio.wait(self._running, timeout=DRAIN_WRITE_S)
        if self._keeping is not None:
            self._keeping.cancel()
        self.watch.close()
        self._logs.clear()

    async def _made_before(self, actor: Actor, request: ChatRequest, refusal: Exception) -> RunId:
        """Return the run that a request with the same key made; raise what was refused when there is none."""
        async with self._database.reading() as session:
            run = await find_run(session, actor, request.idempotency_key)
        if run is not None:
            return run.id
        if isinstance(refusal, LLMUIError):
            raise refusal
        raise Unavailable("The message could not be stored. Send it again.") from refusal

    async def _store(self, actor: Actor, request: ChatRequest, request_id: str, received_at: float) -> LiveRun:
        """Commit question, empty answer and run together."""
        if len(request.attachments or ()) > self._max_files:
            raise TooLarge("{most} files are the most for one message. Remove some.", most=self._max_files)
        found, sought = None, None
        while True:
            async with self._database.writing() as session:
                chat = await open_turn_chat(session, actor, request)
                agent = await agents.answering(session, actor, chat.agent_id, request.agent_id)
                known = await agents.knowledge(session, actor, chat.project_id, agent)
                if known == sought:
                    request = await filled(session, actor, chat, agent, request)
                    new = _New(request, request_id, found, agent)
                    turn, target, sent, paid = await self._store_turn(session, actor, chat, new)
                    break
                sought = known
            if sought is not None:
                # Outside: nobody's write waits for a search.
                found = await look_up(self._database, self._means, actor, sought, request)
        return LiveRun(
            turn=turn,
            target=target,
            context=sent,
            actor=actor,
            temperature=request.temperature,
            max_tokens=request.max_tokens,
            request_id=request_id,
            received_at=received_at,
            known=known,
            time_zone=request.time_zone,
            use=cache_use(turn, target, actor, request),
            held_up=paid.held_up,
            limit_note=" ".join(paid.warnings),
        )

    async def _store_turn(
        self, session: Session, actor: Actor, chat: ChatHistory, new: "_New"
    ) -> tuple[Turn, ModelTarget, Context, "_Paid"]:
        request = new.request
        model_id = chat.model_id if request.model_id is None else ModelId(request.model_id)
        target = await find_target(session, actor, model_id, may_choose=True)
        if actor.key is not None and actor.key.models is not None and target.model_id not in actor.key.models:
            raise ModelUnknown("This key may not ask {name}. Name a model that it may.", name=target.display_name)
        target = await self._asker.router.picked_in_chat(session, actor, target, chat, request, new.found)
        target = await self._asker.deployed(session, actor, target)
        turn = await append_turn(session, actor, chat, request, Answerer(target, new.agent))
        turn = await split_instructions(session, actor, turn, target, request)
        wish = storable(request.wish).strip()
        wanted = Wanted(request.max_tokens, wish, request.without, new.found, turn.tools_off)
        sent = await context.build(session, actor, turn, target, wanted)
        if sent.sources is not None:
            await set_sources(session, actor, turn, sent.sources)
        new_run = NewRun({**sent.manifest, **told_of(turn, target)}, self._owner, new.request_id)
        await add_run(session, actor, request, turn, target, new_run)
        if not target.has_budgets:
            return turn, target, sent, _Paid()
        # Last: who holds this row, which all calls of a project share, waits for nobody.
        series_id = None if actor.key is None else actor.key.series_id
        most_usd = sent.most_usd(target)
        call = turn.run_id, turn.project_id, most_usd, actor.user_id, series_id, target.model_id
        try:
            return turn, target, sent, _Paid(await budgets.reserve(session, *call))
        except BudgetSpent as error:
            if error.leads_to == LimitAction.STOP and not target.others:
                raise
            # The run waits, or asks a cheaper model: neither while this transaction is open.
            return turn, target, sent, _Paid(held_up=error)

    async def _run(self, live: LiveRun) -> None:
        """Stream, then write the end; a key that ends meanwhile ends it."""
        key = live.actor.key
        with nullcontext() if key is None else self.watch.over(key.key_id, lambda _: live.end(STOPPED)):
            await self._made(live)

    async def _made(self, live: LiveRun) -> None:
        live.streaming = asyncio.create_task(self._stream(live))
        if live.ending is not None:
            live.streaming.cancel()
        try:
            (error,) = await asyncio.gather(live.streaming, return_exceptions=True)
            live.ending = live.ending or self._ending_of(live, error)
            await self._finish(live, live.ending)
        finally:
            del self._live[live.turn.run_id]
            if live.is_stored:
                # Before its followers go: they may ask at once for what comes after.
                self._background.after(live)
            self._logs.ended(live.turn.run_id)

    async def _stream(self, live: LiveRun) -> None:
        """Take in the answer. Leaves the ending in `live`."""
        target = live.target
        messages = live.context.messages
        as_calls = bool(live.context.tools)
        if any(message.files for message in messages):
            prompted = await asyncio.to_thread(with_contents, self._files, messages, as_calls=as_calls)
        else:
            prompted = with_contents(self._files, messages, as_calls=as_calls)
        prompt = Prompt(
            target.name, live.context.system, prompted, live.temperature, live.max_tokens, live.context.tools,
            goes_on=live.context.goes_on,
        )  # fmt: skip
        around = Around(
            self._database, self._embeddings, self.reranker, live.actor, live.known, live.time_zone, Room(target)
        )
        await answer(live, prompt, self._asker, around)

    def _ending_of(self, live: LiveRun, error: BaseException | None) -> Ending:
        """Return the ending for how the streaming task ended."""
        if error is None or isinstance(error, asyncio.CancelledError):
            return store.INTERRUPTED
        if not isinstance(error, LLMUIError):
            return crashed(live, error)
        message = storable(error.message)
        if isinstance(error, ProviderError) and error.fault in SECRET_FAULTS and live.actor.role is not Role.ADMIN:
            message = Unavailable(
                "{name} refuses to answer for now. Pick another model or ask an administrator.",
                name=live.target.provider_name,
            ).message
        return Ending(
            bad_end(live),
            error_code=error.code,
            error_message=message,
            is_retryable=error.retryable or not isinstance(error, ProviderError),
            retry_after=error.retry_after,
        )

    async def _finish(self, live: LiveRun, ending: Ending) -> None:
        """Commit the end, then tell it."""
        live.end_text()
        live.end_steps()
        usage = live.usage(is_final=True)
        metrics = live.metrics(usage)
        cost_usd = live.cost_usd()
        self._limits.used(live.actor, usage.input_tokens + usage.output_tokens)
        if not live.is_lost:
            final = store.Final(
                ending, store.text_of(live, live.log.last + 1), usage, cost_usd, metrics,
                started_at=live.started_at, provider_request_id=live.rounds.now.request_id, cited=live.cited,
                invented=live.invented, rounds=live.listed_rounds(), learnt=live.learnt(usage),
                answered_by=live.answered_by(), tries=live.tries, saved_usd=live.saved_usd(), found=live.found,
                masked=live.masked,
                key_id=None if live.actor.key is None else live.actor.key.key_id,
            )  # fmt: skip
            is_written = await self._write_end(live, final)
            if not is_written:
                ending = store.INTERRUPTED
        live.log.end(end_event(ending, usage=usage, cost_usd=cost_usd, metrics=metrics, request_id=live.request_id))
        target = live.target
        note(
            Answered(
                "chat", target.display_name, target.provider_name, target.kind, ending.status, usage.input_tokens,
                usage.output_tokens, float(cost_usd or 0), metrics.ttft_ms, metrics.total_ms, ending.error_code,
                is_cached=metrics.cached_at is not None,
            )
        )  # fmt: skip
        log.info(
            "run.finished", run_id=live.turn.run_id, request_id=live.request_id, status=ending.status,
            code=ending.error_code, output_tokens=usage.output_tokens, ttft_ms=metrics.ttft_ms,
        )  # fmt: skip

    async def _write_end(self, live: LiveRun, final: store.Final) -> bool:
        """Return whether the end is stored; tries for a while when the database does not take it."""
        deadline = time.monotonic() + FINISH_LIMIT_S
        for pause in itertools.chain(FINISH_PAUSES_S, itertools.repeat(FINISH_PAUSES_S[-1])):
            try:
                async with self._database.writing() as session:
                    if live.is_stored:
                        is_ours = await store.finish(session, live.turn.run_id, self._owner, final)
                    else:
                        is_ours = await store.book(session, live, final)
            except LLMUIError as error:
                log.warning("run.end_not_written", run_id=live.turn.run_id, code=error.code)
                if time.monotonic() > deadline:
                    break
                await asyncio.sleep(pause)
            else:
                return is_ours
        return False

    def _begun(self, key: tuple[UserId, str], task: asyncio.Task[RunId]) -> None:
        del self._beginning[key]
        if not task.cancelled():
            # A refusal is told to whoever waits; nobody may any more.
            task.exception()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.crashed("run.crashed", error, task=task.get_name())


def cache_use(turn: Turn, target: ModelTarget, actor: Actor, request: ChatRequest) -> CacheUse | None:
    """Return how an answer uses those that are there: whoever asks once more wants another one."""
    holders = [turn.agent.settings if turn.agent is not None else None, actor.key]
    wanted = tuple(Keeping(one.keeps_answers, one.keeps_similar) for one in holders if one is not None)
    may_read = request.regenerate_of is None
    return use_of(target, actor.user_id, turn.project_id, chat_id=turn.chat_id, wanted=wanted, may_read=may_read)


def _announce(live: LiveRun) -> None:
    live.log.append(live.start_event())
    if live.turn.title is not None:
        live.log.append(TitleEvent(title=live.turn.title))
    if live.turn.opening:
        live.log.append_raw("token", {"token": live.text, "index": 0, "offset": 0})
