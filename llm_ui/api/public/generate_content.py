"""Questions to `/v1beta/models/…:generateContent`, as https://ai.google.dev/api/generate-content has it.

Read 2026-11-22. Names are taken in both of the ways the original takes them: `systemInstruction`, `system_instruction`.
"""

import base64
import binascii
import json
import secrets
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from llm_ui.api.public import asking
from llm_ui.api.public.asking import MAX_MESSAGES, Conversation, Question
from llm_ui.api.public.dialects import GOOGLE
from llm_ui.api.public.fields import Refused, Sent, content_of, image, part_of, read
from llm_ui.api.public.writing import Told, Whole, Writer, frame
from llm_ui.contract import Usage
from llm_ui.errors import LLMUIError
from llm_ui.providers.base import ANY_TOOL, Image, Output, Prompt, Sampling, ToolCall, ToolSpec

REASONS = {"length": "MAX_TOKENS", "cap": "MAX_TOKENS", "content_filter": "SAFETY"}
URL_SAFE = str.maketrans("-_", "+/")


class GoogleSent(Sent):
    """Part of a body whose fields have two names."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Blob(GoogleSent):
    """Bytes."""

    mime_type: str
    data: str


class Function(GoogleSent):
    """What is called with what, or what that gave."""

    id: str | None = None
    name: str
    args: dict[str, Any] | None = None
    response: dict[str, Any] | None = None


class Part(GoogleSent):
    """Part of a message."""

    text: str | None = None
    thought: bool | None = None
    thought_signature: str | None = None
    inline_data: Blob | None = None
    function_call: Function | None = None
    function_response: Function | None = None


class Content(GoogleSent):
    """One message."""

    role: str | None = None
    parts: Annotated[list[Part], Field(default_factory=list)]


class Declaration(GoogleSent):
    """A function that may be called."""

    name: Annotated[str, Field(min_length=1, max_length=64)]
    description: str | None = None
    parameters: dict[str, Any] | None = None
    parameters_json_schema: dict[str, Any] | None = None


class Tool(GoogleSent):
    """Tools that may be called."""

    function_declarations: list[Declaration] | None = None


class Calling(GoogleSent):
    """Whether tools may, or have to, be called."""

    mode: str | None = None
    allowed_function_names: list[str] | None = None


class ToolConfig(GoogleSent):
    """How tools are called."""

    function_calling_config: Calling | None = None


class Thinking(GoogleSent):
    """How much is thought."""

    thinking_budget: int | None = None
    thinking_level: str | None = None


class Settings(GoogleSent):
    """What the answer is to be like."""

    temperature: asking.Warmth | None = None
    top_p: asking.Share | None = None
    top_k: Annotated[float, Field(ge=0, le=100_000)] | None = None
    candidate_count: int | None = None
    max_output_tokens: asking.Count | None = None
    stop_sequences: Any = None
    response_mime_type: str | None = None
    response_schema: dict[str, Any] | None = None
    response_json_schema: Any = None
    seed: int | None = None
    presence_penalty: asking.Penalty | None = None
    frequency_penalty: asking.Penalty | None = None
    thinking_config: Thinking | None = None


class GenerateBody(GoogleSent):
    """The body of a question."""

    contents: Annotated[list[Content], Field(min_length=1, max_length=MAX_MESSAGES)]
    system_instruction: Content | None = None
    tools: list[Tool] | None = None
    tool_config: ToolConfig | None = None
    cached_content: str | None = None
    generation_config: Settings = Settings()


class CountBody(GoogleSent):
    """What has so many tokens."""

    contents: list[Content] | None = None
    generate_content_request: GenerateBody | None = None


def question(raw: bytes, model: str, *, is_stream: bool) -> Question:
    """Return what a body asks. Raises `InvalidInput`."""
    return Question(model, _prompt(model, read(GenerateBody, raw)), is_stream=is_stream)


def to_count(raw: bytes, model: str) -> Question:
    """Return what is to be counted. Raises `InvalidInput`."""
    body = read(CountBody, raw)
    whole = body.generate_content_request or part_of(GenerateBody, "", {"contents": body.contents or []})
    return Question(model, _prompt(model, whole), is_stream=False)


def _prompt(model: str, body: GenerateBody) -> Prompt:
    settings = body.generation_config
    if settings.candidate_count not in (None, 1):
        raise Refused("generationConfig.candidateCount", "candidateCount: one answer is made. Leave it out.")
    if body.cached_content:
        raise Refused("cachedContent", "cachedContent: nothing is kept here. Send the whole conversation as contents.")
    calling = (body.tool_config and body.tool_config.function_calling_config) or Calling()
    tools = tuple(_tools(body.tools or [], calling))
    must_call = ""
    if (calling.mode or "").upper() == "ANY" and tools:
        must_call = tools[0].name if len(tools) == 1 else ANY_TOOL
    conversation = _conversation(body)
    return Prompt(
        model=model,
        system=conversation.system,
        messages=conversation.messages("contents"),
        temperature=settings.temperature,
        max_tokens=settings.max_output_tokens,
        tools=tools,
        may_call=(calling.mode or "").upper() != "NONE",
        must_call=must_call,
        output=_output(settings),
        sampling=_sampling(settings),
    )


def _tools(tools: list[Tool], calling: Calling) -> Iterator[ToolSpec]:
    allowed = calling.allowed_function_names
    for place, tool in enumerate(tools):
        if tool.function_declarations is None:
            raise Refused(f"tools[{place}]", "tools: only functionDeclarations are taken here. Leave the others out.")
        for one in tool.function_declarations:
            if not allowed or one.name in allowed:
                schema = one.parameters_json_schema or plain(one.parameters or {"type": "OBJECT"})
                yield ToolSpec(one.name, one.description or "", schema if isinstance(schema, dict) else {})


def _output(settings: Settings) -> Output | None:
    if settings.response_mime_type != "application/json":
        return None
    schema = settings.response_json_schema or plain(settings.response_schema)
    return Output(schema if isinstance(schema, dict) else None)


def _sampling(settings: Settings) -> Sampling:
    thinking = settings.thinking_config or Thinking()
    budget = thinking.thinking_budget
    return Sampling(
        top_p=settings.top_p,
        top_k=None if settings.top_k is None else int(settings.top_k),
        stop=asking.stops_of("generationConfig.stopSequences", settings.stop_sequences),
        seed=settings.seed,
        presence_penalty=settings.presence_penalty,
        frequency_penalty=settings.frequency_penalty,
        effort=asking.effort_of("thinkingConfig.thinkingLevel", (thinking.thinking_level or "").lower() or None),
        # -1 leaves it to the model.
        thinking_tokens=budget if budget is not None and budget >= 0 else None,
    )


def plain(schema: object) -> object:
    """Return JSON Schema for Google's own form of it, whose types are written large."""
    if isinstance(schema, list):
        return list(map(plain, schema))
    if not isinstance(schema, dict):
        return schema
    found = {name: plain(value) for name, value in schema.items() if name not in ("nullable", "propertyOrdering")}
    kind = schema.get("type")
    if isinstance(kind, str):
        found["type"] = [kind.lower(), "null"] if schema.get("nullable") is True else kind.lower()
    return found


def _conversation(body: GenerateBody) -> Conversation:
    conversation = Conversation()
    told = body.system_instruction.parts if body.system_instruction else []
    conversation.instruct(content_of("systemInstruction", told, text_or_image)[0])
    for place, message in enumerate(body.contents):
        _read(conversation, f"contents[{place}].parts", message)
    return conversation


def _read(conversation: Conversation, param: str, message: Content) -> None:
    said = [part for part in message.parts if not (part.thought or part.function_call or part.function_response)]
    text, images = content_of(param, said, text_or_image)
    if message.role == "model":
        calls = (
            asking.call_of(
                f"{param}[{place}].functionCall", part.function_call.id, part.function_call.name,
                part.function_call.args or {}, _signature(part.thought_signature),
            )
            for place, part in enumerate(message.parts)
            if part.function_call is not None
        )  # fmt: skip
        conversation.reply(text, tuple(calls))
        return
    results = [part.function_response for part in message.parts if part.function_response is not None]
    for result in results:
        call_id = result.id or conversation.id_of(result.name)
        given = result.response or {}
        # One that holds nothing else is the text itself.
        only = next(iter(given.values())) if len(given) == 1 else None
        told = only if isinstance(only, str) else json.dumps(given, ensure_ascii=False)
        conversation.result(f"{param}.functionResponse", call_id, told, is_error="error" in given)
    if said or not results:
        conversation.say(text, images)


def text_or_image(where: str, part: Part) -> str | Image:
    """Return what a part holds. Raises `Refused`."""
    if part.text is not None:
        return part.text
    if part.inline_data is None:
        raise Refused(where, "{param}: parts are text, inlineData, functionCall or functionResponse.", param=where)
    return image(f"{where}.inlineData", part.inline_data.mime_type, part.inline_data.data.translate(URL_SAFE))


def _signature(sent: str | None) -> str:
    """Return what a provider wants back with a call: the protocol has it as bytes."""
    try:
        return base64.b64decode((sent or "").translate(URL_SAFE), validate=True).decode()
    except (binascii.Error, ValueError):
        return sent or ""


class GenerateWriter(Writer):
    """Writes one answer."""

    def __init__(self, asked: Question) -> None:
        self._head = {"modelVersion": asked.model, "responseId": secrets.token_urlsafe(12)}

    def text(self, text: str) -> bytes:
        """Return the frame of a piece of the text."""
        return frame(self._told([{"text": text}]))

    def thought(self, text: str) -> bytes:
        """Return the frame of a piece of what the model thinks."""
        return frame(self._told([{"text": text, "thought": True}]))

    def call(self, call: ToolCall) -> bytes:
        """Return the frame of a call."""
        return frame(self._told([_call(call)]))

    def end(self, whole: Whole, usage: Usage) -> bytes:
        """Return what comes after the last piece."""
        return frame(self._told([], whole.reason, usage))

    def failed(self, error: LLMUIError) -> bytes:
        """Return the frame for an answer that goes wrong on its way."""
        return frame(GOOGLE.refusal(error)[1])

    def whole(self, whole: Whole, usage: Usage) -> Told:
        """Return the answer as one object."""
        parts: list[Told] = [{"text": whole.thought, "thought": True}] if whole.thoughts else []
        parts += [{"text": whole.text}] if whole.texts else []
        return self._told([*parts, *map(_call, whole.calls)], whole.reason, usage)

    def _told(self, parts: list[Told], reason: str = "", usage: Usage | None = None) -> Told:
        candidate: Told = {"content": {"role": "model", "parts": parts}, "index": 0}
        if reason:
            candidate["finishReason"] = REASONS.get(reason, "STOP")
        told: Told = {"candidates": [candidate], **self._head}
        return told if usage is None else {**told, "usageMetadata": _usage(usage)}


def _call(call: ToolCall) -> Told:
    part: Told = {"functionCall": {"id": call.id, "name": call.name, "args": call.arguments}}
    signed = base64.b64encode(call.signature.encode()).decode()
    return {**part, "thoughtSignature": signed} if signed else part


def _usage(usage: Usage) -> Told:
    """Return what was used; the protocol counts thoughts beside the answer."""
    return {
        "promptTokenCount": usage.input_tokens,
        "cachedContentTokenCount": usage.cached_tokens,
        "candidatesTokenCount": usage.output_tokens - usage.reasoning_tokens,
        "thoughtsTokenCount": usage.reasoning_tokens,
        "totalTokenCount": usage.input_tokens + usage.output_tokens,
    }
