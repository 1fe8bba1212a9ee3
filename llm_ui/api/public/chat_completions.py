"""`POST /v1/chat/completions`, as https://platform.openai.com/docs/api-reference/chat has it, read 2026-11-20.

What models think is told in `reasoning_content`, which is not OpenAI's but what others have taken up. What a provider
wants back with a call goes in `extra_content`, as Google's own OpenAI-compatible address has it.
"""

import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from llm_ui.api.public.answering import Whole
from llm_ui.api.public.dialects import OpenAIDialect
from llm_ui.api.public.fields import Refused, Sent, image_of_url, parts_of, read, text_of, unknown_part
from llm_ui.contract import Usage
from llm_ui.errors import LLMUIError
from llm_ui.kit.text import storable
from llm_ui.providers.base import (
    ANY_TOOL,
    CallDelta,
    Delta,
    Image,
    LogprobsDelta,
    Output,
    Prompt,
    PromptMessage,
    ReasoningDelta,
    Sampling,
    TextDelta,
    ToolCall,
    ToolResult,
    ToolSpec,
)
from llm_ui.providers.calls import parsed

REASONS = {
    "stop": "stop",
    "length": "length",
    "cap": "length",
    "content_filter": "content_filter",
    "tool": "tool_calls",
}
MAX_MESSAGES = 10_000
MAX_TOOLS = 256
Share = Annotated[float, Field(ge=0, le=1)]
Penalty = Annotated[float, Field(ge=-2, le=2)]
Count = Annotated[int, Field(ge=1, le=100_000_000)]


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


class Tool(Sent):
    """A tool that may be called."""

    type: Literal["function"]
    function: FunctionSpec


class StreamOptions(Sent):
    """How a stream is written."""

    include_usage: bool | None = None


class ChatBody(Sent):
    """The body of a question."""

    model: Annotated[str, Field(min_length=1, max_length=300)]
    messages: Annotated[list[Message], Field(min_length=1, max_length=MAX_MESSAGES)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    tools: Annotated[list[Tool], Field(max_length=MAX_TOOLS)] | None = None
    tool_choice: Any = None
    response_format: Any = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Share | None = None
    n: int | None = None
    seed: int | None = None
    stop: Any = None
    max_tokens: Count | None = None
    max_completion_tokens: Count | None = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    user: Annotated[str, Field(max_length=512)] | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What a script asks."""

    model: str
    prompt: Prompt
    is_stream: bool
    has_usage: bool = False
    """Whether the stream tells what was used."""


def question(raw: bytes) -> Question:
    """Return what a body asks. Raises `InvalidInput`."""
    body = read(ChatBody, raw)
    if body.n not in (None, 1):
        raise Refused("n", "n: one answer is made for each request. Leave n out, or ask several times.")
    tools = tuple(
        ToolSpec(tool.function.name, tool.function.description or "", tool.function.parameters or {"type": "object"})
        for tool in body.tools or ()
    )
    may_call, must_call = choice_of(body.tool_choice, tools)
    prompt = Prompt(
        model=body.model,
        system="\n\n".join(_instructions(body.messages)),
        messages=tuple(_messages(body.messages)),
        temperature=body.temperature,
        max_tokens=body.max_completion_tokens or body.max_tokens,
        tools=tools,
        may_call=may_call,
        must_call=must_call,
        output=output_of("response_format", body.response_format),
        sampling=Sampling(
            top_p=body.top_p,
            stop=stops_of("stop", body.stop),
            seed=body.seed,
            presence_penalty=body.presence_penalty,
            frequency_penalty=body.frequency_penalty,
            top_logprobs=(body.top_logprobs or 0) if body.logprobs else None,
            user=storable(body.user or ""),
        ),
    )
    if not prompt.messages:
        raise Refused("messages", "messages: there is nothing to answer. Add a message of role user.")
    has_usage = bool(body.stream_options and body.stream_options.include_usage)
    return Question(body.model, prompt, is_stream=bool(body.stream), has_usage=has_usage)


def choice_of(choice: object, tools: tuple[ToolSpec, ...]) -> tuple[bool, str]:
    """Return whether tools may be called, and which one has to be. Raises `Refused`."""
    if choice in (None, "auto"):
        return True, ""
    if choice == "none":
        return False, ""
    if choice == "required":
        return True, ANY_TOOL if tools else ""
    found = choice.get("function", choice) if isinstance(choice, dict) else None
    name = found.get("name") if isinstance(found, dict) else None
    if name not in [tool.name for tool in tools]:
        raise Refused("tool_choice", "tool_choice: this is none of the tools. Say auto, none, required or name one.")
    return True, str(name)


def output_of(param: str, form: object) -> Output | None:
    """Return the form that an answer is to have. Raises `Refused`."""
    kind = form.get("type") if isinstance(form, dict) else None
    if form is None or kind == "text":
        return None
    if kind == "json_object":
        return Output()
    told = form.get("json_schema", form) if isinstance(form, dict) else None
    schema = told.get("schema") if isinstance(told, dict) else None
    if kind != "json_schema" or not isinstance(told, dict) or not isinstance(schema, dict):
        raise Refused(param, "{param} is text, json_object, or json_schema with a name and a schema.", param=param)
    return Output(schema, str(told.get("name") or "answer")[:64], is_strict=told.get("strict") is True)


def stops_of(param: str, stop: object) -> tuple[str, ...]:
    """Return the texts at which an answer is to end. Raises `Refused`."""
    found = [stop] if isinstance(stop, str) else stop or []
    if not isinstance(found, list) or len(found) > 16 or not all(isinstance(one, str) for one in found):
        raise Refused(param, "{param} has to be a text, or a list of up to 16. Correct it and send again.", param=param)
    return tuple(one for one in found if one)


def _instructions(messages: list[Message]) -> Iterator[str]:
    for place, message in enumerate(messages):
        if message.role in ("system", "developer"):
            text, _ = _content(f"messages[{place}].content", message.content)
            yield text


def _messages(messages: list[Message]) -> Iterator[PromptMessage]:
    """Yield the conversation; results of calls that follow each other belong together."""
    called: dict[str, str] = {}
    results: list[ToolResult] = []
    for place, message in enumerate(messages):
        param = f"messages[{place}]"
        if message.role == "tool":
            text, _ = _content(f"{param}.content", message.content)
            call_id = message.tool_call_id
            if call_id not in called or call_id is None:
                raise Refused(
                    f"{param}.tool_call_id",
                    "{param}: no message before it calls this. Correct the id.",
                    param=f"{param}.tool_call_id",
                )
            results.append(ToolResult(call_id, called[call_id], text))
            continue
        if results:
            yield PromptMessage("user", "", results=tuple(results))
            results = []
        if message.role not in ("user", "assistant"):
            continue
        text, images = _content(f"{param}.content", message.content)
        calls = tuple(_calls(param, message.tool_calls or []))
        called |= {call.id: call.name for call in calls}
        yield PromptMessage("assistant" if message.role == "assistant" else "user", text, images, calls)
    if results:
        yield PromptMessage("user", "", results=tuple(results))


def _calls(param: str, calls: list[Called]) -> Iterator[ToolCall]:
    for place, call in enumerate(calls):
        arguments = parsed(call.function.arguments)
        if arguments is None:
            where = f"{param}.tool_calls[{place}]"
            raise Refused(where, "{param}: the arguments are no JSON object. Correct them.", param=where)
        google = (call.extra_content or {}).get("google")
        signature = google.get("thought_signature") if isinstance(google, dict) else None
        yield ToolCall(call.id, call.function.name, arguments, signature if isinstance(signature, str) else "")


def _content(param: str, content: object) -> tuple[str, tuple[Image, ...]]:
    """Return text and images of a message."""
    texts, images = [], []
    for place, part in enumerate(parts_of(param, content)):
        where = f"{param}[{place}]"
        kind = part.get("type")
        if kind in ("text", "refusal"):
            texts.append(text_of(where, part, str(kind)))
        elif kind == "image_url":
            address = part.get("image_url")
            url = address.get("url") if isinstance(address, dict) else address
            images.append(image_of_url(f"{where}.image_url", url))
        else:
            raise unknown_part(where, part)
    return storable("\n".join(texts)), tuple(images)


class ChatWriter:
    """Writes one answer."""

    def __init__(self, asked: Question) -> None:
        self._id = f"chatcmpl-{secrets.token_hex(12)}"
        self._created = int(time.time())
        self._question = asked
        self._calls = 0
        self._has_probabilities = asked.prompt.sampling.top_logprobs is not None
        head = {"id": self._id, "object": "chat.completion.chunk", "created": self._created, "model": asked.model}
        self._head = json.dumps(head, separators=(",", ":"))[:-1].encode()

    def begin(self) -> bytes:
        """Return what comes before the first piece."""
        return self._delta({"role": "assistant", "content": ""})

    def piece(self, delta: Delta) -> bytes:
        """Return the frame of a piece."""
        match delta:
            case TextDelta():
                # What most frames are is put together by hand.
                return b'data: %b,"choices":[{"index":0,"delta":{"content":%b},"finish_reason":null}]}\n\n' % (
                    self._head, json.dumps(delta.text).encode(),
                )  # fmt: skip
            case ReasoningDelta():
                return self._delta({"reasoning_content": delta.text})
            case CallDelta():
                call = {"index": self._calls, **_call(delta.call)}
                self._calls += 1
                return self._delta({"tool_calls": [call]})
            case LogprobsDelta():
                return self._delta({}, logprobs={"content": list(delta.tokens)})
            case _:
                return b""

    def end(self, whole: Whole, usage: Usage) -> bytes:
        """Return what comes after the last piece."""
        last = self._delta({}, REASONS.get(whole.reason, "stop"))
        told = self._frame({"choices": [], "usage": usage_of(usage)}) if self._question.has_usage else b""
        return last + told + b"data: [DONE]\n\n"

    def failed(self, error: LLMUIError) -> bytes:
        """Return the frame for an answer that goes wrong on its way."""
        return b"data: %b\n\n" % json.dumps(OpenAIDialect().refusal(error)[1]).encode()

    def whole(self, whole: Whole, usage: Usage) -> dict[str, object]:
        """Return the answer as one object."""
        text = "".join(whole.texts)
        message: dict[str, object] = {
            "role": "assistant",
            "content": text if text or not whole.calls else None,
            "refusal": None,
        }
        if whole.thoughts:
            message["reasoning_content"] = "".join(whole.thoughts)
        if whole.calls:
            message["tool_calls"] = list(map(_call, whole.calls))
        return {
            "id": self._id,
            "object": "chat.completion",
            "created": self._created,
            "model": self._question.model,
            "choices": [
                {
                    "index": 0,
                    "message": message,
                    "logprobs": {"content": whole.probabilities} if self._has_probabilities else None,
                    "finish_reason": REASONS.get(whole.reason, "stop"),
                }
            ],
            "usage": usage_of(usage),
        }

    def _delta(
        self, delta: dict[str, object], reason: str | None = None, *, logprobs: dict[str, object] | None = None
    ) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": reason}
        return self._frame({"choices": [choice]})

    def _frame(self, rest: dict[str, object]) -> bytes:
        return b"data: %b,%b\n\n" % (self._head, json.dumps(rest, separators=(",", ":"))[1:].encode())


def _call(call: ToolCall) -> dict[str, object]:
    function = {"name": call.name, "arguments": json.dumps(call.arguments, ensure_ascii=False)}
    told: dict[str, object] = {"id": call.id, "type": "function", "function": function}
    if call.signature:
        told["extra_content"] = {"google": {"thought_signature": call.signature}}
    return told


def usage_of(usage: Usage) -> dict[str, object]:
    """Return what was used."""
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
    }
