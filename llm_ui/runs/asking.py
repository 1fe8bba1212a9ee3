"""Asking a model and, where it gives nothing, those that stand in for it: the same for chats and for scripts."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Protocol

import httpx2

from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.errors import LLMUIError, ProviderError, ProviderFault
from llm_ui.kit.encryption import Sealer
from llm_ui.kit.ids import ModelId, ProviderId
from llm_ui.models import ProviderKind
from llm_ui.observability.logging import get_logger
from llm_ui.providers.base import Began, Delta, Endpoint, Prompt, Timeouts
from llm_ui.providers.registry import adapter
from llm_ui.runs.bulkhead import Bulkhead
from llm_ui.runs.endpoints import endpoint_of
from llm_ui.runs.filters.filters import Filters
from llm_ui.runs.filters.guard import Guard
from llm_ui.runs.keyring import Keyring, keys_of
from llm_ui.runs.resilience import Call, Resilience, is_shown
from llm_ui.services import settings
from llm_ui.services.access import Actor
from llm_ui.services.ai_models import ModelTarget
from llm_ui.services.filters import Found
from llm_ui.services.providers import mark_key_refused
from llm_ui.services.reach import SealedKey
from llm_ui.services.settings import CONTINUE_ELSEWHERE
from llm_ui.services.stand_ins import stand_in_targets

log = get_logger(__name__)

LAST_WORDS = frozenset({ProviderFault.CONTENT_FILTERED, ProviderFault.BAD_REQUEST, ProviderFault.ANSWER_TOO_LARGE})
"""Faults of what was asked and not of who was: nobody else is asked the same after these."""

OnMove = Callable[[ModelTarget, ProviderError], Awaitable[None]]
"""Told who is asked next, and why. What it raises ends the question."""


class Question(Protocol):
    """What is asked, of whom and by whom."""

    target: ModelTarget
    """Who is asked now; `OnMove` changes it."""

    @property
    def actor(self) -> Actor:
        """Who asks."""
        ...

    @property
    def needs_tools(self) -> bool:
        """Whether a model that calls no tools is of no use."""
        ...

    @property
    def sent_tokens(self) -> int:
        """What is sent, as the model counts that is asked now; estimated."""
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

    def filtered(self, found: Sequence[Found], masked: Mapping[str, str]) -> None:
        """Filters have found this; what the provider does not see, by what it sees in its place."""
        ...


class Asker:
    """Asks models. One in each process of the LLM API, so that all who ask know of a provider that is down."""

    def __init__(self, database: Database, sealer: Sealer, http: httpx2.AsyncClient, config: Config) -> None:
        self._database = database
        self._sealer = sealer
        self._resilience = Resilience(http)
        self._keys = Keyring()
        self._bulkhead = Bulkhead()
        self.filters = Filters(database, sealer, http)
        self._timeouts = Timeouts(
            config.connect_timeout_s, config.first_byte_timeout_s, config.idle_timeout_s, config.total_timeout_s
        )

    async def stream(self, question: Question, prompt: Prompt, on_move: OnMove) -> AsyncGenerator[Delta]:
        """Yield the answer, whoever gives it, as it is shown.

        Raises `ProviderError` of the one that was asked last, and `ContentBlocked` when a filter stops it.
        """
        guard = await self.filters.guard(question.actor, question.filtered)
        answer = self._answer(question, prompt, on_move, guard)
        async with aclosing(answer), aclosing(answer if guard is None else guard.answered(answer)) as deltas:
            async for delta in deltas:
                yield delta

    async def _answer(
        self, question: Question, prompt: Prompt, on_move: OnMove, guard: Guard | None
    ) -> AsyncGenerator[Delta]:
        """Yield the answer, whoever gives it."""
        left: list[ModelTarget] | None = None
        is_alone = not question.target.has_stand_ins
        while True:
            has_shown, key = False, self._keys.pick(question.target)
            try:
                async with aclosing(self._once(question, prompt, key, guard, is_alone=is_alone)) as deltas:
                    async for delta in deltas:
                        has_shown = has_shown or is_shown(delta)
                        yield delta
            except ProviderError as error:
                has_other_key = await self._failed(question.target, key, error)
                further = None if error.fault in LAST_WORDS else await self._further(question, prompt, has_shown)
                if further is None:
                    raise
                prompt = further
                if has_other_key and not has_shown:
                    continue
                if left is None:
                    left = await self._stand_ins(question)
                left = [one for one in left if suits(question, prompt, one, error.fault)]
                if not left:
                    raise
                await on_move(left.pop(0), error)
                is_alone = not left
            else:
                return

    async def _once(
        self, question: Question, prompt: Prompt, key: SealedKey | None, guard: Guard | None, *, is_alone: bool
    ) -> AsyncGenerator[Delta]:
        """Yield the answer of one model, asked with one key."""
        target, timeouts = question.target, self.timeouts(question.target)
        prompt = question.prompt_for(target, prompt)
        prompt = prompt if guard is None else await guard.sent(prompt)
        call = Call(
            adapter(target.kind), endpoint_of(self._sealer, target, key), prompt,
            target.provider_id, timeouts, is_patient=is_alone and len(keys_of(target)) <= 1,
        )  # fmt: skip
        place = self._bulkhead.place(target, longest_s=timeouts.first_byte_s if is_alone else 0)
        async with place, aclosing(self._resilience.stream(call, question.called)) as deltas:
            async for delta in deltas:
                if isinstance(delta, Began):
                    self._keys.told(key, delta.left)
                yield delta

    async def _failed(self, target: ModelTarget, key: SealedKey | None, error: ProviderError) -> bool:
        """Note a fault; return whether the same can be asked with another key at once."""
        if error.fault is ProviderFault.KEY_REFUSED and target.kind is not ProviderKind.DEMO:
            await self._mark_refused(target)
        return self._keys.failed(target, key, error)

    def left_alone(self) -> frozenset[ProviderId]:
        """Return the providers that failed several times in a row and get no calls for a while."""
        return self._resilience.left_alone()

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

    async def _stand_ins(self, question: Question) -> list[ModelTarget]:
        if not question.target.has_stand_ins:
            return []
        try:
            async with self._database.reading() as session:
                found = await stand_in_targets(session, question.actor, question.target.model_id)
        except LLMUIError as error:
            log.warning("stand_ins.not_read", model_id=question.target.model_id, code=error.code)
            return []
        return [one for one in found if question.models is None or one.model_id in question.models]


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
