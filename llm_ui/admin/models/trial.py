"""A model that is tried out on the models page: asked one question at a time, the answer told as it is written."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import param

from llm_ui.admin.models import trial_rows
from llm_ui.admin.numbers import seconds, whole
from llm_ui.admin.state import AdminState, action, required
from llm_ui.contract import (
    MAX_ANSWER_TOKENS,
    MAX_TEMPERATURE,
    CompleteEvent,
    ErrorEvent,
    ReasoningEvent,
    RunEvent,
    StartEvent,
    TokenEvent,
)
from llm_ui.contract.stand_ins import StandInEvent
from llm_ui.contract.trials import MAX_EMBEDDED_CHARS, MAX_SYSTEM_CHARS, TrialRequest
from llm_ui.errors import InvalidInput, LLMUIError
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import later, told
from llm_ui.kit.ids import ModelId, RunId
from llm_ui.kit.text import storable
from llm_ui.observability.logging import get_logger
from llm_ui.services import ai_models
from llm_ui.services.access import Actor
from llm_ui.services.ai_models import ModelInfo
from llm_ui.ui.names import shown_name

log = get_logger(__name__)

TRY = "try"
FLUSH_S = 0.05
"""Between two pieces of text that a page is told; the first goes at once."""
TEMPERATURE_REFUSED = later("The temperature must be a number from 0 to 2, such as 0.7, or empty.")
LENGTH_REFUSED = later("The longest answer must be a whole number of tokens, such as 128000, or empty.")

Told = dict[str, Any]


@dataclass(slots=True)
class Try:
    """One question and what has come of it."""

    key: str
    """By which the page knows it; what is told of an older one is nothing to it."""
    by: StartEvent | StandInEvent | None = None
    run_id: RunId | None = None
    text: str = ""
    told_chars: int = 0
    is_thinking: bool = False
    is_stop_asked: bool = False
    end: Told | None = None
    flush: asyncio.TimerHandle | None = field(default=None, repr=False)


class TrialState(AdminState):
    """Which model is tried out, what was typed, and the answer that is being written."""

    model = param.Parameter(doc="The model whose panel is open, or None.")
    prompt = param.String(default="", doc="What it is asked.")
    system = param.String(default="", doc="What it is told beforehand.")
    temperature = param.String(default="", doc="Its temperature; empty: the provider's.")
    max_tokens = param.String(default="", doc="Longest answer in tokens; empty: the provider's.")

    fields = ("prompt", "system", "temperature", "max_tokens")

    tell: Callable[[Told], None]
    """Tells the page something; set by the page."""
    _try: Try | None = None
    _task: asyncio.Task[None] | None = None

    @action
    async def open(self, actor: Actor, model_id: ModelId) -> None:
        """Open the panel of a model."""
        async with self.context.backend.database.reading() as session:
            self.model = await ai_models.get_model(session, actor, model_id)
        self.sheet = TRY

    def begin(self, key: str) -> None:
        """Ask what was typed. One that is under way is stopped."""
        self.leave()
        asked = self._try = Try(key)
        self._task = asyncio.get_running_loop().create_task(self._ask(asked))

    def again(self) -> None:
        """Tell a page that was drawn anew what it has missed."""
        if self._try is not None:
            self._try.told_chars = 0
            self._flush(self._try)

    async def stop(self) -> None:
        """End the answer and keep what was said."""
        if self._try is not None and self._try.end is None:
            self._try.is_stop_asked = True
            await self._stop_run(self._try)

    def leave(self) -> None:
        """The page is gone, or asks anew: what is under way is ended, and nothing of it told."""
        if self._task is not None and not self._task.done():
            self._task.cancel()

    async def _ask(self, asked: Try) -> None:
        try:
            actor = await self.context.actor()
            model: ModelInfo = required(self.model)
            if model.makes_embeddings:
                asked.end = await self._embedded(actor, model)
            else:
                await self._answered(asked, self.llm(actor).chat_stream(self._request(asked, model)))
        except LLMUIError as refusal:
            asked.end = {"problem": told(refusal.message), "figures": []}
        except asyncio.CancelledError:
            await asyncio.shield(self._stop_run(asked))
            raise
        except Exception:
            log.exception("trial.crashed")
            asked.end = {"problem": _("This could not be done. Reload the page."), "figures": []}
        self._flush(asked)

    def _request(self, asked: Try, model: ModelInfo) -> TrialRequest:
        return TrialRequest(
            idempotency_key=asked.key,
            text=_text(self.prompt),
            model_id=model.id,
            system=_told_beforehand(self.system),
            temperature=_temperature(self.temperature),
            max_tokens=_length(self.max_tokens),
        )

    async def _embedded(self, actor: Actor, model: ModelInfo) -> Told:
        made = await self.llm(actor).test_embedding(model.id, _text(self.prompt, MAX_EMBEDDED_CHARS))
        if not made.is_ok:
            return {"problem": told(made.message), "figures": []}
        return {"figures": trial_rows.of_vector(made, shown_name(model.display_name), model.provider_name)}

    async def _answered(self, asked: Try, stream: Any) -> None:
        async with aclosing(stream) as events:
            async for numbered in events:
                await self._take(asked, numbered.event)

    async def _take(self, asked: Try, event: RunEvent) -> None:
        match event:
            case StartEvent():
                asked.run_id, asked.by, asked.text = RunId(event.run_id), event, ""
                if asked.is_stop_asked:
                    await self._stop_run(asked)
            case StandInEvent():
                asked.by = event
            case ReasoningEvent():
                asked.is_thinking = True
            case TokenEvent():
                asked.text, asked.is_thinking = asked.text[: event.offset] + event.token, False
                asked.told_chars = min(asked.told_chars, event.offset)
            case CompleteEvent() | ErrorEvent():
                asked.end = trial_rows.of_answer(event, asked.by)
                return
            case _:
                return
        if asked.flush is None:
            self._flush(asked)
            asked.flush = asyncio.get_running_loop().call_later(FLUSH_S, self._flush_later, asked)

    def _flush_later(self, asked: Try) -> None:
        asked.flush = None
        if asked.end is None and len(asked.text) > asked.told_chars:
            self._flush(asked)

    def _flush(self, asked: Try) -> None:
        """Tell what is new. With its end all of it is told, so that it does not matter what came before."""
        if asked is not self._try:
            return
        at = 0 if asked.end is not None else asked.told_chars
        self.tell(
            {"key": asked.key, "at": at, "text": asked.text[at:], "is_thinking": asked.is_thinking, "end": asked.end}
        )
        asked.told_chars = len(asked.text)

    async def _stop_run(self, asked: Try) -> None:
        if asked.run_id is None or asked.end is not None:
            return
        try:
            await self.llm(await self.context.actor()).stop(UUID(str(asked.run_id)))
        except LLMUIError as error:
            log.info("trial.not_stopped", code=error.code)


def _text(typed: str, most: int | None = None) -> str:
    text = storable(typed)
    if not text.strip():
        raise InvalidInput("Write what the model is to be asked.")
    if most is not None and len(text) > most:
        raise InvalidInput("It may have {most} characters. Shorten it.", most=most)
    return text


def _told_beforehand(typed: str) -> str:
    return _text(typed, MAX_SYSTEM_CHARS).strip() if typed.strip() else ""


def _temperature(value: str) -> float | None:
    found = seconds(value, TEMPERATURE_REFUSED)
    if found is not None and not 0 <= found <= MAX_TEMPERATURE:
        raise InvalidInput(TEMPERATURE_REFUSED)
    return found


def _length(value: str) -> int | None:
    found = whole(value, LENGTH_REFUSED)
    if found is not None and not 1 <= found <= MAX_ANSWER_TOKENS:
        raise InvalidInput(LENGTH_REFUSED)
    return found
