"""`POST /v1/messages`, as https://docs.anthropic.com/en/api/messages has it, read 2026-11-20."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field

from llm_ui.api.public import asking
from llm_ui.api.public.asking import MAX_MESSAGES, MAX_TOOLS, Conversation, Question
from llm_ui.api.public.dialects import ANTHROPIC
from llm_ui.api.public.fields import Refused, Sent, content_of, image, parts_of, read, text_of, unknown_part
from llm_ui.api.public.writing import Told, Whole, Writer, arguments_of, event
from llm_ui.contract import Usage
from llm_ui.errors import LLMUIError
from llm_ui.kit.text import storable
from llm_ui.providers.base import ANY_TOOL, Image, Prompt, Sampling, ToolCall, ToolSpec

REASONS = {
    "stop": "end_turn", "length": "max_tokens", "cap": "max_tokens", "content_filter": "refusal", "tool": "tool_use"
}  # fmt: skip
THOUGHTS = ("thinking", "redacted_thinking")
"""Blocks of an earlier answer that are left out: other models cannot read them."""
TOOLS = ("tool_use", "tool_result")


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
    disable_parallel_tool_use: bool | None = None


class Thinking(Sent):
    """How much the model is to think."""

    type: Literal["enabled", "disabled", "adaptive"]
    budget_tokens: Annotated[int, Field(ge=1_024, le=100_000_000)] | None = None


class Metadata(Sent):
    """What is said about the request."""

    user_id: asking.User | None = None


class CountBody(Sent):
    """What has so many tokens. `cache_control` is left out: providers cache as they do for everybody."""

    model: asking.Name
    messages: Annotated[list[Message], Field(min_length=1, max_length=MAX_MESSAGES)]
    system: Any = None
    tools: Annotated[list[Tool], Field(max_length=MAX_TOOLS)] | None = None
    tool_choice: Choice | None = None


class MessagesBody(CountBody):
    """The body of a question."""

    max_tokens: asking.Count
    stream: bool | None = None
    temperature: asking.Share | None = None
    top_p: asking.Share | None = None
    top_k: Annotated[int, Field(ge=0, le=100_000)] | None = None
    stop_sequences: Any = None
    thinking: Thinking | None = None
    output_config: dict[str, Any] | None = None
    metadata: Metadata | None = None


def question(raw: bytes) -> Question:
    """Return what a body asks. Raises `InvalidInput`."""
    body = read(MessagesBody, raw)
    thinking, choice = body.thinking, body.tool_choice
    if thinking is not None and thinking.type == "enabled" and (thinking.budget_tokens or 0) >= body.max_tokens:
        raise Refused("thinking.budget_tokens", "thinking.budget_tokens has to be below max_tokens. Correct it.")
    config = body.output_config or {}
    sampling = Sampling(
        top_p=body.top_p,
        top_k=body.top_k,
        stop=asking.stops_of("stop_sequences", body.stop_sequences),
        user=storable(body.metadata.user_id or "") if body.metadata else "",
        effort=asking.effort_of("output_config.effort", config.get("effort")) or _effort(thinking),
        thinking_tokens=thinking.budget_tokens if thinking else None,
        is_one_call=choice is not None and choice.disable_parallel_tool_use is True,
    )
    output = asking.output_of("output_config.format", config.get("format"))
    prompt = _prompt(
        body, max_tokens=body.max_tokens, temperature=body.temperature, sampling=sampling, output=output
    )  # fmt: skip
    return Question(body.model, prompt, is_stream=bool(body.stream))


def to_count(raw: bytes) -> Question:
    """Return what is to be counted. Raises `InvalidInput`."""
    body = read(CountBody, raw)
    return Question(body.model, _prompt(body), is_stream=False)


def _effort(thinking: Thinking | None) -> str:
    return "none" if thinking is not None and thinking.type == "disabled" else ""


def _prompt(body: CountBody, **settings: Any) -> Prompt:
    tools = tuple(ToolSpec(tool.name, tool.description or "", tool.input_schema) for tool in body.tools or ())
    choice = body.tool_choice
    must_call = ""
    if choice is not None and choice.type == "any" and tools:
        must_call = ANY_TOOL
    if choice is not None and choice.type == "tool":
        must_call = asking.must_call("tool_choice.name", choice.name, tools)
    conversation = Conversation()
    conversation.instruct(content_of("system", parts_of("system", body.system), _part)[0])
    for place, message in enumerate(body.messages):
        _read(conversation, f"messages[{place}].content", message)
    may_call = choice is None or choice.type != "none"
    return Prompt(
        body.model, conversation.system, conversation.messages("messages"),
        tools=tools, may_call=may_call, must_call=must_call, **settings,
    )  # fmt: skip


def _read(conversation: Conversation, param: str, message: Message) -> None:
    """Take a message in; what follows the results of calls in it is a message of its own."""
    parts = parts_of(param, message.content)
    text, images = content_of(param, [part for part in parts if part.get("type") not in (*THOUGHTS, *TOOLS)], _part)
    if message.role == "assistant":
        conversation.reply(text, tuple(_calls(param, parts)))
        return
    has_results = False
    for place, part in enumerate(parts):
        if part.get("type") == "tool_result":
            has_results = True
            where = f"{param}[{place}]"
            said, seen = content_of(f"{where}.content", parts_of(f"{where}.content", part.get("content")), _part)
            conversation.result(
                f"{where}.tool_use_id", part.get("tool_use_id"), said, seen, is_error=part.get("is_error") is True
            )
    if text or images or not has_results:
        conversation.say(text, images)


def _calls(param: str, parts: list[Told]) -> Iterator[ToolCall]:
    for place, part in enumerate(parts):
        if part.get("type") == "tool_use":
            yield asking.call_of(f"{param}[{place}]", part.get("id"), part.get("name"), part.get("input"))


def _part(where: str, part: Told) -> str | Image:
    source = part.get("source")
    if part.get("type") == "text":
        return text_of(where, part)
    if part.get("type") != "image":
        raise unknown_part(where, part)
    if not isinstance(source, dict) or source.get("type") != "base64":
        raise Refused(f"{where}.source", "{param}: images are taken as base64; nothing is fetched.", param=where)
    return image(f"{where}.source", source.get("media_type"), source.get("data"))


@dataclass
class MessageWriter(Writer):
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
        return event("message_start", message={**message, "usage": usage})

    def text(self, text: str) -> bytes:
        """Return the frames of a piece of the text."""
        return self._begun("text", {"type": "text", "text": ""}) + self._delta("text_delta", text=text)

    def thought(self, text: str) -> bytes:
        """Return the frames of a piece of what the model thinks."""
        begun = self._begun("thinking", {"type": "thinking", "thinking": "", "signature": ""})
        return begun + self._delta("thinking_delta", thinking=text)

    def call(self, call: ToolCall) -> bytes:
        """Return the frames of a call."""
        block: Told = {"type": "tool_use", "id": call.id, "name": call.name, "input": {}}
        begun = self._ended() + self._begun("tool_use", block)
        return begun + self._delta("input_json_delta", partial_json=arguments_of(call)) + self._ended()

    def end(self, whole: Whole, usage: Usage) -> bytes:
        """Return what comes after the last piece."""
        delta = {"stop_reason": REASONS.get(whole.reason, "end_turn"), "stop_sequence": None}
        return self._ended() + event("message_delta", delta=delta, usage=_usage(usage)) + event("message_stop")

    def failed(self, error: LLMUIError) -> bytes:
        """Return the frame for an answer that goes wrong on its way."""
        told = ANTHROPIC.refusal(error)[1]
        return event("error", **{name: value for name, value in told.items() if name != "type"})

    def whole(self, whole: Whole, usage: Usage) -> Told:
        """Return the answer as one object."""
        blocks: list[Told] = []
        if whole.thoughts:
            blocks.append({"type": "thinking", "thinking": whole.thought, "signature": ""})
        if whole.texts:
            blocks.append({"type": "text", "text": whole.text})
        blocks += [
            {"type": "tool_use", "id": call.id, "name": call.name, "input": call.arguments} for call in whole.calls
        ]
        reason = REASONS.get(whole.reason, "end_turn")
        return {
            **self._head(), "content": blocks, "stop_reason": reason, "stop_sequence": None, "usage": _usage(usage)
        }  # fmt: skip

    def _head(self) -> Told:
        return {"id": self.id, "type": "message", "role": "assistant", "model": self.asked.model}

    def _begun(self, kind: str, block: Told) -> bytes:
        if self._open == kind:
            return b""
        ended = self._ended()
        self._open = kind
        self._place += 1
        return ended + event("content_block_start", index=self._place, content_block=block)

    def _delta(self, kind: str, **delta: object) -> bytes:
        return event("content_block_delta", index=self._place, delta={"type": kind, **delta})

    def _ended(self) -> bytes:
        if not self._open:
            return b""
        self._open = ""
        return event("content_block_stop", index=self._place)


def _usage(usage: Usage) -> Told:
    """Return what was used; the protocol counts cached tokens apart."""
    return {
        "input_tokens": max(0, usage.input_tokens - usage.cached_tokens),
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": usage.cached_tokens,
        "output_tokens": usage.output_tokens,
    }
