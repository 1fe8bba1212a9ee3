"""One question of a script while it is answered: what it used, and what is booked of it."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal

from llm_ui.contract import Metrics, Usage
from llm_ui.errors import BudgetSpent, LLMUIError
from llm_ui.kit.ids import ModelId, ProjectId, RunId, uuid7
from llm_ui.kit.token_count import PER_MESSAGE, estimate
from llm_ui.models import ProviderKind, RunStatus, UsageLog, UsagePurpose
from llm_ui.observability.logging import get_logger
from llm_ui.providers.base import (
    ANY_TOOL,
    CallDelta,
    Delta,
    Finish,
    Output,
    Prompt,
    PromptMessage,
    ReasoningDelta,
    TextDelta,
    ToolSpec,
    UsageDelta,
)
from llm_ui.runs.booking import booking
from llm_ui.runs.cache_key import CacheUse, Repeated
from llm_ui.runs.limiter import Place
from llm_ui.services.access import Actor
from llm_ui.services.filters import Found
from llm_ui.services.keys import Caller
from llm_ui.services.targets import ModelTarget

log = get_logger(__name__)

USUAL_OUTPUT = 4_096
"""Tokens set aside for an answer whose length nobody has limited."""
IMAGE_TOKENS = 800
"""What an image takes, roughly; providers differ by size and detail."""


def tokens_of(prompt: Prompt) -> int:
    """Return the estimate of what a prompt takes, before what is known of its model's tokenizer."""
    tools = estimate(json.dumps([tool.schema for tool in prompt.tools])) if prompt.tools else 0
    named = sum(estimate(tool.name) + estimate(tool.description) for tool in prompt.tools)
    return estimate(prompt.system) + tools + named + sum(map(_tokens_of, prompt.messages))


def _tokens_of(message: PromptMessage) -> int:
    calls = sum(estimate(call.name) + estimate(json.dumps(call.arguments)) for call in message.calls)
    results = sum(estimate(result.text) for result in message.results)
    return PER_MESSAGE + estimate(message.text) + IMAGE_TOKENS * len(message.images) + calls + results


@dataclass(eq=False)
class Asked:
    """A question while it is answered."""

    caller: Caller
    target: ModelTarget
    prompt: Prompt
    input_tokens: int
    """Estimated."""
    instead_of: str = ""
    """The provider and model that were asked first and did not answer; empty: this one was asked."""
    cache_use: CacheUse | None = None
    """How it uses answers that are there; None: not at all."""
    repeated: Repeated | None = None
    """The answer that was there already; None: a model is asked."""
    makes_text: bool = True
    """Whether it is answered with text, and not with vectors."""
    output_tool: str = ""
    """Name of the tool that the model is asked to call in the place of an answer of the wanted form."""
    id: RunId = field(default_factory=lambda: RunId(uuid7()))
    began: float = field(default_factory=time.monotonic)
    first_at: float | None = None
    is_called: bool = False
    """Whether the provider was asked."""
    may_be_held: bool = False
    """Whether money can be set aside for it."""
    held_up: BudgetSpent | None = None
    """What leaves it to a cheaper model only."""
    place: Place | None = None
    """What it has taken of limits; None: nothing limits it."""
    warnings: list[str] = field(default_factory=list)
    """What is to be said of limits of money that were passed."""
    status: RunStatus = RunStatus.INTERRUPTED
    reported: UsageDelta = field(default_factory=UsageDelta)
    found: list[Found] = field(default_factory=list)
    """By safety filters."""
    refused_by: set[str] = field(default_factory=set)
    """Codes of what has kept a model from answering."""
    ended_by: LLMUIError | None = None
    """Why it was cut off."""
    _said: list[str] = field(default_factory=list)
    _limit: asyncio.Timeout | None = None

    def __post_init__(self) -> None:
        self.choice, self.split = self.target.choice, self.target.split

    @asynccontextmanager
    async def limited(self) -> AsyncIterator[None]:
        """Take the answer in, in such a way that `end` can cut it off. Raises `TimeoutError` then."""
        if self.ended_by is not None:
            raise TimeoutError
        # It has no deadline: `end` gives it one.
        async with asyncio.timeout(None) as self._limit:
            try:
                yield
            finally:
                self._limit = None

    def end(self, why: LLMUIError) -> None:
        """Cut the answer off; the first who asks for it says why. What was used until then is booked."""
        if self.ended_by is None:
            self.ended_by = why
            if self._limit is not None:
                self._limit.reschedule(asyncio.get_running_loop().time())

    @property
    def actor(self) -> Actor:
        """Whose key it is."""
        return self.caller.actor

    @property
    def needs_tools(self) -> bool:
        """Whether a model that calls no tools is of no use: a script waits for its calls."""
        return True

    @property
    def sent_tokens(self) -> int:
        """What is sent, estimated."""
        return self.input_tokens

    @property
    def project_id(self) -> ProjectId | None:
        """Where it is asked."""
        return self.caller.project_id

    @property
    def used_tokens(self) -> int:
        """What was sent and written by now; 0: nothing was asked."""
        usage = self.usage()
        return usage.input_tokens + usage.output_tokens if self.is_called else 0

    def counted(self, place: Place) -> None:
        """Keep what is left of limits, for whoever asks."""
        self.place = place

    @property
    def most_tokens(self) -> int:
        """Of the longest answer that is reckoned with."""
        if not self.makes_text:
            return 0
        return self.prompt.max_tokens or self.target.max_output_tokens or USUAL_OUTPUT

    @property
    def models(self) -> frozenset[ModelId] | None:
        """Those that the key may ask; None: all that its owner may."""
        return self.caller.models

    def prompt_for(self, target: ModelTarget, prompt: Prompt) -> Prompt:
        """Return the prompt as a model takes it."""
        prompt, self.output_tool = replace(prompt, model=target.name), ""
        if target.kind is not ProviderKind.ANTHROPIC:
            return prompt
        if prompt.max_tokens is None:
            prompt = replace(prompt, max_tokens=target.max_output_tokens)
        if prompt.output is not None:
            prompt, self.output_tool = _as_tool(prompt, prompt.output)
        return prompt

    def continued(self, _prompt: Prompt) -> None:
        """Return None: a script that reads an answer is told by nothing in it that another model goes on."""
        return

    def deployed(self, target: ModelTarget) -> None:
        """Note which of those that serve under the model's name is asked."""
        self.input_tokens = round(self.input_tokens / self.target.calibration.factor * target.calibration.factor)
        self.target = target

    def moved(self, target: ModelTarget, error: LLMUIError) -> None:
        """Note that another model is asked, for this one does not answer, or costs too much for a limit."""
        before = self.target
        log.info("gateway.stand_in", call_id=self.id, before=before.name, after=target.name, code=error.code)
        self.instead_of = self.instead_of or before.wire_name
        self.refused_by.add(error.code)
        self.input_tokens = round(self.input_tokens / before.calibration.factor * target.calibration.factor)
        self.target, self.reported, self.is_called = target, UsageDelta(), False

    def called(self, _attempt: int) -> None:
        """Note that the provider is asked."""
        self.is_called = True

    def cached(self, repeated: Repeated | None) -> None:
        """Note that the answer was there already, or is another's; None: it is made for this one."""
        self.repeated = repeated
        self.is_called = repeated is None

    def filtered(self, found: Sequence[Found], _masked: Mapping[str, str]) -> None:
        """Note what filters have found."""
        self.found += found

    def take(self, delta: Delta) -> None:
        """Take in a piece of the answer."""
        match delta:
            case TextDelta() | ReasoningDelta():
                self.first_at = self.first_at or time.monotonic()
                self._said.append(delta.text)
            case CallDelta():
                self.first_at = self.first_at or time.monotonic()
                self._said.append(f"{delta.call.name} {json.dumps(delta.call.arguments)}")
            case UsageDelta():
                self.reported = self.reported.updated(delta)
            case Finish():
                self.status = RunStatus.COMPLETED
            case _:
                pass

    def usage(self) -> Usage:
        """Return what was used: the provider's counts where it told both, else estimates."""
        reported, is_whole = self.reported, self.status is RunStatus.COMPLETED
        is_exact = is_whole and reported.input_tokens is not None and reported.output_tokens is not None
        said = 0 if is_exact else estimate("".join(self._said))
        return Usage(
            input_tokens=self.input_tokens if reported.input_tokens is None else reported.input_tokens,
            cached_tokens=reported.cached_tokens or 0,
            output_tokens=max(reported.output_tokens or 0, said),
            reasoning_tokens=reported.reasoning_tokens or 0,
            source="provider" if is_exact else "estimate",
        )

    def row(self, usage: Usage, purpose: UsagePurpose = UsagePurpose.API, total_ms: float | None = None) -> UsageLog:
        """Return the row that is booked; `total_ms`: how long it took where that is known by now."""
        if total_ms is None:
            total_ms = round((time.monotonic() - self.began) * 1000, 1)
        metrics = Metrics(
            ttft_ms=None if self.first_at is None else round((self.first_at - self.began) * 1000, 1), total_ms=total_ms
        )
        row = booking(
            self.id, purpose, self.caller.actor.user_id, self.target, status=self.status, usage=usage, metrics=metrics
        )
        row.auto_choice = None if self.choice is None else self.choice.listed()
        row.project_id, row.key_id = self.caller.project_id, self.caller.key_id
        if self.repeated is not None:
            row.is_similar = self.repeated.similarity is not None
            row.is_cached, row.saved_usd, row.cost_usd = True, row.cost_usd, Decimal(0)
            row.ttft_ms = row.total_ms = None
        return row


def _as_tool(prompt: Prompt, wanted: Output) -> tuple[Prompt, str]:
    """Return the prompt with its wanted form as a tool that has to be called: Anthropic's models keep to such."""
    tool = ToolSpec(wanted.name, "Give the answer in this form.", wanted.schema or {"type": "object"})
    must_call = ANY_TOOL if prompt.tools else tool.name
    return replace(prompt, tools=(*prompt.tools, tool), must_call=must_call, may_call=True), tool.name
