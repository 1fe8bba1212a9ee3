"""Asking a model and, where it gives nothing, those that stand in for it: the same for chats and for scripts."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Protocol

import httpx2

from llm_ui.config import Config
from llm_ui.db import Database, ReadSession
from llm_ui.errors import BudgetSpent, LLMUIError, ProviderError, ProviderFault, TooManyRequests
from llm_ui.kit.clock import now
from llm_ui.kit.encryption import Sealer
from llm_ui.kit.ids import ModelId, ProviderId
from llm_ui.models import LimitAction, ProviderKind
from llm_ui.observability.logging import get_logger
from llm_ui.providers.base import Began, Delta, Endpoint, Prompt, Timeouts
from llm_ui.providers.registry import adapter
from llm_ui.runs.balance import Balance
from llm_ui.runs.bare import bare
from llm_ui.runs.breakers import Breakers
from llm_ui.runs.bulkhead import Bulkhead
from llm_ui.runs.cache_key import CacheUse, Repeated
from llm_ui.runs.cached import Cache, OnMove
from llm_ui.runs.embeddings import Embeddings
from llm_ui.runs.endpoints import endpoint_of
from llm_ui.runs.filters.filters import Filters
from llm_ui.runs.filters.guard import Guard
from llm_ui.runs.hedging import soonest
from llm_ui.runs.keyring import Keyring, keys_of
from llm_ui.runs.limiter import Counted, Limiter, Place
from llm_ui.runs.resilience import Call, Resilience, is_shown
from llm_ui.runs.router import Router
from llm_ui.runs.similar import Similar
from llm_ui.services import service_level, settings
from llm_ui.services.access import Actor
from llm_ui.services.deployments import deployment_targets
from llm_ui.services.filters import Found
from llm_ui.services.providers import mark_key_refused
from llm_ui.services.reach import SealedKey
from llm_ui.services.service_level import Level
from llm_ui.services.settings import CONTINUE_ELSEWHERE
from llm_ui.services.stand_ins import stand_in_targets
from llm_ui.services.targets import ModelTarget
from llm_ui.services.targets import target as find_target

log = get_logger(__name__)

LAST_WORDS = frozenset({ProviderFault.CONTENT_FILTERED, ProviderFault.BAD_REQUEST, ProviderFault.ANSWER_TOO_LARGE})
"""Faults of what was asked and not of who was: nobody else is asked the same after these."""


class Question(Counted, Protocol):
    """What is asked, of whom and by whom. `OnMove` changes the target: who is asked now."""

    held_up: BudgetSpent | None
    """What leaves it to a cheaper model only: a limit of money."""

    @property
    def needs_tools(self) -> bool:
        """Whether a model that calls no tools is of no use."""
        ...

    @property
    def models(self) -> frozenset[ModelId] | None:
        """Those that may be asked; None: all that the actor may."""
        ...

    def prompt_for(self, target: ModelTarget, prompt: Prompt) -> Prompt:
        """Return the prompt as a model takes it."""
        ...

    def continued(self, prompt: Prompt) -> Prompt | None:
        """Return the prompt that goes on from what was shown of the answer; None: nobody can go on with it."""
        ...

    def called(self, attempt: int) -> None:
        """The provider is called, for the first time or once more."""
        ...

    @property
    def cache_use(self) -> CacheUse | None:
        """How it uses answers that are there; None: not at all."""
        ...

    def cached(self, repeated: Repeated | None) -> None:
        """The answer was there already, or is another's; None: it is made for this one."""
        ...

    def counted(self, place: Place) -> None:
        """It was let through: what is left of limits, and which ones were passed."""
        ...

    def filtered(self, found: Sequence[Found], masked: Mapping[str, str]) -> None:
        """Filters have found this; what the provider does not see, by what it sees in its place."""
        ...


@dataclass(slots=True)
class _Turn:
    """A question on its way to an answer: who has been let through, and who is left to be asked."""

    question: Question
    on_move: OnMove
    guard: Guard | None
    place: Place | None
    """What it holds of limits."""
    key: SealedKey | None = None
    left: list[ModelTarget] | None = None
    """None: they have not been looked up."""

    @property
    def is_alone(self) -> bool:
        """Whether nobody else is left to be asked."""
        return not self.question.target.has_stand_ins if self.left is None else not self.left


class Asker:
    """Asks models. One in each process of the LLM API, so that all who ask know of a provider that is down."""

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        http: httpx2.AsyncClient,
        config: Config,
        limiter: Limiter,
        breakers: Breakers,
        embeddings: Embeddings,
    ) -> None:
        self._database = database
        self.limiter = limiter
        self._sealer = sealer
        self._breakers = breakers
        self._resilience = Resilience(http, breakers=breakers)
        self._keys = Keyring()
        self._balance = Balance(self._keys)
        self._bulkhead = Bulkhead()
        self.router = Router(self._balance, self.left_alone)
        self.cache = Cache(database, Similar(database, embeddings))
        self.filters = Filters(database, sealer, http)
        self._timeouts = Timeouts(
            config.connect_timeout_s, config.first_byte_timeout_s, config.idle_timeout_s, config.total_timeout_s
        )

    async def stream(self, question: Question, prompt: Prompt, on_move: OnMove) -> AsyncGenerator[Delta]:
        """Yield the answer as it is shown: one that is there, or whoever gives it.

        Raises `ProviderError` of the one that was asked last, `ContentBlocked` when a filter stops it, and
        `TooManyRequests` and `BudgetSpent` at limits that no cheaper model helps with, `NothingAnswers` while no model
        of the workspace can be reached.
        """
        has_filters = question.target.has_filters
        guard = await self.filters.guard(question.actor, question.filtered) if has_filters else None

        def fresh(moved: OnMove) -> AsyncGenerator[Delta]:
            return self._ask(question, prompt, moved, guard)

        if guard is None:
            deltas = self.cache.stream(question, prompt, fresh, on_move)
        else:
            # What is kept was looked through by nobody, and what is masked stands for something else each time.
            deltas = guard.answered(fresh(on_move))
        async with aclosing(deltas):
            async for delta in deltas:
                yield delta

    async def _ask(
        self, question: Question, prompt: Prompt, on_move: OnMove, guard: Guard | None
    ) -> AsyncGenerator[Delta]:
        turn = _Turn(question, on_move, guard, await self._enter(question, prompt, on_move))
        try:
            while True:
                has_shown, turn.key = False, self._keys.pick(question.target)
                try:
                    async with aclosing(self._answer(turn, prompt)) as deltas:
                        async for delta in deltas:
                            has_shown = has_shown or is_shown(delta)
                            yield delta
                except ProviderError as error:
                    has_other_key = await self._failed(question.target, turn.key, error)
                    further = None if error.fault in LAST_WORDS else await self._further(question, prompt, has_shown)
                    if further is None:
                        raise
                    prompt = further
                    if has_other_key and not has_shown:
                        continue
                    left = await self._left(turn, prompt, error.fault)
                    if not left:
                        await self._refuse_all(has_shown)
                        raise
                    await self._move(turn, left.pop(0), error)
                else:
                    return
        finally:
            await self._leave(turn.place, question)

    def _answer(self, turn: "_Turn", prompt: Prompt) -> AsyncGenerator[Delta]:
        """Return the answer of the model whose turn it is, or of one that is asked beside it and is sooner."""
        question = turn.question
        first = self._once(turn, question.target, turn.key, prompt, question.called)
        hedge_s = self.timeouts(question.target).hedge_s
        if hedge_s is None or turn.is_alone:
            return first
        beside: list[tuple[ModelTarget, SealedKey | None]] = []

        async def another() -> AsyncGenerator[Delta] | None:
            resting = self.left_alone()
            left = await self._left(turn, prompt, ProviderFault.TIMED_OUT)
            able = [one for one in left if one.provider_id not in resting]
            if not able:
                return None
            left.remove(able[0])
            beside.append((able[0], self._keys.pick(able[0])))
            return self._beside(turn, *beside[0], prompt)

        async def moved() -> None:
            target, key = beside[0]
            await self._move(turn, target, _slower(question.target, hedge_s))
            turn.key = key
            question.called(1)

        return soonest(first, hedge_s, another, moved)

    async def _beside(
        self, turn: "_Turn", target: ModelTarget, key: SealedKey | None, prompt: Prompt
    ) -> AsyncGenerator[Delta]:
        """Yield the answer of a model that is asked beside the one whose turn it is."""
        try:
            async with aclosing(self._once(turn, target, key, prompt, lambda _: None)) as deltas:
                async for delta in deltas:
                    yield delta
        except ProviderError as error:
            # Once it is the one that answers, its faults are seen to as anybody's.
            if turn.question.target is not target:
                await self._failed(target, key, error)
            raise

    async def _left(self, turn: "_Turn", prompt: Prompt, fault: ProviderFault) -> list[ModelTarget]:
        """Return who can be asked in the place of the one that failed so, the first one first."""
        found = await self._stand_ins(turn.question) if turn.left is None else turn.left
        turn.left = [one for one in found if suits(turn.question, prompt, one, fault)]
        return turn.left

    async def _move(self, turn: "_Turn", target: ModelTarget, error: ProviderError) -> None:
        """Let another model answer, within its own limits."""
        place, turn.place = turn.place, None
        await self._leave(place, turn.question)
        await turn.on_move(target, error)
        turn.place = await self.limiter.enter(turn.question)

    async def _enter(self, question: Question, prompt: Prompt, on_move: OnMove) -> Place | None:
        """Let a question through, to a cheaper model where a limit wants that."""
        held_up: LLMUIError | None = question.held_up
        # An *Auto* model goes by what is left of a budget, whatever that leads to for others.
        others = list(question.target.others)
        cheaper: list[ModelTarget] | None = None
        while True:
            try:
                if held_up is not None:
                    raise held_up
                place = await self.limiter.enter(question)
            except (BudgetSpent, TooManyRequests) as limit:
                held_up = None
                may_leave = limit.leads_to == LimitAction.SWITCH
                if not may_leave and not others:
                    raise
                if cheaper is None:
                    found = await self._stand_ins(question) if may_leave else others
                    # What an experiment asks in the place of another model is no reason to get nothing.
                    is_split = question.target.asked_id is not None
                    cheaper = [one for one in found if is_split or _costs_less(one, question.target)]
                cheaper = [one for one in cheaper if suits(question, prompt, one, ProviderFault.SPEND_LIMIT)]
                if not cheaper:
                    raise
                try:
                    await on_move(cheaper.pop(0), limit)
                except BudgetSpent as still:
                    held_up = still
            else:
                if place is not None:
                    question.counted(place)
                return place

    async def _leave(self, place: Place | None, question: Question) -> None:
        """Settle what a question has taken of its limits, also of one that is given up."""
        if place is not None:
            await asyncio.shield(asyncio.ensure_future(self.limiter.leave(place, question.used_tokens)))

    async def _once(
        self,
        turn: "_Turn",
        target: ModelTarget,
        key: SealedKey | None,
        prompt: Prompt,
        called: Callable[[int], None],
    ) -> AsyncGenerator[Delta]:
        """Yield the answer of one model, asked with one key."""
        timeouts, is_alone = self.timeouts(target), turn.is_alone
        prompt = await bare(turn.question.prompt_for(target, prompt))
        prompt = prompt if turn.guard is None else await turn.guard.sent(prompt)
        call = Call(
            adapter(target.kind), endpoint_of(self._sealer, target, key), prompt,
            target.provider_id, timeouts, is_patient=is_alone and len(keys_of(target)) <= 1,
        )  # fmt: skip
        place = self._bulkhead.place(target, longest_s=timeouts.first_byte_s if is_alone else 0)
        with self._balance.asked(target) as begun:
            async with place, aclosing(self._resilience.stream(call, called)) as deltas:
                async for delta in deltas:
                    if isinstance(delta, Began):
                        self._keys.told(key, delta.left)
                    elif is_shown(delta):
                        begun()
                    yield delta

    async def _failed(self, target: ModelTarget, key: SealedKey | None, error: ProviderError) -> bool:
        """Note a fault; return whether the same can be asked with another key at once."""
        if error.fault is ProviderFault.KEY_REFUSED and target.kind is not ProviderKind.DEMO:
            await self._mark_refused(target)
        return self._keys.failed(target, key, error)

    async def deployed(self, session: ReadSession, actor: Actor, target: ModelTarget) -> ModelTarget:
        """Return who is asked of those that serve under a model's name; those that are left alone last."""
        if target.share.balancing is None:
            return target
        found, resting = await deployment_targets(session, actor, target), self.left_alone()
        well = [one for one in found if one.provider_id not in resting]
        picked = self._balance.pick(well or found, target.share.balancing)
        return replace(picked, choice=target.choice, others=target.others, split=target.split, asked_id=target.asked_id)

    async def deployment(self, actor: Actor, target: ModelTarget) -> ModelTarget:
        """Return the same, read in a transaction of its own."""
        if target.share.balancing is None:
            return target
        async with self._database.reading() as session:
            return await self.deployed(session, actor, target)

    def left_alone(self) -> frozenset[ProviderId]:
        """Return the providers that failed several times in a row and get no calls for a while."""
        return self._breakers.left_alone()

    def endpoint(self, target: ModelTarget) -> Endpoint:
        """Return where a model is, with the key."""
        return endpoint_of(self._sealer, target, self._keys.pick(target))

    def timeouts(self, target: ModelTarget) -> Timeouts:
        """Return how long a model is waited for."""
        return replace(self._timeouts, **target.reach.timeouts)

    async def _mark_refused(self, target: ModelTarget) -> None:
        """Let administrators see that a key was refused."""
        try:
            async with self._database.writing() as session:
                await mark_key_refused(session, target.provider_id)
        except LLMUIError as error:
            log.warning("key.refusal_not_noted", provider_id=target.provider_id, code=error.code)

    async def _further(self, question: Question, prompt: Prompt, has_shown: bool) -> Prompt | None:
        """Return what somebody else can be asked now; None: nothing, for a part of the answer was shown."""
        further = question.continued(prompt) if has_shown else prompt
        if not has_shown or further is None:
            return further
        try:
            async with self._database.reading() as session:
                return further if await settings.get(session, CONTINUE_ELSEWHERE) else None
        except LLMUIError:
            return None

    async def _refuse_all(self, has_shown: bool) -> None:
        """Raise `NothingAnswers` where it was not this model alone that could not be reached."""
        if has_shown:
            return
        try:
            async with self._database.reading() as session:
                service = await service_level.read(session, now())
        except LLMUIError:
            return
        if service.level in (Level.CACHED, Level.STATIC):
            raise service.refusal()

    async def _stand_ins(self, question: Question) -> list[ModelTarget]:
        if not question.target.has_stand_ins:
            return []
        candidates = question.target.others
        try:
            async with self._database.reading() as session:
                share = question.target.share
                # Whoever asked it itself, and not the name it serves under, gets its own stand-ins.
                serves_id = (share.serves_id if share.balancing else None) or question.target.model_id
                own = await self._others(session, question, serves_id)
                found = await stand_in_targets(session, question.actor, serves_id)
        except LLMUIError as error:
            log.warning("stand_ins.not_read", model_id=question.target.model_id, code=error.code)
            return []
        # Whoever may ask a model may ask all that serve under its name.
        able = [*own, *(one for one in found if question.models is None or one.model_id in question.models)]
        known = {one.model_id for one in able}
        return [*able, *(one for one in candidates if one.model_id not in known)]

    async def _others(self, session: ReadSession, question: Question, serves_id: ModelId) -> list[ModelTarget]:
        """Return those that serve under the same name as the one that is asked."""
        asked = question.target
        if asked.share.balancing is None:
            return []
        named = asked if asked.model_id == serves_id else await find_target(session, question.actor, serves_id)
        found = await deployment_targets(session, question.actor, named)
        return [one for one in found if one.model_id != asked.model_id]


def _slower(target: ModelTarget, seconds: float) -> ProviderError:
    return ProviderError(
        "{name} had said nothing after {seconds} seconds, so another model was asked beside it, which was faster.",
        ProviderFault.TIMED_OUT,
        name=target.display_name,
        seconds=f"{seconds:g}",
    )


def _costs_less(one: ModelTarget, other: ModelTarget) -> bool:
    """Return whether a model costs less than another one, for as much read as written."""
    prices = one.prices.input_usd_per_mtok, one.prices.output_usd_per_mtok
    others = other.prices.input_usd_per_mtok, other.prices.output_usd_per_mtok
    known, known_of_other = [each for each in prices if each is not None], [each for each in others if each is not None]
    return len(known) == len(known_of_other) == len(prices) and sum(known) < sum(known_of_other)


def suits(question: Question, prompt: Prompt, target: ModelTarget, fault: ProviderFault) -> bool:
    """Return whether a model can be asked this in the place of the one that failed so."""
    messages = prompt.messages
    if not target.can_see_images and any(message.images for message in messages):
        return False
    has_called = any(message.calls for message in messages)
    if not target.can_use_tools and (has_called or (question.needs_tools and prompt.tools)):
        return False
    window, before = target.context_window, question.target
    if fault is ProviderFault.CONTEXT_TOO_LONG and (window is None or window <= (before.context_window or 0)):
        return False
    sent = question.sent_tokens / before.calibration.factor * target.calibration.factor
    return window is None or sent < window
