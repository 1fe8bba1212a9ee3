"""What the writers of all protocols share: the answer as it is put together, and the frames of streams."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from llm_ui.contract import Usage
from llm_ui.errors import LLMUIError
from llm_ui.providers.base import CallDelta, Delta, Finish, LogprobsDelta, ReasoningDelta, TextDelta, ToolCall
from llm_ui.providers.calls import unreadable

EVENT_STREAM = "text/event-stream; charset=utf-8"
Told = dict[str, object]
"""A JSON object."""


@dataclass
class Whole:
    """An answer as it is put together."""

    texts: list[str] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)
    calls: list[ToolCall] = field(default_factory=list)
    probabilities: list[Told] = field(default_factory=list)
    reason: str = "stop"

    @property
    def text(self) -> str:
        """What was said."""
        return "".join(self.texts)

    @property
    def thought(self) -> str:
        """What was thought."""
        return "".join(self.thoughts)

    def take(self, delta: Delta) -> None:
        """Take in a piece. Raises `ProviderError` for a call whose arguments nobody can read."""
        match delta:
            case TextDelta():
                self.texts.append(delta.text)
            case ReasoningDelta():
                self.thoughts.append(delta.text)
            case CallDelta():
                if delta.call.arguments is None:
                    raise unreadable()
                self.calls.append(delta.call)
            case LogprobsDelta():
                self.probabilities += delta.tokens
            case Finish():
                # Some providers end an answer with calls like any other.
                self.reason = "tool" if self.calls and delta.reason == "stop" else delta.reason
            case _:
                pass


class Writer(Protocol):
    """Writes one answer in a protocol. What comes between beginning and end has no frame where it has no place."""

    content_type: str = EVENT_STREAM

    def begin(self) -> bytes:
        """Return what comes before the first piece."""
        return b""

    def text(self, text: str) -> bytes:
        """Return the frame of a piece of the text."""
        ...

    def thought(self, text: str) -> bytes:
        """Return the frame of a piece of what the model thinks."""
        del text
        return b""

    def call(self, call: ToolCall) -> bytes:
        """Return the frame of a call."""
        ...

    def probabilities(self, tokens: Iterable[Told]) -> bytes:
        """Return the frame of the last piece's probabilities."""
        del tokens
        return b""

    def end(self, whole: Whole, usage: Usage) -> bytes:
        """Return what comes after the last piece."""
        ...

    def failed(self, error: LLMUIError) -> bytes:
        """Return the frame for an answer that goes wrong on its way."""
        ...

    def whole(self, whole: Whole, usage: Usage) -> Told:
        """Return the answer as one object."""
        ...


def piece(writer: Writer, delta: Delta) -> bytes:
    """Return the frame of a piece."""
    match delta:
        case TextDelta():
            return writer.text(delta.text)
        case ReasoningDelta():
            return writer.thought(delta.text)
        case CallDelta():
            return writer.call(delta.call)
        case LogprobsDelta():
            return writer.probabilities(delta.tokens)
        case _:
            return b""


def written(told: object) -> bytes:
    """Return an object as JSON, as short as it goes."""
    return json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")


def frame(told: object) -> bytes:
    """Return an event of a stream that is its data."""
    return b"data: %b\n\n" % written(told)


def event(kind: str, **data: object) -> bytes:
    """Return an event of a stream that is named after its kind."""
    return b"event: %b\n%b" % (kind.encode(), frame({"type": kind, **data}))


def arguments_of(call: ToolCall) -> str:
    """Return the arguments of a call as the text that OpenAI and Anthropic send."""
    return json.dumps(call.arguments, ensure_ascii=False)
