"""From question to answer with tools between: the model calls, tools give, the model goes on.

Each call is told and written down before its tool works. A run ends in the midst of this like in the midst of text.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from llm_ui.contract.steps import Step
from llm_ui.errors import BudgetSpent, LLMUIError
from llm_ui.kit.i18n import later
from llm_ui.kit.text import storable
from llm_ui.models import LimitAction, RunStatus
from llm_ui.observability.logging import get_logger
from llm_ui.providers.base import (
    Began,
    CallDelta,
    Delta,
    Finish,
    Prompt,
    PromptMessage,
    ReasoningDelta,
    TextDelta,
    ToolCall,
    ToolResult,
    UsageDelta,
)
from llm_ui.runs.asking import Asker
from llm_ui.runs.booking import set_aside
from llm_ui.runs.ending import Ending
from llm_ui.runs.live_run import LiveRun
from llm_ui.runs.tools.base import Around, Given, Limits, Tool
from llm_ui.runs.tools.registry import find
from llm_ui.services.targets import ModelTarget

log = get_logger(__name__)

MAX_ROUNDS = 8
"""Requests to the model for one answer; in the last one it may call nothing."""
LOOP_S = 240.0
"""After so long no tool is offered any more: the model answers from what it has."""
TOOL_S = 20.0
"""What one tool may take."""
RESULT_TOKENS = 4_000
"""Most of one result."""
MIN_RESULT_TOKENS = 200
"""With less room than that the model is not asked to use tools any more."""
SHARE = 2
"""A result takes at most one in so many of the tokens that the model can still be sent."""
MOST_CHARS_A_TOKEN = 8
"""Beyond any text: tools keep to the tokens themselves, this bounds one that does not."""


@dataclass(frozen=True, slots=True)
class _Called:
    """How one request to the model ended: what it said and called."""

    text: str
    calls: tuple[ToolCall, ...]


async def answer(live: LiveRun, prompt: Prompt, asker: Asker, around: Around) -> None:
    """Take in the answer, with as many requests as it takes. Leaves the ending in `live`. Raises our errors."""
    until = time.monotonic() + LOOP_S

    async def move(target: ModelTarget, error: LLMUIError) -> None:
        live.moved(target, error)
        await _set_aside(live, around)

    if live.held_up is not None and live.held_up.leads_to == LimitAction.THROTTLE:
        await _set_aside_now(live, around)
    while True:
        async with aclosing(asker.stream(live, prompt, move)) as deltas:
            called = await _take_in(live, deltas, may_call=prompt.may_call)
        if called is None:
            return
        steps, results = [], []
        for one in called.calls:
            step = await _use(live, one, around)
            steps.append(step)
            results.append(ToolResult(one.id, one.name, step.result, is_error=step.state == "failed"))
        live.begin_round(steps)
        await _set_aside_now(live, around)
        is_last = live.rounds.number >= MAX_ROUNDS or time.monotonic() > until or _left(live) < MIN_RESULT_TOKENS
        prompt = _prompt(prompt, called, results, may_call=not is_last)


async def _set_aside(live: LiveRun, around: Around) -> None:
    """Set aside what the next request may cost, as was done for the first. Raises `BudgetSpent`."""
    actor = live.actor
    most_usd = live.context.request_usd(live.target, live.rounds.now.input_tokens)
    series_id = None if actor.key is None else actor.key.series_id
    run_id, model_id = live.turn.run_id, live.target.model_id
    reserved = await set_aside(
        around.database, run_id, most_usd, actor.user_id, live.project_id, series_id, model_id
    )  # fmt: skip
    if reserved.warnings:
        live.passed(reserved.warnings)


async def _set_aside_now(live: LiveRun, around: Around) -> None:
    """Do the same, or leave it to a cheaper model where a limit wants that."""
    live.held_up = None
    try:
        await _set_aside(live, around)
    except BudgetSpent as error:
        if error.leads_to != LimitAction.SWITCH:
            raise
        live.held_up = error


def _prompt(prompt: Prompt, called: _Called, results: Sequence[ToolResult], *, may_call: bool) -> Prompt:
    """Return the next request: the one before, what came of it, and what the tools gave."""
    said = PromptMessage("assistant", called.text, calls=called.calls)
    given = PromptMessage("user", "", results=tuple(results))
    return replace(prompt, messages=(*prompt.messages, said, given), may_call=may_call)


async def _take_in(live: LiveRun, deltas: AsyncGenerator[Delta], *, may_call: bool) -> _Called | None:
    """Return what was called; None when the answer is whole."""
    began, calls = len(live.text), list[ToolCall]()
    async for delta in deltas:
        match delta:
            case TextDelta():
                live.add_text(delta)
            case ReasoningDelta():
                live.add_reasoning(delta)
            case UsageDelta():
                live.report(delta)
            case CallDelta():
                calls.append(delta.call)
            case Began():
                live.accepted(delta)
            case Finish():
                # Calls of an answer that was cut may be cut themselves.
                if calls and may_call and delta.reason in ("tool", "stop"):
                    live.end_text()
                    return _Called(live.text[began:].strip(), tuple(calls))
                reason = "rounds" if calls and delta.reason in ("tool", "stop") else delta.reason
                reason = reason if live.has_text or calls else "empty"
                live.ending = live.ending or Ending(RunStatus.COMPLETED, "stop" if reason == "tool" else reason)
    return None


async def _use(live: LiveRun, call: ToolCall, around: Around) -> Step:
    """Use a tool; whatever goes wrong in it is told to the model, which goes on."""
    step = live.begin_step(call)
    is_offered = any(spec.name == call.name for spec in live.context.tools)
    tool = find(call.name) if is_offered else None
    most = min(RESULT_TOKENS, _left(live) // SHARE)
    limits = Limits(max(most, MIN_RESULT_TOKENS), max((one.number for one in live.sources or ()), default=0) + 1)
    given = await _given(live, tool, call, around, limits)
    return live.end_step(step, given)


async def _given(live: LiveRun, tool: Tool | None, call: ToolCall, around: Around, limits: Limits) -> Given:
    if tool is None:
        return _refused(later("There is no such tool here. Answer without it."))
    if call.arguments is None:
        return _refused(later("The arguments were no JSON object. Call the tool again with one."))
    try:
        async with asyncio.timeout(TOOL_S):
            given = await tool.use(around, limits, call.arguments)
    except TimeoutError:
        return _refused(later("The tool took too long and was stopped."))
    except LLMUIError as error:
        return _refused(storable(error.message))
    except Exception:
        log.exception("tool.crashed", run_id=live.turn.run_id, tool=call.name)
        return _refused(later("The tool failed."))
    return replace(given, text=given.text[: limits.most_tokens * MOST_CHARS_A_TOKEN])


def _refused(sentence: str) -> Given:
    return Given(sentence, is_error=True)


def _left(live: LiveRun) -> int:
    """Return how many more tokens the model can be sent with the next request."""
    taken = live.rounds.now.input_tokens
    return live.context.most_tokens - taken
