"""Answers scripts: through the same adapters, retries and breakers as chats, within budgets, booked once."""

import asyncio
import json
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import replace
from functools import partial

import httpx2

from llm_ui.config import Config
from llm_ui.db import Database, ReadSession
from llm_ui.errors import BudgetSpent, LLMUIError, ProviderError, Unavailable
from llm_ui.kit.ids import UserId
from llm_ui.kit.token_count import estimate
from llm_ui.models import LimitAction, Role, RunStatus
from llm_ui.observability.answers import Answered, note
from llm_ui.observability.logging import get_logger
from llm_ui.providers.base import (
    CallDelta,
    Delta,
    Embedded,
    Finish,
    Prompt,
    PromptMessage,
    TextDelta,
    Texts,
    Timeouts,
    ToolCall,
)
from llm_ui.providers.embedding import embedder
from llm_ui.runs.asking import Asker
from llm_ui.runs.booking import Booker, give_back, set_aside
from llm_ui.runs.cache_key import USUAL_WISH, CacheWish, Keeping, use_of
from llm_ui.runs.gateway.asked import Asked, tokens_of
from llm_ui.runs.gateway.limits import Limits
from llm_ui.runs.key_watch import KeyWatch
from llm_ui.runs.resilience import pause_s
from llm_ui.runs.router import facts_of
from llm_ui.runs.splitting import LIMITS, Asking, note_call, split
from llm_ui.runs.tries import SECRET_FAULTS
from llm_ui.services import filters
from llm_ui.services.keys import Caller
from llm_ui.services.prices import cost
from llm_ui.services.targets import ModelTarget

log = get_logger(__name__)

REMEMBERED = 2_000
MAX_SIGNATURE_CHARS = 16_000
BOOK_LIMIT_S = 120.0
BOOK_PAUSE_S = 1.0
"""How long, and how often, a call is tried to be booked that the database did not take: it may be full or locked."""
EMBEDDING_S = Timeouts(connect_s=5, first_byte_s=60, idle_s=15, total_s=120)


class Gateway:
    """Answers scripts. One in each process of the LLM API."""

    def __init__(self, database: Database, http: httpx2.AsyncClient, config: Config, asker: Asker) -> None:
        self._database = database
        self._http = http
        self._asker = asker
        self.limits = Limits(config)
        self._booker = Booker(database)
        self._live: set[Asked] = set()
        self._booking: set[asyncio.Task[None]] = set()
        self.watch = KeyWatch(database)
        self._is_idle = asyncio.Event()
        self._is_draining = False
        self._signatures: OrderedDict[tuple[UserId, str], str] = OrderedDict()

    @property
    def live_calls(self) -> int:
        """How many questions of scripts are being answered."""
        return len(self._live)

    def asked(self, caller: Caller, target: ModelTarget, prompt: Prompt, wish: CacheWish = USUAL_WISH) -> Asked:
        """Return a question that is to be answered. Raises `Unavailable` when the process is about to end."""
        if self._is_draining:
            raise Unavailable("The server is restarting. Try again in a moment.", retry_after=2)
        prompt = replace(prompt, messages=tuple(self._signed(caller, m) for m in prompt.messages))
        use = use_of(
            target, caller.actor.user_id, caller.project_id, wanted=_wanted(caller), may_read=wish.may_read,
            may_keep=wish.may_keep,
        )  # fmt: skip
        sent = round(tokens_of(prompt) * target.calibration.factor)
        return Asked(caller, target, prompt, sent, cache_use=use)

    async def picked(self, session: ReadSession, caller: Caller, target: ModelTarget, prompt: Prompt) -> ModelTarget:
        """Return who is asked: the target, or whom it picks where it is an *Auto* model. Raises `InvalidInput`."""
        if target.has_split:
            return await split(session, caller.actor, target, Asking(facts_of(prompt), caller.models))
        if target.auto is None:
            return target
        router = self._asker.router
        return await router.picked(session, caller.actor, target, facts_of(prompt), allowed=caller.models)

    async def answer(self, asked: Asked) -> AsyncGenerator[Delta]:
        """Yield the answer; its end comes once it is booked. Closing the iterator ends the provider's work.

        Raises our errors; what was used is booked in any case, and what was set aside given back.
        """
        end: Finish | None = None
        try:
            asked.deployed(await self._asker.deployment(asked.actor, asked.target))
            await self._set_aside_first(asked)
            self._live.add(asked)
            self._is_idle.clear()
            with self.watch.over(asked.caller.key_id, asked.end):
                async with asked.limited(), aclosing(self._deltas(asked)) as deltas:
                    async for delta in deltas:
                        asked.take(delta)
                        if isinstance(delta, Finish):
                            end = delta
                            break
                        if isinstance(delta, CallDelta):
                            self._remember(asked.caller, delta.call)
                        yield delta
        except TimeoutError:
            raise asked.ended_by or Unavailable("The answer was ended.") from None
        except LLMUIError as error:
            asked.status = RunStatus.FAILED
            asked.refused_by.add(error.code)
            raise _told(asked, error) from error
        finally:
            self._live.discard(asked)
            if not self._live:
                self._is_idle.set()
            # Shielded: whoever goes away has used it all the same.
            await asyncio.shield(asyncio.ensure_future(self._book(asked)))
        if end is not None:
            yield end

    async def embed(self, asked: Asked, texts: Texts) -> Embedded:
        """Return vectors, booked. Raises our errors."""
        target = asked.target
        asked.input_tokens = sum(map(estimate, texts.texts))
        asked.makes_text = False
        makes = embedder(target.kind)
        attempt = 1
        try:
            guard = await self._asker.filters.guard(asked.actor, asked.filtered) if target.has_filters else None
            texts = texts if guard is None else replace(texts, texts=await guard.embedded(texts.texts))
            await self._set_aside(asked, 0)
            asked.place = await self._asker.limiter.enter(asked)
            while True:
                asked.is_called = True
                try:
                    made = await makes.embed(self._http, self._asker.endpoint(target), texts, EMBEDDING_S)
                except ProviderError as error:
                    pause = pause_s(error, attempt)
                    if pause is None:
                        asked.is_called = False
                        raise _told(asked, error) from error
                    attempt += 1
                    await asyncio.sleep(pause)
                else:
                    asked.status, asked.first_at = RunStatus.COMPLETED, time.monotonic()
                    asked.reported = replace(asked.reported, input_tokens=made.input_tokens, output_tokens=0)
                    return made
        finally:
            if asked.place is not None:
                await asyncio.shield(asyncio.ensure_future(self._asker.limiter.leave(asked.place, asked.used_tokens)))
            await asyncio.shield(asyncio.ensure_future(self._book(asked)))

    async def drain(self, limit_s: float) -> None:
        """Take no more questions, let live answers end for so long, and cut off the rest."""
        self._is_draining = True
        if self._live:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._is_idle.wait(), limit_s)
        for asked in list(self._live):
            asked.end(Unavailable("The server is restarting. Try again in a moment.", retry_after=2))
        if self._booking:
            await asyncio.wait(self._booking, timeout=limit_s)
        self.watch.close()

    async def _deltas(self, asked: Asked) -> AsyncGenerator[Delta]:
        async def move(target: ModelTarget, error: LLMUIError) -> None:
            asked.moved(target, error)
            await self._set_aside(asked, asked.most_tokens)

        async with aclosing(self._asker.stream(asked, asked.prompt, move)) as deltas:
            async for delta in deltas:
                tool = asked.output_tool
                if tool and isinstance(delta, CallDelta) and delta.call.name == tool:
                    yield TextDelta(json.dumps(delta.call.arguments, ensure_ascii=False))
                elif tool and isinstance(delta, Finish) and delta.reason == "tool" and not asked.prompt.tools:
                    yield Finish("stop")
                else:
                    yield delta

    async def _set_aside_first(self, asked: Asked) -> None:
        """Set aside what it may cost, or leave it to a cheaper model where a limit wants that."""
        try:
            await self._set_aside(asked, asked.most_tokens)
        except BudgetSpent as error:
            if error.leads_to != LimitAction.SWITCH and not asked.target.others:
                raise
            asked.held_up = error

    async def _set_aside(self, asked: Asked, output_tokens: int) -> None:
        """Set aside what it may cost, of the budgets of key and project. Raises `BudgetSpent`."""
        if not asked.target.has_budgets:
            return
        caller = asked.caller
        most = cost(asked.target.prices, input_tokens=asked.input_tokens, output_tokens=output_tokens)
        was, asked.may_be_held = asked.may_be_held, True
        try:
            reserved = await set_aside(
                self._database, asked.id, most, caller.actor.user_id, caller.project_id, caller.series_id,
                asked.target.model_id,
            )  # fmt: skip
        except BudgetSpent:
            asked.may_be_held = was
            raise
        asked.may_be_held = was or reserved.is_set_aside
        asked.warnings.extend(reserved.warnings)

    async def _book(self, asked: Asked) -> None:
        """Book a call; where the database does not take that, go on trying without letting anybody wait."""
        usage = asked.usage()
        is_given = asked.is_called or asked.repeated is not None
        writes: list[Callable[[], Awaitable[None]]] = []
        if is_given and (asked.status is not RunStatus.FAILED or asked.first_at is not None):
            self.limits.used(asked.caller.actor, usage.output_tokens)
            row = asked.row(usage)
            note(
                Answered(
                    "api", row.model_name, row.provider_name, asked.target.kind, row.status, usage.input_tokens,
                    usage.output_tokens, float(row.cost_usd or 0), row.ttft_ms, row.total_ms,
                    is_cached=asked.repeated is not None,
                )
            )  # fmt: skip
            # It took until now, however often it is tried.
            made = partial(asked.row, usage, total_ms=row.total_ms)
            writes.append(lambda: self._booker.book(made, may_be_held=asked.may_be_held))
        elif asked.may_be_held:
            writes.append(lambda: give_back(self._database, asked.id))
        if asked.split is not None and (is_given or asked.status is RunStatus.FAILED):
            by_limit, row_of_it = not LIMITS.isdisjoint(asked.refused_by), asked.row(usage)
            got = asked.split
            writes.append(lambda: note_call(self._database, got, row_of_it, by_limit=by_limit))
        if asked.found:
            writes.append(lambda: self._count(asked))
        if not await _written(writes):
            log.warning("gateway.not_booked_yet", key_id=asked.caller.key_id, call_id=asked.id)
            task = asyncio.create_task(self._book_later(asked, writes))
            self._booking.add(task)
            task.add_done_callback(self._booking.discard)

    async def _book_later(self, asked: Asked, writes: list[Callable[[], Awaitable[None]]]) -> None:
        deadline = time.monotonic() + BOOK_LIMIT_S
        while time.monotonic() < deadline:
            await asyncio.sleep(BOOK_PAUSE_S)
            if await _written(writes):
                return
        log.error("gateway.not_booked", key_id=asked.caller.key_id, call_id=asked.id)

    async def _count(self, asked: Asked) -> None:
        async with self._database.writing() as session:
            await filters.count(session, asked.found)

    def _remember(self, caller: Caller, call: ToolCall) -> None:
        """Keep what a provider wants back with a call: most clients have no place for it."""
        if 0 < len(call.signature) <= MAX_SIGNATURE_CHARS:
            for name in _names(call):
                self._signatures[caller.actor.user_id, name] = call.signature
        while len(self._signatures) > REMEMBERED:
            self._signatures.popitem(last=False)

    def _signed(self, caller: Caller, message: PromptMessage) -> PromptMessage:
        if not message.calls:
            return message
        return replace(message, calls=tuple(self._signed_call(caller, call) for call in message.calls))

    def _signed_call(self, caller: Caller, call: ToolCall) -> ToolCall:
        known = (self._signatures.get((caller.actor.user_id, name)) for name in _names(call))
        return call if call.signature else replace(call, signature=next(filter(None, known), ""))


def _wanted(caller: Caller) -> tuple[Keeping, ...]:
    """Return what the key wants of answers that are there, whatever its model says."""
    key = caller.actor.key
    return () if key is None else (Keeping(key.keeps_answers, key.keeps_similar),)


def _names(call: ToolCall) -> tuple[str, str]:
    """Return by what a call is known again: its id, or what it says, for clients that have no place for that either."""
    return call.id, f"{call.name} {json.dumps(call.arguments, sort_keys=True)}"


def _told(asked: Asked, error: LLMUIError) -> LLMUIError:
    """Return the error as whoever asks may read it: what is wrong with a provider's account is for administrators."""
    is_secret = isinstance(error, ProviderError) and error.fault in SECRET_FAULTS
    if not is_secret or asked.caller.actor.role is Role.ADMIN:
        return error
    name = asked.target.provider_name
    return Unavailable("{name} refuses to answer for now. Ask for another model, or an administrator.", name=name)


async def _written(writes: list[Callable[[], Awaitable[None]]]) -> bool:
    """Write what is still to be written, one after the other; return whether all of it is."""
    try:
        while writes:
            await writes[0]()
            del writes[0]
    except LLMUIError:
        return False
    return True
