"""`POST /v1/messages`, as https://docs.anthropic.com/en/api/messages has it, read 2026-11-20."""

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field

from llm_ui.api.public.answering import Whole
from llm_ui.api.public.chat_completions import MAX_MESSAGES, MAX_TOOLS, Count, Question, Share, stops_of
from llm_ui.api.public.dialects import AnthropicDialect
from llm_ui.api.public.fields import Refused, Sent, image, parts_of, read, text_of, unknown_part
from llm_ui.contract import Usage
from llm_ui.errors import LLMUIError
from llm_ui.kit.text import storable
from llm_ui.providers.base import (
    ANY_TOOL,
    CallDelta,
    Delta,
    Image,
    Prompt,
    PromptMessage,
    ReasoningDelta,
    Sampling,
    TextDelta,
    ToolCall,
    ToolResult,
    ToolSpec,
)

REASONS = {
    "stop": "end_turn", "length": "max_tokens", "cap": "max_tokens", "content_filter": "refusal", "tool": "tool_use"
}  # fmt: skip
THOUGHTS = ("thinking", "redacted_thinking")
"""Blocks of an earlier answer that are left out: other models cannot read them."""


class Message(Sent):
    """One message."""

    role: Literal["user", "assistant"]
    content: Any


class Tool(Sent):
    """A tool that may be called."""

    name: Annotated[str, Field(min_length=1, max_length=128)]
    description: str | None = None
    input_schema: dict[str, Any]


class Choice(Sent):
    """Whether tools may, or have to, be called."""

    type: Literal["auto", "any", "tool", "none"]
    name: str | None = None


class Metadata(Sent):
    """What is said about the request."""

    user_id: Annotated[str, Field(max_length=512)] | None = None


class CountBody(Sent):
    """What has so many tokens."""

    model: Annotated[str, Field(min_length=1, max_length=300)]
    messages: Annotated[list[Message], Field(min_length=1, max_length=MAX_MESSAGES)]
    system: Any = None
    tools: Annotated[list[Tool], Field(max_length=MAX_TOOLS)] | None = None
    tool_choice: Choice | None = None


class MessagesBody(CountBody):
    """The body of a question."""

    max_tokens: Count
    stream: bool | None = None
    temperature: Share | None = None
    top_p: Share | None = None
    top_k: Annotated[int, Field(ge=0, le=100_000)] | None = None
    stop_sequences: Any = None
    metadata: Metadata | None = None


def question(raw: bytes) -> Question:
    """Return what a body asks. Raises `InvalidInput`."""
    body = read(MessagesBody, raw)
    sampling = Sampling(
        top_p=body.top_p,
        top_k=body.top_k,
        stop=stops_of("stop_sequences", body.stop_sequences),
        user=storable(body.metadata.user_id or "") if body.metadata else "",
    )
    prompt = _prompt(body, max_tokens=body.max_tokens, temperature=body.temperature, sampling=sampling)
    return Question(body.model, prompt, is_stream=bool(body.stream))


def to_count(raw: bytes) -> Question:
    """Return what is to be counted. Raises `InvalidInput`."""
    body = read(CountBody, raw)
    return Question(body.model, _prompt(body), is_stream=False)


def _prompt(body: CountBody, **settings: Any) -> Prompt:
    tools = tuple(ToolSpec(tool.name, tool.description or "", tool.input_schema) for tool in body.tools or ())
    choice = body.tool_choice
    must_call = ""
    if choice is not None and choice.type == "any" and tools:
        must_call = ANY_TOOL
    if choice is not None and choice.type == "tool":
        if choice.name not in [tool.name for tool in tools]:
            raise Refused("tool_choice.name", "tool_choice.name: this is none of the tools. Correct it.")
        must_call = choice.name or ""
    system, _ = _content("system", parts_of("system", body.system))
    may_call = choice is None or choice.type != "none"
    messages = tuple(_messages(body.messages))
    return Prompt(body.model, system, messages, tools=tools, may_call=may_call, must_call=must_call, **settings)


def _messages(messages: list[Message]) -> Iterator[PromptMessage]:
    """Yield the conversation; what follows the results of calls in a message is a message of its own."""
    called: dict[str, str] = {}
    for place, message in enumerate(messages):
        param = f"messages[{place}].content"
        parts = parts_of(param, message.content)
        if message.role == "assistant":
            calls = tuple(_calls(param, parts))
            called |= {call.id: call.name for call in calls}
            text, _ = _content(param, [part for part in parts if part.get("type") not in (*THOUGHTS, "tool_use")])
            yield PromptMessage("assistant", text, calls=calls)
            continue
        results, seen = _results(param, parts, called)
        if results:
            yield PromptMessage("user", "", results=results)
        text, images = _content(param, [part for part in parts if part.get("type") != "tool_result"])
        if text or images or seen or not results:
            yield PromptMessage("user", text, (*seen, *images))


def _calls(param: str, parts: list[dict[str, object]]) -> Iterator[ToolCall]:
    for place, part in enumerate(parts):
        if part.get("type") == "tool_use":
            where, arguments = f"{param}[{place}]", part.get("input")
            if not isinstance(arguments, dict):
                raise Refused(f"{where}.input", "{param} has to be an object.", param=f"{where}.input")
            yield ToolCall(text_of(where, part, "id"), text_of(where, part, "name"), arguments)


def _results(
    param: str, parts: list[dict[str, object]], called: dict[str, str]
) -> tuple[tuple[ToolResult, ...], tuple[Image, ...]]:
    """Return the results of calls, and the images among them."""
    results: list[ToolResult] = []
    seen: tuple[Image, ...] = ()
    for place, part in enumerate(parts):
        if part.get("type") != "tool_result":
            continue
        where = f"{param}[{place}]"
        call_id = text_of(where, part, "tool_use_id")
        if call_id not in called:
            raise Refused(
                f"{where}.tool_use_id",
                "{param}: no message before it calls this. Correct the id.",
                param=f"{where}.tool_use_id",
            )
        text, images = _content(f"{where}.content", parts_of(f"{where}.content", part.get("content")))
        results.append(ToolResult(call_id, called[call_id], text, is_error=part.get("is_error") is True))
        seen += images
    return tuple(results), seen


def _content(param: str, parts: list[dict[str, object]]) -> tuple[str, tuple[Image, ...]]:
    texts, images = [], []
    for place, part in enumerate(parts):
        where = f"{param}[{place}]"
        source = part.get("source")
        if part.get("type") == "text":
            texts.append(text_of(where, part))
        elif part.get("type") == "image" and isinstance(source, dict) and source.get("type") == "base64":
            images.append(image(f"{where}.source", source.get("media_type"), source.get("data")))
        elif part.get("type") == "image":
            raise Refused(f"{where}.source", "{param}: images are taken as base64; nothing is fetched.", param=where)
        else:
            raise unknown_part(where, part)
    return storable("\n".join(texts)), tuple(images)


@dataclass
class MessageWriter:
    """Writes one answer."""

    asked: Question
    id: str = field(default_factory=lambda: f"msg_{secrets.token_hex(12)}")
    _place: int = -1
    _open: str = ""
    """The kind of the block that is being written."""

    def begin(self) -> bytes:
        """Return what comes before the first piece."""
        message = {**self._head(), "content": [], "stop_reason": None, "stop_sequence": None}
        usage = {"input_tokens": 0, "output_tokens": 0}
        return _event("message_start", message={**message, "usage": usage})

    def piece(self, delta: Delta) -> bytes:
        """Return the frames of a piece."""
        match delta:
            case TextDelta():
                begun = self._begun("text", {"type": "text", "text": ""})
                return begun + self._delta({"type": "text_delta", "text": delta.text})
            case ReasoningDelta():
                begun = self._begun("thinking", {"type": "thinking", "thinking": "", "signature": ""})
                return begun + self._delta({"type": "thinking_delta", "thinking": delta.text})
            case CallDelta():
                block: dict[str, object] = {
                    "type": "tool_use",
                    "id": delta.call.id,
                    "name": delta.call.name,
                    "input": {},
                }
                written = json.dumps(delta.call.arguments, ensure_ascii=False)
                begun = self._ended() + self._begun("tool_use", block)
                return begun + self._delta({"type": "input_json_delta", "partial_json": written}) + self._ended()
            case _:
                return b""

    def end(self, whole: Whole, usage: Usage) -> bytes:
        """Return what comes after the last piece."""
        delta = {"stop_reason": REASONS.get(whole.reason, "end_turn"), "stop_sequence": None}
        return self._ended() + _event("message_delta", delta=delta, usage=_usage(usage)) + _event("message_stop")

    def failed(self, error: LLMUIError) -> bytes:
        """Return the frame for an answer that goes wrong on its way."""
        return b"event: error\ndata: %b\n\n" % json.dumps(AnthropicDialect().refusal(error)[1]).encode()

    def whole(self, whole: Whole, usage: Usage) -> dict[str, object]:
        """Return the answer as one object."""
        blocks: list[dict[str, object]] = []
        if whole.thoughts:
            blocks.append({"type": "thinking", "thinking": "".join(whole.thoughts), "signature": ""})
        if whole.texts:
            blocks.append({"type": "text", "text": "".join(whole.texts)})
        blocks += [
            {"type": "tool_use", "id": call.id, "name": call.name, "input": call.arguments} for call in whole.calls
        ]
        reason = REASONS.get(whole.reason, "end_turn")
        return {
            **self._head(), "content": blocks, "stop_reason": reason, "stop_sequence": None, "usage": _usage(usage)
        }  # fmt: skip

    def _head(self) -> dict[str, object]:
        return {"id": self.id, "type": "message", "role": "assistant", "model": self.asked.model}

    def _begun(self, kind: str, block: dict[str, object]) -> bytes:
        if self._open == kind:
            return b""
        ended = self._ended()
        self._open = kind
        self._place += 1
        return ended + _event("content_block_start", index=self._place, content_block=block)

    def _delta(self, delta: dict[str, object]) -> bytes:
        return _event("content_block_delta", index=self._place, delta=delta)

    def _ended(self) -> bytes:
        if not self._open:
            return b""
        self._open = ""
        return _event("content_block_stop", index=self._place)


def _event(kind: str, **data: object) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (
        kind.encode(),
        json.dumps({"type": kind, **data}, separators=(",", ":")).encode(),
    )


def _usage(usage: Usage) -> dict[str, object]:
    """Return what was used; the protocol counts cached tokens apart."""
    return {
        "input_tokens": max(0, usage.input_tokens - usage.cached_tokens),
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": usage.cached_tokens,
        "output_tokens": usage.output_tokens,
    }
