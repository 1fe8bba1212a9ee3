"""`POST /v1/chat/completions`, as https://platform.openai.com/docs/api-reference/chat has it, read 2026-11-20.

What models think is told in `reasoning_content`, which is not OpenAI's but what others have taken up. What a provider
wants back with a call goes in `extra_content`, as Google's own OpenAI-compatible address has it.
"""

import json
import secrets
import time
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal

from pydantic import Field

from llm_ui.api.public import asking
from llm_ui.api.public.asking import MAX_MESSAGES, MAX_TOOLS, Conversation, Count, Question
from llm_ui.api.public.dialects import OPENAI
from llm_ui.api.public.fields import Refused, Sent, content_of, image_of_url, parts_of, read, text_of, unknown_part
from llm_ui.api.public.writing import Told, Whole, Writer, arguments_of, frame, written
from llm_ui.contract import Usage
from llm_ui.errors import LLMUIError
from llm_ui.kit.text import storable
from llm_ui.providers.base import Image, Prompt, Sampling, ToolCall, ToolSpec
from llm_ui.providers.calls import parsed

REASONS = {
    "stop": "stop",
    "length": "length",
    "cap": "length",
    "content_filter": "content_filter",
    "tool": "tool_calls",
}


class Function(Sent):
    """What is called, and with what."""

    name: str
    arguments: str = "{}"


class Called(Sent):
    """A call of an earlier answer."""

    id: str
    function: Function
    extra_content: dict[str, Any] | None = None


class Message(Sent):
    """One message."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: Any = None
    tool_calls: list[Called] | None = None
    tool_call_id: str | None = None


class FunctionSpec(Sent):
    """A function that may be called."""

    name: Annotated[str, Field(min_length=1, max_length=64)]
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None

    def spec(self) -> ToolSpec:
        """Return it as models are told of it."""
        schema = self.parameters or {"type": "object"}
        return ToolSpec(self.name, self.description or "", schema, is_strict=bool(self.strict))


class Tool(Sent):
    """A tool that may be called."""

    type: Literal["function"]
    function: FunctionSpec


class StreamOptions(Sent):
    """How a stream is written."""

    include_usage: bool | None = None


class ChatBody(Sent):
    """The body of a question. What is kept or billed elsewhere (`store`, `metadata`, `service_tier`) is left out."""

    model: asking.Name
    messages: Annotated[list[Message], Field(min_length=1, max_length=MAX_MESSAGES)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    tools: Annotated[list[Tool], Field(max_length=MAX_TOOLS)] | None = None
    tool_choice: Any = None
    parallel_tool_calls: bool | None = None
    response_format: Any = None
    reasoning_effort: Any = None
    temperature: asking.Warmth | None = None
    top_p: asking.Share | None = None
    n: int | None = None
    seed: int | None = None
    stop: Any = None
    max_tokens: Count | None = None
    max_completion_tokens: Count | None = None
    presence_penalty: asking.Penalty | None = None
    frequency_penalty: asking.Penalty | None = None
    logit_bias: dict[str, Annotated[float, Field(ge=-100, le=100)]] | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    user: asking.User | None = None
    modalities: list[str] | None = None


def question(raw: bytes) -> Question:
    """Return what a body asks. Raises `InvalidInput`."""
    body = read(ChatBody, raw)
    _refuse(body)
    tools = tuple(tool.function.spec() for tool in body.tools or ())
    may_call, must_call = asking.choice_of(body.tool_choice, tools)
    conversation = _conversation(body.messages)
    prompt = Prompt(
        model=body.model,
        system=conversation.system,
        messages=conversation.messages("messages"),
        temperature=body.temperature,
        max_tokens=body.max_completion_tokens or body.max_tokens,
        tools=tools,
        may_call=may_call,
        must_call=must_call,
        output=asking.output_of("response_format", body.response_format),
        sampling=_sampling(body),
    )
    has_usage = bool(body.stream_options and body.stream_options.include_usage)
    return Question(body.model, prompt, is_stream=bool(body.stream), has_usage=has_usage)


def _refuse(body: ChatBody) -> None:
    """Raise `Refused` for what would be missed in the answer."""
    if body.n not in (None, 1):
        raise Refused("n", "n: one answer is made for each request. Leave n out, or ask several times.")
    if set(body.modalities or ()) - {"text"}:
        raise Refused("modalities", "modalities: answers are text here. Leave it out.")
    if body.top_logprobs is not None and not body.logprobs:
        raise Refused("top_logprobs", "top_logprobs needs logprobs to be true. Set it, or leave both out.")


def _sampling(body: ChatBody) -> Sampling:
    return Sampling(
        top_p=body.top_p,
        stop=asking.stops_of("stop", body.stop),
        seed=body.seed,
        presence_penalty=body.presence_penalty,
        frequency_penalty=body.frequency_penalty,
        top_logprobs=(body.top_logprobs or 0) if body.logprobs else None,
        token_bias=body.logit_bias,
        user=storable(body.user or ""),
        effort=asking.effort_of("reasoning_effort", body.reasoning_effort),
        is_one_call=body.parallel_tool_calls is False,
    )


def _conversation(messages: list[Message]) -> Conversation:
    conversation = Conversation()
    for place, message in enumerate(messages):
        param = f"messages[{place}]"
        text, images = content_of(f"{param}.content", parts_of(f"{param}.content", message.content), _part)
        match message.role:
            case "tool":
                conversation.result(f"{param}.tool_call_id", message.tool_call_id, text, images)
            case "assistant":
                conversation.reply(text, tuple(_calls(param, message.tool_calls or [])))
            case "user":
                conversation.say(text, images)
            case _:
                conversation.instruct(text)
    return conversation


def _calls(param: str, calls: list[Called]) -> Iterator[ToolCall]:
    for place, call in enumerate(calls):
        google = (call.extra_content or {}).get("google")
        signature = google.get("thought_signature") if isinstance(google, dict) else None
        yield asking.call_of(
            f"{param}.tool_calls[{place}]", call.id, call.function.name, parsed(call.function.arguments), signature
        )


def _part(where: str, part: Told) -> str | Image:
    kind = part.get("type")
    if kind in ("text", "refusal"):
        return text_of(where, part, str(kind))
    if kind == "image_url":
        address = part.get("image_url")
        return image_of_url(f"{where}.image_url", address.get("url") if isinstance(address, dict) else address)
    raise unknown_part(where, part)


class ChatWriter(Writer):
    """Writes one answer."""

    def __init__(self, asked: Question) -> None:
        self._id = f"chatcmpl-{secrets.token_hex(12)}"
        self._created = int(time.time())
        self._question = asked
        self._calls = 0
        self._has_probabilities = asked.prompt.sampling.top_logprobs is not None
        head = {"id": self._id, "object": "chat.completion.chunk", "created": self._created, "model": asked.model}
        self._head = written(head)[:-1]

    def begin(self) -> bytes:
        """Return what comes before the first piece."""
        return self._delta({"role": "assistant", "content": ""})

    def text(self, text: str) -> bytes:
        """Return the frame of a piece of the text. What most frames are is put together by hand."""
        return b'data: %b,"choices":[{"index":0,"delta":{"content":%b},"finish_reason":null}]}\n\n' % (
            self._head, json.dumps(text).encode(),
        )  # fmt: skip

    def thought(self, text: str) -> bytes:
        """Return the frame of a piece of what the model thinks."""
        return self._delta({"reasoning_content": text})

    def call(self, call: ToolCall) -> bytes:
        """Return the frame of a call."""
        told = {"index": self._calls, **_call(call)}
        self._calls += 1
        return self._delta({"tool_calls": [told]})

    def probabilities(self, tokens: Iterable[Told]) -> bytes:
        """Return the frame of the last piece's probabilities."""
        return self._delta({}, logprobs={"content": list(tokens)})

    def end(self, whole: Whole, usage: Usage) -> bytes:
        """Return what comes after the last piece."""
        last = self._delta({}, REASONS.get(whole.reason, "stop"))
        told = self._frame({"choices": [], "usage": usage_of(usage)}) if self._question.has_usage else b""
        return last + told + b"data: [DONE]\n\n"

    def failed(self, error: LLMUIError) -> bytes:
        """Return the frame for an answer that goes wrong on its way."""
        return frame(OPENAI.refusal(error)[1])

    def whole(self, whole: Whole, usage: Usage) -> Told:
        """Return the answer as one object."""
        message: Told = {"role": "assistant", "content": whole.text or (None if whole.calls else ""), "refusal": None}
        if whole.thoughts:
            message["reasoning_content"] = whole.thought
        if whole.calls:
            message["tool_calls"] = list(map(_call, whole.calls))
        choice = {
            "index": 0,
            "message": message,
            "logprobs": {"content": whole.probabilities} if self._has_probabilities else None,
            "finish_reason": REASONS.get(whole.reason, "stop"),
        }
        return {
            "id": self._id,
            "object": "chat.completion",
            "created": self._created,
            "model": self._question.model,
            "choices": [choice],
            "usage": usage_of(usage),
        }

    def _delta(self, delta: Told, reason: str | None = None, *, logprobs: Told | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": reason}
        return self._frame({"choices": [choice]})

    def _frame(self, rest: Told) -> bytes:
        return b"data: %b,%b\n\n" % (self._head, written(rest)[1:])


def _call(call: ToolCall) -> Told:
    function = {"name": call.name, "arguments": arguments_of(call)}
    told: Told = {"id": call.id, "type": "function", "function": function}
    if call.signature:
        told["extra_content"] = {"google": {"thought_signature": call.signature}}
    return told


def usage_of(usage: Usage) -> Told:
    """Return what was used."""
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
    }
