"""Answers that are given again: those that are kept, and those that are on their way to somebody who asked the same.

Only whole answers are kept that ended by themselves, that the model gave which was asked, and in which nothing was
called. A question whose answer is on its way waits for that one, within one process.
"""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.exc import IntegrityError

from llm_ui.db import Database
from llm_ui.errors import LLMUIError
from llm_ui.kit.clock import now
from llm_ui.models import CachedAnswer
from llm_ui.observability.logging import get_logger
from llm_ui.providers.base import CallDelta, Delta, Finish, LogprobsDelta, Prompt, ReasoningDelta, TextDelta, UsageDelta
from llm_ui.runs.cache_key import CacheUse, Repeated, key_of
from llm_ui.runs.flights import Flight, Moved
from llm_ui.runs.similar import Asking, Similar
from llm_ui.services import cached_answers, settings
from llm_ui.services.settings import CACHE_SPEED
from llm_ui.services.targets import ModelTarget

log = get_logger(__name__)

PIECE_S = 0.05
"""Pieces that came within this time are kept as one: nobody sees the difference, and a tenth is stored."""
KINDS: dict[type[Delta], str] = {TextDelta: "text", ReasoningDelta: "reasoning", LogprobsDelta: "logprobs"}

OnMove = Callable[[ModelTarget, LLMUIError], Awaitable[None]]
"""Told who is asked next, and why. What it raises ends the question."""
Fresh = Callable[[OnMove], AsyncGenerator[Delta]]
"""Asks a model."""


class Cacheable(Protocol):
    """A question, as far as it matters whether its answer is there already."""

    target: ModelTarget

    @property
    def cache_use(self) -> CacheUse | None:
        """How it uses what is kept; None: not at all."""
        ...

    def prompt_for(self, target: ModelTarget, prompt: Prompt) -> Prompt:
        """Return the prompt as a model takes it."""
        ...

    def cached(self, repeated: Repeated | None) -> None:
        """The answer was there already, or is another's; None: it is made for this one."""
        ...


@dataclass(slots=True)
class _Follower:
    """Whoever follows an answer that is on its way."""

    question: Cacheable
    began_at: datetime

    def served(self, *, is_free: bool) -> None:
        """The answer is paid by somebody else from now on, or no longer."""
        self.question.cached(Repeated(self.began_at) if is_free else None)


class Cache:
    """What is kept, and what is on its way. One in each process of the LLM API."""

    def __init__(self, database: Database, similar: Similar) -> None:
        self._database = database
        self._similar = similar
        self._flights: dict[str, tuple[Flight, datetime]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Return once all that is on its way is over and kept."""
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._similar.close()

    async def stream(self, question: Cacheable, prompt: Prompt, fresh: Fresh, on_move: OnMove) -> AsyncGenerator[Delta]:
        """Yield the answer: one that is there, or a new one. Raises what `fresh` raises."""
        use = question.cache_use
        deltas = fresh(on_move) if use is None else self._answer(question, use, prompt, fresh, on_move)
        async with aclosing(deltas):
            async for delta in deltas:
                yield delta

    async def _answer(
        self, question: Cacheable, use: CacheUse, prompt: Prompt, fresh: Fresh, on_move: OnMove
    ) -> AsyncGenerator[Delta]:
        sent = question.prompt_for(question.target, prompt)
        key = await key_of(use, question.target, sent)
        kept, asking = await self._look(use, key, question.target, sent)
        if kept is not None:
            question.cached(kept.repeated)
            async for delta in kept.deltas():
                yield delta
            return
        flight, began_at = self._flights.get(key, (None, now())) if use.may_read else (None, now())
        follower, is_first = _Follower(question, began_at), flight is None
        if flight is None:
            flight = self._begin(_New(key, use, asking), follower, fresh, on_move)
        else:
            question.cached(Repeated(began_at))
        async with aclosing(flight.follow(follower)) as pieces:
            async for piece in pieces:
                if not isinstance(piece, Moved):
                    yield piece
                elif not is_first:
                    await on_move(piece.target, piece.error)

    def _begin(self, new: "_New", first: _Follower, fresh: Fresh, on_move: OnMove) -> Flight:
        """Ask. Others who ask the same follow, unless somebody asks it already and this is to be another answer."""
        flight, target, key = Flight(), first.question.target, new.key

        async def move(target: ModelTarget, error: LLMUIError) -> None:
            if not flight.is_paid_by(first):
                # Whoever asked has gone, and with it what it could have asked instead.
                raise error
            flight.moved(target, error)
            await on_move(target, error)

        async def take_in() -> AsyncGenerator[Delta]:
            async with aclosing(fresh(move)) as deltas:
                async for delta in deltas:
                    yield delta
            if new.use.may_keep:
                await self._keep(new, target, flight.pieces)

        task = flight.start(take_in, self._tasks)
        if key not in self._flights:
            self._flights[key] = flight, first.began_at
            task.add_done_callback(lambda _: self._flights.pop(key, None))
        return flight

    async def _look(
        self, use: CacheUse, key: str, target: ModelTarget, prompt: Prompt
    ) -> tuple["_Kept | None", Asking | None]:
        """Return the answer to this question or to one that means the same, else what it is to be kept with."""
        if use.may_read and key in self._flights:
            return None, None
        kept = await self._find(key) if use.may_read else None
        if kept is not None or not use.is_similar:
            return kept, None
        asking = await self._similar.asking(use, target, prompt)
        repeated = None if asking is None else await asking.nearest()
        if repeated is not None and repeated.key is not None and (found := await self._find(repeated.key)) is not None:
            return replace(found, repeated=repeated), None
        return None, asking

    async def _find(self, key: str) -> "_Kept | None":
        try:
            async with self._database.reading() as session:
                found = await cached_answers.find(session, key)
                speed = await settings.get(session, CACHE_SPEED) if found is not None else ""
        except LLMUIError as error:
            log.warning("cache.not_read", code=error.code)
            return None
        return None if found is None else _Kept(found, Repeated(found.created_at), is_natural=speed == "natural")

    async def _keep(self, new: "_New", target: ModelTarget, pieces: Sequence[tuple[float, Delta | Moved]]) -> None:
        made = kept_of(pieces)
        if made is None:
            return
        (told, usage), use = made, new.use
        vector = None if new.asking is None else await new.asking.vector()
        meaning: dict[str, Any] = {}
        if new.asking is not None and vector is not None:
            meaning = {"group_key": new.asking.group, "question": new.asking.question, "vector": vector}
        row = CachedAnswer(
            key=new.key, user_id=use.user_id, project_id=use.project_id, chat_id=use.chat_id, model_id=target.model_id,
            pieces=told, size_bytes=len(json.dumps(told)), input_tokens=usage.input_tokens,
            cached_tokens=usage.cached_tokens, output_tokens=usage.output_tokens,
            reasoning_tokens=usage.reasoning_tokens, created_at=now(), **meaning,
        )  # fmt: skip
        try:
            async with self._database.writing() as session:
                await cached_answers.keep(session, row)
        except (LLMUIError, IntegrityError) as error:
            # Its model or chat may have gone meanwhile, or another process have kept the same.
            log.warning("cache.not_kept", error=type(error).__name__)


def kept_of(pieces: Sequence[tuple[float, Delta | Moved]]) -> tuple[list[Any], UsageDelta] | None:
    """Return an answer as it is kept, and what it used; None: it is none that is given again."""
    told: list[Any] = []
    usage, began, has_text, end = UsageDelta(), pieces[0][0] if pieces else 0.0, False, ""
    for at, piece in pieces:
        match piece:
            case TextDelta() | ReasoningDelta() | LogprobsDelta():
                _add(told, round((at - began) * 1000), piece)
                has_text = has_text or (isinstance(piece, TextDelta) and bool(piece.text))
            case UsageDelta():
                usage = usage.updated(piece)
            case Finish():
                end = piece.reason
            case Moved() | CallDelta():
                return None
            case _:
                pass
    return (told, usage) if has_text and end == "stop" else None


def _add(told: list[Any], ms: int, piece: TextDelta | ReasoningDelta | LogprobsDelta) -> None:
    kind = KINDS[type(piece)]
    said: Any = list(piece.tokens) if isinstance(piece, LogprobsDelta) else piece.text
    if told and told[-1][1] == kind and ms - told[-1][0] < PIECE_S * 1000:
        told[-1][2] += said
    else:
        told.append([ms, kind, said])


@dataclass(frozen=True, slots=True)
class _New:
    """An answer that is not there yet."""

    key: str
    use: CacheUse
    asking: Asking | None
    """For whoever means the same; None: for whoever asks the very same only."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """An answer that is given again."""

    row: CachedAnswer
    repeated: Repeated
    """What is said of it."""
    is_natural: bool
    """Whether it comes as fast as it was written, and not at once."""

    async def deltas(self) -> AsyncGenerator[Delta]:
        """Yield it as a provider would."""
        began = time.monotonic()
        for ms, kind, said in self.row.pieces:
            if self.is_natural and (left := began + ms / 1000 - time.monotonic()) > 0:
                await asyncio.sleep(left)
            yield _delta(kind, said)
        row = self.row
        yield UsageDelta(row.input_tokens, row.cached_tokens, row.output_tokens, row.reasoning_tokens)
        yield Finish("stop")


def _delta(kind: str, said: Any) -> Delta:
    match kind:
        case "reasoning":
            return ReasoningDelta(said)
        case "logprobs":
            return LogprobsDelta(tuple(said))
        case _:
            return TextDelta(said)
