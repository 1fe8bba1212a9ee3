"""One run while it is being made: its text so far, its figures, its events."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from llm_ui.contract import Metrics, Source, StartEvent, ToolCallEvent, ToolResultEvent, Usage
from llm_ui.contract.filters import WarnedEvent
from llm_ui.contract.stand_ins import StandInEvent
from llm_ui.contract.steps import Step
from llm_ui.documents.cite import CitationCheck
from llm_ui.errors import BudgetSpent, LLMUIError, ProviderError
from llm_ui.kit.calibration import Calibration
from llm_ui.kit.clock import now
from llm_ui.kit.ids import ProjectId
from llm_ui.kit.text import storable
from llm_ui.kit.token_count import GrowingCount, estimate
from llm_ui.models import FilterAction, RunStatus
from llm_ui.providers.base import Began, Prompt, PromptMessage, ReasoningDelta, TextDelta, ToolCall, UsageDelta
from llm_ui.runs.cache_key import CacheUse, Repeated
from llm_ui.runs.context import GO_ON, Context
from llm_ui.runs.ending import Ending
from llm_ui.runs.event_log import EventLog, Wire, wire
from llm_ui.runs.growing import Growing
from llm_ui.runs.limiter import Place
from llm_ui.runs.rounds import Round, Rounds
from llm_ui.runs.steps import Steps, interleaved, tokens_of
from llm_ui.runs.tools.base import Given
from llm_ui.runs.tries import Try, tried
from llm_ui.services.access import Actor
from llm_ui.services.agents import Knowledge
from llm_ui.services.filters import Found
from llm_ui.services.targets import ModelTarget
from llm_ui.services.turns import Turn


@dataclass
class LiveRun:
    """A run in this process. Times are of the monotonic clock, in seconds."""

    turn: Turn
    target: ModelTarget
    """Who answers: the model that was asked, or one that stands in for it."""
    context: Context
    actor: Actor
    temperature: float | None
    max_tokens: int | None
    request_id: str
    received_at: float
    known: Knowledge | None = None
    """Where tools look for documents."""
    time_zone: str = ""
    """Where the person is, as their browser names it."""
    is_stored: bool = True
    """False in a temporary chat: what is said stays in memory, and only what it used is booked."""
    use: CacheUse | None = None
    """How it uses answers that are there; None: not at all."""
    repeated: Repeated | None = None
    """The answer that this one repeats; None: a model is asked."""
    held_up: BudgetSpent | None = None
    """The limit of money that nothing could be set aside of when the question was stored; None: there was enough."""
    limit_note: str = ""
    """What limits made of the question, for the person; empty: nothing."""
    log: EventLog = field(init=False)
    attempts: int = 0
    tries: list[Try] = field(default_factory=list)
    """Models that were asked before and did not answer."""
    broke_off: bool = False
    """Whether one of them had begun to answer."""
    found: list[Found] = field(default_factory=list)
    """By safety filters."""
    masked: dict[str, str] = field(default_factory=dict)
    """What the provider did not see, by what it saw in its place."""
    started_at: datetime | None = None
    """When the provider was first called, by the wall clock."""
    thought_at: float | None = None
    """When the reasoning began."""
    thought_until: float | None = None
    """When its last piece came, or the first one of the answer after it."""
    connect_ms: float | None = None
    written_at: int = 0
    """Number of the last event that is in the database."""
    is_lost: bool = False
    """Whether another process took the lease: nothing may be written any more."""
    ending: Ending | None = None
    streaming: asyncio.Task[None] | None = None
    _text: Growing = field(default_factory=Growing)
    _reasoning: Growing = field(default_factory=Growing)

    def __post_init__(self) -> None:
        self.log, self.steps = EventLog(self.retell), Steps(self.turn.steps)
        self._auto_name = "" if self.target.choice is None else self.target.choice.auto
        self.rounds = Rounds(Round(self.context.input_tokens, self.target.prices), self.received_at)
        self._is_after_step, self._round_began = False, len(self.turn.opening)
        self._count, self._thoughts_count = GrowingCount(len(self.turn.opening)), GrowingCount()
        # An answer without passages may say [1] and mean something else.
        sent = self.sources = self.context.sources
        self._citations = None if sent is None else CitationCheck([source.number for source in sent])
        if self.turn.opening:
            self._text.add(self.turn.opening)
            if self._citations is not None:
                self._citations.feed(self.turn.opening)
                self._citations.end()

    @property
    def text(self) -> str:
        """The answer so far."""
        return self._text.whole()

    @property
    def reasoning(self) -> str:
        """The reasoning so far."""
        return self._reasoning.whole()

    @property
    def _tokens_said(self) -> int:
        """What the model itself has written, estimated: not what the answer was begun with."""
        return self._count.of(self.text)

    @property
    def has_text(self) -> bool:
        """Whether anything was said."""
        return self._text.chars > 0

    @property
    def has_begun(self) -> bool:
        """Whether anything was shown: text, or a tool at work."""
        return self.has_text or bool(self.steps.all)

    def start_event(self, *, is_replay: bool = False) -> StartEvent:
        """Return the event that a run begins with."""
        return StartEvent(
            run_id=self.turn.run_id,
            chat_id=self.turn.chat_id,
            question_id=self.turn.question_id,
            answer_id=self.turn.answer_id,
            model_name=self.target.display_name,
            provider_name=self.target.provider_name,
            auto_name=self._auto_name,
            agent_id=None if self.turn.agent is None else self.turn.agent.id,
            agent_name="" if self.turn.agent is None else self.turn.agent.name,
            is_replay=is_replay,
            sources=self.sources,
            instead_of=self.instead_of,
            broke_off=self.broke_off,
            limit_note=self.limit_note,
            warned=self.warned,
        )

    @property
    def project_id(self) -> ProjectId | None:
        """Where it is asked."""
        return self.turn.project_id

    @property
    def most_tokens(self) -> int:
        """Of the longest answer that is reckoned with."""
        return self.context.answer_tokens

    @property
    def used_tokens(self) -> int:
        """What the request that goes on was sent and has written by now; 0: nobody was asked."""
        used = self._used(is_over=True, is_whole=True)
        return used.input_tokens + used.output_tokens

    def counted(self, place: Place) -> None:
        """Tell the followers of limits that were passed."""
        if place.warnings:
            self.passed(place.warnings)

    def passed(self, warnings: Sequence[str]) -> None:
        """Tell the followers of limits that were passed."""
        self.limit_note = " ".join(dict.fromkeys([*self.limit_note.splitlines(), *warnings]))
        self._tell_who()

    @property
    def warned(self) -> str:
        """The filters that found what the person is to know of, with commas between."""
        return ",".join(dict.fromkeys(one.kind for one in self.found if one.action is FilterAction.WARN))

    def filtered(self, found: Sequence[Found], masked: Mapping[str, str]) -> None:
        """Note what filters have found, and tell the followers of what the person is to know."""
        before = self.warned
        self.found += found
        self.masked |= masked
        if self.warned != before:
            self.log.append(WarnedEvent(warned=self.warned))

    @property
    def instead_of(self) -> str:
        """The model that was asked first and did not answer; empty: this one was."""
        # Another deployment of the same model is no other model, unless one had begun to answer.
        others = (one.model for one in self.tries if self.broke_off or one.model != self.target.display_name)
        return next(others, "")

    @property
    def needs_tools(self) -> bool:
        """Whether a model that calls no tools is of no use: a chat's answers are written without them too."""
        return False

    @property
    def sent_tokens(self) -> int:
        """What is sent, estimated."""
        return self.rounds.now.input_tokens

    @property
    def cache_use(self) -> CacheUse | None:
        """How it uses answers that are there: not at all once tools were used, or to go on with a text."""
        return None if self.rounds.over or self.turn.opening else self.use

    def cached(self, repeated: Repeated | None) -> None:
        """Note that the answer was there already, or is another's; None: it is made for this one."""
        self.repeated, now = repeated, self.rounds.now
        now.is_cached = repeated is not None
        if repeated is None:
            self.called(1)

    @property
    def models(self) -> None:
        """Those that may be asked: all that the person may."""
        return

    def prompt_for(self, target: ModelTarget, prompt: Prompt) -> Prompt:
        """Return the prompt as a model takes it."""
        return replace(prompt, model=target.name, tools=prompt.tools if target.can_use_tools else ())

    def moved(self, target: ModelTarget, error: LLMUIError) -> None:
        """Note that another model is asked, for this one does not answer or is too dear, and tell the followers."""
        before, now_s, has_shown = self.target, time.monotonic(), self.rounds.now.first_at is not None
        waited_ms = (now_s - (self.rounds.now.tried_at or now_s)) * 1000
        is_first = not self.rounds.over and not has_shown
        if has_shown:
            self.broke_off = self.broke_off or len(self.text) > self._round_began
            self._end_round((), is_whole=False)
        self.tries.append(tried(before, error, self.actor.role, ms=waited_ms, is_first=is_first))
        self.target = target
        self.rounds.move(target.calibration.factor / before.calibration.factor, target.prices, is_further=has_shown)
        if not isinstance(error, ProviderError):
            self.limit_note = storable(error.message)
        self._tell_who()

    def _tell_who(self) -> None:
        self.log.append(
            StandInEvent(
                model_name=self.target.display_name, provider_name=self.target.provider_name,
                auto_name=self._auto_name, instead_of=self.instead_of, broke_off=self.broke_off,
                limit_note=self.limit_note,
            )
        )  # fmt: skip

    def continued(self, prompt: Prompt) -> Prompt | None:
        """Return the prompt that goes on from what was shown of the answer."""
        self.end_text()
        said = self.text[self._round_began :]
        if not said.strip():
            return prompt
        more = PromptMessage("assistant", said), PromptMessage("user", GO_ON)
        return replace(prompt, messages=(*prompt.messages, *more))

    def answered_by(self) -> dict[str, object]:
        """Return the columns that say who answered where that is not who was asked, and what limits and filters did."""
        noted: dict[str, object] = {"limit_note": self.limit_note} if self.limit_note else {}
        noted |= {} if self.repeated is None else self.repeated.columns()
        if self.warned:
            noted["warned"] = self.warned
        if not self.tries:
            return noted
        return {
            **noted,
            "model_id": self.target.model_id,
            "model_name": self.target.display_name,
            "provider_id": self.target.provider_id,
            "provider_name": self.target.provider_name,
            "instead_of": self.instead_of,
            "broke_off": self.broke_off,
        }

    def retell(self) -> list[Wire]:
        """Return the run so far as few events, for those who come when the first ones are gone."""
        events = [wire(self.start_event(is_replay=True))]
        if self._reasoning.chars:
            events.append(("reasoning", {"token": self.reasoning, "offset": 0}))
        return [*events, *interleaved(self.text, self.steps.all)]

    def accepted(self, began: Began) -> None:
        """Note that the provider took the request."""
        self.rounds.now.request_id = began.request_id
        if not self.rounds.over:
            self.connect_ms = began.connect_ms

    def called(self, attempt: int) -> None:
        """Note that the provider is called."""
        self.attempts = max(attempt, self.attempts)
        self.rounds.now.called_at = time.monotonic()
        self.rounds.now.tried_at = self.rounds.now.tried_at or self.rounds.now.called_at
        self.started_at = self.started_at or now()

    @property
    def invented(self) -> int:
        """How many citations were taken out, because nothing was sent under their number."""
        return 0 if self._citations is None else self._citations.invented

    @property
    def cited(self) -> tuple[Source, ...] | None:
        """What the answer cites so far; None: it was given nothing to cite."""
        if self._citations is None:
            return None
        return tuple(one for one in self.sources or () if one.number in self._citations.cited)

    def add_text(self, delta: TextDelta) -> None:
        """Add a piece of the answer and tell the followers."""
        self._add(delta.text if self._citations is None else self._citations.feed(delta.text))

    def end_text(self) -> None:
        """Let go of what was held back, because it might have become a citation."""
        if self._citations is not None:
            self._add(self._citations.end())

    def _add(self, said: str) -> None:
        if said and self._is_after_step:
            self._is_after_step = False
            said = said if not self.has_text or self.text.endswith("\n") else f"\n\n{said.lstrip()}"
        index, offset = self._text.count, self._text.chars
        if index == 0 and self.thought_at is not None:
            self.thought_until = time.monotonic()
        if piece := self._text.add(said):
            self._mark()
            self.log.append_raw("token", {"token": piece, "index": index, "offset": offset})

    def add_reasoning(self, delta: ReasoningDelta) -> None:
        """Add a piece of the reasoning and tell the followers."""
        offset = self._reasoning.chars
        if piece := self._reasoning.add(delta.text):
            self._mark()
            self.thought_until = self.rounds.now.last_at
            self.thought_at = self.thought_at or self.rounds.now.last_at
            self.log.append_raw("reasoning", {"token": piece, "offset": offset})

    def begin_step(self, call: ToolCall) -> Step:
        """Tell the followers that a tool is called."""
        self.end_text()
        step = self.steps.begin(call, self.rounds.number, self._text.chars)
        self._is_after_step = True
        self._mark()
        self.log.append(ToolCallEvent(step=step))
        return step

    def end_step(self, step: Step, given: Given) -> Step:
        """Tell the followers what came of it; what it found can be cited from now on."""
        done = self.steps.end(step, given.text, is_error=given.is_error)
        if given.sources and self._citations is not None:
            self.sources = (*(self.sources or ()), *given.sources)
            self._citations.know([source.number for source in given.sources])
        self.log.append(ToolResultEvent(step=done, sources=given.sources))
        return done

    def end_steps(self) -> None:
        """Tell the followers of tools that were at work when the run ended."""
        for step in self.steps.stop():
            self.log.append(ToolResultEvent(step=step))

    def begin_round(self, steps: Sequence[Step]) -> None:
        """What these steps gave goes to the model."""
        self._end_round(steps, is_whole=True)

    def _end_round(self, steps: Sequence[Step], *, is_whole: bool) -> None:
        """Another request follows, with what these steps gave."""
        self._round_began, self.repeated = len(self.text), None
        said, thoughts = self._tokens_said, self._thoughts_count.of(self.reasoning)
        more = round(tokens_of(steps) * self.target.calibration.factor) + said - self.rounds.now.tokens_before
        used = self._used(is_over=True, is_whole=is_whole)
        if used.source == "estimate":
            called = sum(estimate(str(step.arguments)) for step in steps)
            used = used.model_copy(update={"output_tokens": used.output_tokens + called})
        self.rounds.next(used, more, said, thoughts)

    def report(self, delta: UsageDelta) -> None:
        """Take over the counts the provider reports; what it leaves out stays."""
        self.rounds.now.reported = self.rounds.now.reported.updated(delta)

    def end(self, ending: Ending) -> None:
        """Ask the run to end like this; the first asker wins."""
        if self.ending is None:
            self.ending = ending
        if self.streaming is not None:
            self.streaming.cancel()

    def usage(self, *, is_final: bool) -> Usage:
        """Return the tokens of all requests: the provider's where it has reported them, else estimates."""
        return self.rounds.total(self._last_used(is_final=is_final))

    def listed_rounds(self) -> list[dict[str, object]]:
        """Return the requests that the answer took, where it took several."""
        return self.rounds.listed(self._last_used(is_final=True))

    def _last_used(self, *, is_final: bool) -> Usage:
        is_whole = self.ending is None or self.ending.status is RunStatus.COMPLETED
        return self._used(is_over=is_final, is_whole=is_whole)

    def _used(self, *, is_over: bool, is_whole: bool) -> Usage:
        thoughts = self._thoughts_count.of(self.reasoning)
        return self.rounds.now.usage(self._tokens_said, thoughts, is_over=is_over, is_whole=is_whole)

    def learnt(self, usage: Usage) -> Calibration | None:
        """Return what is known of the model's tokens once its provider has counted; None where that is nothing new."""
        before = self.target.calibration
        if (
            self.tries
            or self.repeated is not None
            or usage.source != "provider"
            or any(message.files for message in self.context.messages)
        ):
            return None
        first = self.rounds.over[0][1] if self.rounds.over else usage
        after = before.learnt(round(self.context.input_tokens / before.factor), first.input_tokens)
        return after if after.is_news(before) else None

    def metrics(self, usage: Usage) -> Metrics:
        """Return the timings so far."""
        instant = time.monotonic()
        first, span = self.rounds.first, self.rounds.span_s
        return Metrics(
            queue_ms=_ms(self.received_at, first.called_at),
            context_ms=self.context.took_ms,
            connect_ms=self.connect_ms,
            ttft_ms=_ms(first.called_at, first.first_at),
            reasoning_ms=_ms(self.thought_at, self.thought_until),
            total_ms=_ms(self.received_at, instant),
            tokens_per_second=round(usage.output_tokens / span, 1) if span > 0.05 else None,
            attempts=self.attempts,
            **({} if self.repeated is None else self.repeated.told()),
        )

    def cost_usd(self) -> Decimal | None:
        """Return the price of the ended run, or None where a model has none."""
        return self.rounds.cost(self._last_used(is_final=True))

    def saved_usd(self) -> Decimal | None:
        """Return what it would have cost where its answer was there already; None: it was not, or nobody knows."""
        return self.rounds.saved(self._last_used(is_final=True))

    def _mark(self) -> None:
        self.rounds.now.mark()


def _ms(start: float | None, end: float | None) -> float | None:
    return None if start is None or end is None else round((end - start) * 1000, 1)
