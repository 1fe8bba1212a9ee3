"""The filters around one request to a model: what goes there, what comes back, and what was found."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Protocol

from llm_ui.errors import ContentBlocked, ProviderError
from llm_ui.models import FilterAction, FilterKind
from llm_ui.providers.base import (
    CallDelta,
    Delta,
    Finish,
    Image,
    LogprobsDelta,
    Prompt,
    PromptMessage,
    ReasoningDelta,
    TextDelta,
)
from llm_ui.runs.filters.base import Finding, apart
from llm_ui.runs.filters.masking import PICTURE_REMOVED, REMOVED, Placeholders, replaced
from llm_ui.runs.filters.outgoing import Note, Outgoing, looked_at
from llm_ui.runs.filters.policy import Policy
from llm_ui.runs.filters.stops import stopped
from llm_ui.services.filters import Found, Rule

MOST_TEXTS = 20
"""That a provider's moderation judges at a time: of one question the newest ones."""
LONG_CHARS = 20_000
"""Longer prompts are looked through off the event loop: they take milliseconds."""
CHECKED_EACH_CHARS = 2_000
"""So often a provider's moderation looks at an answer that it may end, without holding it back."""
CONTEXT_CHARS = 1_000
"""Of what it has seen before, that it sees again then."""

Flagged = Callable[[Rule, Sequence[str]], Awaitable[list[frozenset[str]]]]
OnFound = Callable[[Sequence[Found], Mapping[str, str]], None]


class Look(Protocol):
    """What pictures are looked at with."""

    async def text(self, image: Image) -> str:
        """Return the text in a picture; empty where nobody can read it."""
        ...

    async def flagged(self, rule: Rule, image: Image) -> frozenset[str]:
        """Return what a provider's moderation flags of it. Raises `ContentBlocked`."""
        ...


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a text stands in a prompt."""

    is_new: bool = False
    """Whether it comes with this request; what was said before was looked at then."""
    is_asked: bool = False
    """Whether the person has just written it, who can word it differently."""
    is_told: bool = False
    """Whether it comes from outside: from a person, or from what a tool has found."""


class Guard:
    """The filters of one request. What it finds is handed to `on_found`, with what stands behind each placeholder."""

    def __init__(self, policy: Policy, flagged: Flagged, on_found: OnFound, look: "Look") -> None:
        self._policy = policy
        self._flagged = flagged
        self._look = look
        self._on_found = on_found
        self._placeholders = Placeholders()
        self._noted: list[Found] = []
        self._has_sent = False
        """Whether a model was asked; who is asked next is asked the same, so nothing is noted once more."""

    async def sent(self, prompt: Prompt, *, is_own: bool = True) -> Prompt:
        """Return what the model is sent. Raises `ContentBlocked`.

        `is_own` is false for what the product asks by itself: nobody can word it differently, so what would be stopped
        is taken out.
        """
        try:
            chars = len(prompt.system) + sum(map(_chars, prompt.messages))
            if chars > LONG_CHARS:
                masked = await asyncio.to_thread(self._masked, prompt, is_own)
            else:
                masked = self._masked(prompt, is_own)
            masked = await self._seen(masked, is_own=is_own)
            return await self._moderated(prompt, masked, is_own)
        finally:
            self._tell()
            self._has_sent = True

    async def embedded(self, texts: Sequence[str]) -> tuple[str, ...]:
        """Return texts as they are to become vectors: each by itself, so that its vector does not hang on those beside
        it. Nothing comes back of what is masked. Raises `ContentBlocked`."""
        try:
            masked = await asyncio.to_thread(lambda: tuple(map(self._alone, texts)))
            rule = self._policy.moderation
            if rule is None or rule.on_input is FilterAction.OFF:
                return masked
            for start in range(0, len(masked), MOST_TEXTS):
                for flagged in await self._flagged(rule, masked[start : start + MOST_TEXTS]):
                    for what in sorted(flagged):
                        self._note(rule.kind, what, rule.on_input, is_output=False)
                    if flagged and rule.on_input is FilterAction.BLOCK:
                        raise stopped(rule.kind, is_output=False)
            return masked
        finally:
            self._tell()

    def _alone(self, text: str) -> str:
        self._placeholders = Placeholders()
        self._placeholders.avoid([text])
        return self._text(text, _Place(is_new=True, is_asked=True, is_told=True))

    def restored(self, text: str) -> str:
        """Return a text with what stands behind its placeholders."""
        return self._placeholders.restored(text)

    async def answered(self, deltas: AsyncGenerator[Delta]) -> AsyncGenerator[Delta]:
        """Yield the answer as it is shown. Raises `ContentBlocked`, and what `deltas` raises."""
        note: Note = self._note_output
        said, thought = (Outgoing(self._policy, self._placeholders, note) for _ in range(2))
        answer = _Answer(said, thought)
        try:
            async with aclosing(deltas):
                async for delta in deltas:
                    for shown in await self._shown(delta, answer):
                        yield shown
        except ContentBlocked:
            for shown in answer.before_stop():
                yield shown
            raise
        except ProviderError:
            for held in answer.ends():
                yield held
            raise
        finally:
            self._tell()

    async def _shown(self, delta: Delta, answer: "_Answer") -> Sequence[Delta]:
        """Return what is shown of a piece of the answer."""
        match delta:
            case TextDelta():
                await self._take_in(delta.text, answer)
                piece = answer.said.feed(delta.text)
                return (TextDelta(piece),) if piece else ()
            case ReasoningDelta():
                piece = answer.thought.feed(delta.text)
                return (ReasoningDelta(piece),) if piece else ()
            case LogprobsDelta():
                # They spell out what was masked.
                return () if self._rewrites else (delta,)
            case CallDelta():
                held = answer.ends()
                arguments = _each_text(delta.call.arguments, answer.said.whole)
                return (*held, CallDelta(replace(delta.call, arguments=arguments)))
            case Finish():
                held = answer.ends()
                await self._ended(answer)
                return (*held, delta)
            case _:
                return (delta,)

    @property
    def _rewrites(self) -> bool:
        rewriting = (FilterAction.MASK, FilterAction.BLOCK)
        return bool(self._placeholders.values) or any(one in rewriting for one in self._policy.on_output.values())

    def _masked(self, prompt: Prompt, is_own: bool) -> Prompt:
        self._placeholders.avoid(_texts(prompt))
        messages = prompt.messages
        new = _new(messages)
        return replace(
            prompt,
            system=self._text(prompt.system, _Place()),
            messages=tuple(
                self._message(one, is_new=at in new, is_own=is_own) for at, one in enumerate(messages)
            ),
        )  # fmt: skip

    def _message(self, message: PromptMessage, *, is_new: bool, is_own: bool) -> PromptMessage:
        is_told = message.role == "user"
        said = _Place(is_new, is_asked=is_new and is_own and is_told, is_told=is_told)
        given = _Place(is_new, is_told=True)
        return replace(
            message,
            text=self._text(message.text, said),
            calls=tuple(
                replace(call, arguments=_each_text(call.arguments, lambda text: self._text(text, _Place())))
                for call in message.calls
            ),
            results=tuple(replace(result, text=self._text(result.text, given)) for result in message.results),
        )

    def _text(self, text: str, place: _Place) -> str:
        """Return a text as the model is to see it. Raises `ContentBlocked`."""
        if not text:
            return text
        found = self._policy.find_sent(text)
        named: list[tuple[Finding, str]] = []
        for one in apart(each for each in found if each.kind is not FilterKind.INJECTION or place.is_told):
            action = self._policy.on_input[one.kind]
            if place.is_new:
                self._note(one.kind, one.what, action, is_output=False)
            if action is FilterAction.BLOCK:
                if place.is_asked:
                    raise stopped(one.kind, is_output=False)
                named.append((one, REMOVED))
            elif action is FilterAction.MASK:
                named.append((one, self._placeholders.name(one.what, text[one.start : one.end])))
        return replaced(text, named) if named else text

    async def _seen(self, prompt: Prompt, *, is_own: bool) -> Prompt:
        """Return a prompt without the pictures that hold what is masked or stopped. Raises `ContentBlocked`."""
        if not any(message.images for message in prompt.messages):
            return prompt
        new, messages = _new(prompt.messages), list(prompt.messages)
        for at, message in enumerate(messages):
            stays = [
                image for image in message.images if await self._may_be_seen(image, at in new, is_own=is_own)
            ]  # fmt: skip
            if len(stays) < len(message.images):
                text = "\n\n".join(filter(None, (message.text, PICTURE_REMOVED)))
                messages[at] = replace(message, text=text, images=tuple(stays))
        return replace(prompt, messages=tuple(messages))

    async def _may_be_seen(self, image: Image, is_new: bool, *, is_own: bool) -> bool:
        """Return whether a picture goes to the model; a part of it cannot be masked. Raises `ContentBlocked`."""
        text = await self._look.text(image) if self._policy.reads else ""
        found = [(one.kind, one.what) for one in apart(self._policy.find_sent(text))]
        rule = self._policy.moderation
        if rule is not None and rule.on_input is not FilterAction.OFF:
            found += [(rule.kind, what) for what in sorted(await self._look.flagged(rule, image))]
        actions = {kind: self._policy.on_input[kind] for kind, _ in found}
        for kind, what in found if is_new else ():
            self._note(kind, what, actions[kind], is_output=False)
            if is_own and actions[kind] is FilterAction.BLOCK:
                raise stopped(kind, is_output=False)
        return not {FilterAction.BLOCK, FilterAction.MASK} & set(actions.values())

    async def _moderated(self, prompt: Prompt, masked: Prompt, is_own: bool) -> Prompt:
        """Ask the provider's moderation; it sees what the model would."""
        rule = self._policy.moderation
        if rule is None or rule.on_input is FilterAction.OFF:
            return masked
        places = [at for at, one in enumerate(masked.messages) if one.role == "user" and one.text.strip()]
        flags = await self._flagged(rule, [masked.messages[at].text for at in places])
        new = _new(prompt.messages)
        messages = list(masked.messages)
        for at, flagged in zip(places, flags, strict=True):
            for what in sorted(flagged) if at in new else ():
                self._note(rule.kind, what, rule.on_input, is_output=False)
            if flagged and rule.on_input is FilterAction.BLOCK:
                if is_own and at in new:
                    raise stopped(rule.kind, is_output=False)
                messages[at] = replace(messages[at], text=REMOVED)
        return replace(masked, messages=tuple(messages))

    async def _take_in(self, piece: str, answer: "_Answer") -> None:
        """Keep a piece for those who look at more than it; the provider's moderation may end an answer."""
        rule = self._policy.moderation
        is_judged = rule is not None and rule.on_output is not FilterAction.OFF
        if is_judged or self._has_noting:
            answer.pieces.append(piece)
            answer.unjudged += len(piece)
        if rule is not None and rule.on_output is FilterAction.BLOCK and answer.unjudged >= CHECKED_EACH_CHARS:
            await self._judged(rule, answer)

    async def _ended(self, answer: "_Answer") -> None:
        """Look at a whole answer, for what is only noted."""
        if self._has_noting:
            whole = "".join(answer.pieces)
            for kind, what in await asyncio.to_thread(looked_at, self._policy, whole):
                self._note(kind, what, self._policy.on_output[kind], is_output=True)
        rule = self._policy.moderation
        if rule is not None and rule.on_output is not FilterAction.OFF and answer.unjudged:
            await self._judged(rule, answer)

    @property
    def _has_noting(self) -> bool:
        noting = (FilterAction.LOG, FilterAction.WARN)
        return any(self._policy.on_output[kind] in noting for kind in self._policy.detectors)

    async def _judged(self, rule: Rule, answer: "_Answer") -> None:
        text = "".join(answer.pieces)[-(answer.unjudged + CONTEXT_CHARS) :]
        answer.unjudged = 0
        if not text.strip():
            return
        (flagged,) = await self._flagged(rule, [text])
        for what in sorted(flagged):
            self._note(rule.kind, what, rule.on_output, is_output=True)
        if flagged and rule.on_output is FilterAction.BLOCK:
            raise stopped(rule.kind, is_output=True)

    def _note_output(self, found: Finding, action: FilterAction) -> None:
        self._note(found.kind, found.what, action, is_output=True)

    def _note(self, kind: FilterKind, what: str, action: FilterAction, *, is_output: bool) -> None:
        if is_output or not self._has_sent:
            self._noted.append(Found(kind, what, is_output, action))

    def _tell(self) -> None:
        noted, self._noted = self._noted, []
        if noted or self._placeholders.values:
            self._on_found(noted, self._placeholders.values)


@dataclass
class _Answer:
    """An answer while it comes."""

    said: Outgoing
    thought: Outgoing
    pieces: list[str] = field(default_factory=list)
    """As the model wrote it."""
    unjudged: int = 0
    """Characters that the provider's moderation has not seen."""

    def ends(self) -> tuple[Delta, ...]:
        """Return what was held back. Raises `ContentBlocked`."""
        return _told(self.thought.end(), self.said.end())

    def before_stop(self) -> tuple[Delta, ...]:
        """Return what came before the finding that ended the answer."""
        return _told(self.thought.before_stop, self.said.before_stop)


def _told(thought: str, said: str) -> tuple[Delta, ...]:
    return (*([ReasoningDelta(thought)] if thought else []), *([TextDelta(said)] if said else []))


def _new(messages: Sequence[PromptMessage]) -> frozenset[int]:
    """Return the places of what comes with this request: the last message, and what tools have just given.

    Not of questions before it that nobody has answered: one of them may be what was stopped.
    """
    answered = max((at for at, one in enumerate(messages) if one.role == "assistant"), default=-1)
    last = len(messages) - 1
    return frozenset(at for at in range(answered + 1, len(messages)) if at == last or messages[at].results)


def _chars(message: PromptMessage) -> int:
    return len(message.text) + sum(len(result.text) for result in message.results)


def _texts(prompt: Prompt) -> Iterable[str]:
    yield prompt.system
    for message in prompt.messages:
        yield message.text
        yield from (result.text for result in message.results)


def _each_text(arguments: dict[str, object] | None, change: Callable[[str], str]) -> dict[str, object] | None:
    """Return arguments of a call with each text in them changed."""

    def changed(value: object) -> object:
        match value:
            case str():
                return change(value)
            case list():
                return [changed(each) for each in value]
            case dict():
                return {name: changed(each) for name, each in value.items()}
            case _:
                return value

    return None if arguments is None else {name: changed(value) for name, value in arguments.items()}
