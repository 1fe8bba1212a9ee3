"""Answers scripts: through the same adapters, retries and breakers as chats, within budgets, booked once."""

import asyncio
import json
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import replace

import httpx2

from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.errors import KeyRefused, LLMUIError, ProviderError, Unavailable
from llm_ui.kit.encryption import Sealer
from llm_ui.kit.ids import UserId
from llm_ui.kit.token_count import estimate
from llm_ui.models import ProviderKind, Role, RunStatus
from llm_ui.observability.logging import get_logger
from llm_ui.providers.base import (
    ANY_TOOL,
    CallDelta,
    Delta,
    Embedded,
    Endpoint,
    Finish,
    Prompt,
    PromptMessage,
    TextDelta,
    Texts,
    Timeouts,
    ToolCall,
    ToolSpec,
)
from llm_ui.providers.embedding import embedder
from llm_ui.providers.registry import adapter
from llm_ui.runs.booking import book, give_back
from llm_ui.runs.ends import SECRET_FAULTS
from llm_ui.runs.gateway.asked import Asked, tokens_of
from llm_ui.runs.gateway.limits import Limits
from llm_ui.runs.resilience import Call, Resilience, pause_s
from llm_ui.services import budgets, keys
from llm_ui.services.ai_models import ModelTarget
from llm_ui.services.keys import Caller
from llm_ui.services.prices import cost

log = get_logger(__name__)

WATCH_S = 0.4
"""How often it is looked whether the keys of live answers are still good: a revoked one ends within a second."""
USUAL_OUTPUT = 4_096
"""Tokens set aside for an answer whose length nobody has limited."""
REMEMBERED = 2_000
MAX_SIGNATURE_CHARS = 16_000
EMBEDDING_S = Timeouts(connect_s=5, first_byte_s=60, idle_s=15, total_s=120)


class Gateway:
    """Answers scripts. One in each process of the LLM API."""

    def __init__(self, database: Database, sealer: Sealer, http: httpx2.AsyncClient, config: Config) -> None:
        self._database = database
        self._sealer = sealer
        self._http = http
        self._resilience = Resilience(http)
        self._timeouts = Timeouts(
            config.connect_timeout_s, config.first_byte_timeout_s, config.idle_timeout_s, config.total_timeout_s
        )
        self.limits = Limits(config)
        self._live: set[Asked] = set()
        self._watching: asyncio.Task[None] | None = None
        self._is_idle = asyncio.Event()
        self._is_draining = False
        self._signatures: OrderedDict[tuple[UserId, str], str] = OrderedDict()

    def asked(self, caller: Caller, target: ModelTarget, prompt: Prompt) -> Asked:
        """Return a question that is to be answered. Raises `Unavailable` when the process is about to end."""
        if self._is_draining:
            raise Unavailable("The server is restarting. Try again in a moment.", retry_after=2)
        prompt = replace(prompt, model=target.name, messages=tuple(self._signed(caller, m) for m in prompt.messages))
        if prompt.max_tokens is None and target.kind is ProviderKind.ANTHROPIC:
            prompt = replace(prompt, max_tokens=target.max_output_tokens)
        return Asked(caller, target, prompt, round(tokens_of(prompt) * target.calibration.factor))

    async def answer(self, asked: Asked) -> AsyncGenerator[Delta]:
        """Yield the answer; its end comes once it is booked. Closing the iterator ends the provider's work.

        Raises our errors; what was used is booked in any case, and what was set aside given back.
        """
        end: Finish | None = None
        try:
            await self._set_aside(asked, asked.prompt.max_tokens or asked.target.max_output_tokens or USUAL_OUTPUT)
            self._watch(asked)
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
        makes = embedder(target.kind)
        attempt = 1
        try:
            await self._set_aside(asked, 0)
            while True:
                asked.is_called = True
                try:
                    made = await makes.embed(self._http, self._endpoint(target), texts, EMBEDDING_S)
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
            await asyncio.shield(asyncio.ensure_future(self._book(asked)))

    async def drain(self, limit_s: float) -> None:
        """Take no more questions, let live answers end for so long, and cut off the rest."""
        self._is_draining = True
        if self._live:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._is_idle.wait(), limit_s)
        for asked in list(self._live):
            asked.end(Unavailable("The server is restarting. Try again in a moment.", retry_after=2))
        if self._watching is not None:
            self._watching.cancel()

    def _endpoint(self, target: ModelTarget) -> Endpoint:
        key = None if target.sealed_key is None else self._sealer.open(target.sealed_key, str(target.provider_id))
        return Endpoint(target.base_url, key)

    async def _deltas(self, asked: Asked) -> AsyncGenerator[Delta]:
        target, prompt, tool = asked.target, asked.prompt, None
        if prompt.output is not None and target.kind is ProviderKind.ANTHROPIC:
            prompt, tool = _as_tool(prompt)
        call = Call(adapter(target.kind), self._endpoint(target), prompt, target.provider_id, self._timeouts)
        async with aclosing(self._resilience.stream(call, asked.called)) as deltas:
            async for delta in deltas:
                if tool is not None and isinstance(delta, CallDelta) and delta.call.name == tool:
                    yield TextDelta(json.dumps(delta.call.arguments, ensure_ascii=False))
                elif (
                    tool is not None and isinstance(delta, Finish) and delta.reason == "tool" and len(prompt.tools) == 1
                ):
                    yield Finish("stop")
                else:
                    yield delta

    async def _set_aside(self, asked: Asked, output_tokens: int) -> None:
        """Set aside what it may cost, of the budgets of key and project. Raises `BudgetSpent`."""
        caller = asked.caller
        most = cost(
            asked.target.prices, input_tokens=asked.input_tokens, cached_tokens=0, output_tokens=output_tokens
        )  # fmt: skip
        if not caller.has_budget or not most:
            return
        async with self._database.writing() as session:
            await budgets.reserve_of_key(session, asked.id, caller.series_id, most)
        asked.is_set_aside = True
        # Apart: who holds the row that all calls of a project share waits for nobody.
        async with self._database.writing() as session:
            await budgets.reserve(session, asked.id, caller.project_id, most)

    async def _book(self, asked: Asked) -> None:
        usage = asked.usage()
        is_used = asked.is_called and (asked.status is not RunStatus.FAILED or asked.first_at is not None)
        try:
            if is_used:
                self.limits.used(asked.caller, usage.output_tokens)
                await book(self._database, asked.row(usage))
            elif asked.is_set_aside:
                await give_back(self._database, asked.id)
        except LLMUIError:
            log.exception("gateway.not_booked", key_id=asked.caller.key_id, call_id=asked.id)

    def _watch(self, asked: Asked) -> None:
        self._live.add(asked)
        self._is_idle.clear()
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(self._keep_watching())

    async def _keep_watching(self) -> None:
        """End the answers whose key is revoked, ends, or belongs to an account that is disabled meanwhile."""
        while self._live:
            await asyncio.sleep(WATCH_S)
            known = {asked.caller.key_id for asked in self._live}
            try:
                async with self._database.reading() as session:
                    good = await keys.still_good(session, known)
            except LLMUIError as error:
                log.warning("gateway.keys_not_read", code=error.code)
                continue
            for asked in [asked for asked in self._live if asked.caller.key_id in known - good]:
                asked.end(KeyRefused())

    def _remember(self, caller: Caller, call: ToolCall) -> None:
        """Keep what a provider wants back with a call: most clients have no place for it."""
        if 0 < len(call.signature) <= MAX_SIGNATURE_CHARS:
            self._signatures[caller.actor.user_id, call.id] = call.signature
        while len(self._signatures) > REMEMBERED:
            self._signatures.popitem(last=False)

    def _signed(self, caller: Caller, message: PromptMessage) -> PromptMessage:
        if not message.calls:
            return message
        user_id = caller.actor.user_id
        calls = (
            call if call.signature else replace(call, signature=self._signatures.get((user_id, call.id), ""))
            for call in message.calls
        )
        return replace(message, calls=tuple(calls))


def _told(asked: Asked, error: LLMUIError) -> LLMUIError:
    """Return the error as whoever asks may read it: what is wrong with a provider's account is for administrators."""
    is_secret = isinstance(error, ProviderError) and error.fault in SECRET_FAULTS
    if not is_secret or asked.caller.actor.role is Role.ADMIN:
        return error
    name = asked.target.provider_name
    return Unavailable("{name} refuses to answer for now. Ask for another model, or an administrator.", name=name)


def _as_tool(prompt: Prompt) -> tuple[Prompt, str]:
    """Return the prompt with its wanted form as a tool that has to be called: Anthropic's models keep to such."""
    wanted = prompt.output
    assert wanted is not None  # noqa: S101 - asked by the caller
    schema = wanted.schema or {"type": "object"}
    tool = ToolSpec(wanted.name, "Give the answer in this form.", schema)
    must_call = ANY_TOOL if prompt.tools else tool.name
    return replace(prompt, tools=(*prompt.tools, tool), must_call=must_call, may_call=True), tool.name
