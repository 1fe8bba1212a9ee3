"""Google's Gemini API.

Protocol: https://ai.google.dev/api/generate-content, read 2026-11-20; images as `inlineData`, see
https://ai.google.dev/gemini-api/docs/image-understanding; tools, see
https://ai.google.dev/gemini-api/docs/function-calling; a call's `thoughtSignature` goes back with it, see
https://ai.google.dev/gemini-api/docs/thought-signatures.
"""

from collections.abc import Iterator
from urllib.parse import quote

from llm_ui.errors import ProviderFault
from llm_ui.providers.base import (
    ANY_TOOL,
    CallDelta,
    Delta,
    Embedded,
    Endpoint,
    Finish,
    ListedModel,
    Prompt,
    PromptMessage,
    ReasoningDelta,
    Sampling,
    TextDelta,
    Texts,
    ToolCall,
    UsageDelta,
    WireRequest,
)
from llm_ui.providers.calls import MAX_CALLS, MAX_ID_CHARS, MAX_NAME_CHARS, new_id, unreadable
from llm_ui.providers.fields import array, count, numbers, obj, text
from llm_ui.providers.refusals import error, reported
from llm_ui.providers.wire import parsed_object

REASONS = {"STOP": "stop", "MAX_TOKENS": "length"}
"""Every other reason is one of the provider's filters."""
BAD_CALLS = ("MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL")
"""How an answer ends with a call that makes no sense."""
ROLES = {"user": "user", "assistant": "model"}


class GoogleProtocol:
    """The pure part of the Gemini adapter."""

    content_types: tuple[str, ...] = ("text/event-stream",)

    def chat(self, endpoint: Endpoint, prompt: Prompt) -> WireRequest:
        """Return the request that asks."""
        settings: dict[str, object] = {}
        if prompt.temperature is not None:
            settings["temperature"] = prompt.temperature
        if prompt.max_tokens is not None:
            settings["maxOutputTokens"] = prompt.max_tokens
        settings |= _sampling(prompt.sampling)
        if prompt.output is not None:
            settings["responseMimeType"] = "application/json"
            if prompt.output.schema is not None:
                settings["responseJsonSchema"] = prompt.output.schema
        body: dict[str, object] = {
            "contents": [{"role": ROLES[message.role], "parts": _sent(message)} for message in prompt.messages],
            "generationConfig": settings,
        }
        if prompt.tools:
            told = [
                {"name": tool.name, "description": tool.description, "parametersJsonSchema": tool.schema}
                for tool in prompt.tools
            ]
            body["tools"] = [{"functionDeclarations": told}]
            if not prompt.may_call:
                body["toolConfig"] = {"functionCallingConfig": {"mode": "NONE"}}
            elif prompt.must_call:
                names = {} if prompt.must_call == ANY_TOOL else {"allowedFunctionNames": [prompt.must_call]}
                body["toolConfig"] = {"functionCallingConfig": {"mode": "ANY", **names}}
        if prompt.system:
            body["systemInstruction"] = {"parts": [{"text": prompt.system}]}
        model = quote(prompt.model.removeprefix("models/"), safe="")
        return WireRequest(
            f"{endpoint.base_url}/models/{model}:streamGenerateContent?alt=sse", _headers(endpoint), body
        )

    def translator(self, endpoint: Endpoint) -> "GoogleTranslator":
        """Return a translator for one answer."""
        return GoogleTranslator(endpoint)

    def models(self, endpoint: Endpoint) -> WireRequest:
        """Return the request that lists models."""
        return WireRequest(f"{endpoint.base_url}/models?pageSize=1000", _headers(endpoint))

    def parse_models(self, body: object) -> Iterator[ListedModel]:
        """Yield the models that generate text or vectors."""
        for entry in map(obj, array(obj(body), "models")):
            name = text(entry, "name").removeprefix("models/")
            methods = array(entry, "supportedGenerationMethods")
            if name and ("generateContent" in methods or "embedContent" in methods):
                yield ListedModel(
                    name,
                    text(entry, "displayName") or name,
                    count(entry, "inputTokenLimit"),
                    count(entry, "outputTokenLimit"),
                )

    def embed(self, endpoint: Endpoint, texts: Texts) -> WireRequest:
        """Return the request for vectors: https://ai.google.dev/api/embeddings."""
        model = f"models/{texts.model.removeprefix('models/')}"
        task = "RETRIEVAL_QUERY" if texts.is_question else "RETRIEVAL_DOCUMENT"
        shorter = {} if texts.dimensions is None else {"outputDimensionality": texts.dimensions}
        requests = [
            {"model": model, "content": {"parts": [{"text": one}]}, "taskType": task, **shorter} for one in texts.texts
        ]
        url = f"{endpoint.base_url}/models/{quote(model.removeprefix('models/'), safe='')}:batchEmbedContents"
        return WireRequest(url, _headers(endpoint), {"requests": requests})

    def parse_embedded(self, body: object) -> Embedded:
        """Return the vectors; the protocol counts no tokens of them."""
        return Embedded(tuple(numbers(entry, "values") for entry in map(obj, array(obj(body), "embeddings"))))


class GoogleTranslator:
    """Turns the responses of one answer into deltas."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._reason: str | None = None
        self._seen: set[str] = set()
        self._calls = 0

    def feed(self, data: str) -> Iterator[Delta]:
        """Yield what one response says."""
        response = parsed_object(data)
        if response.get("error"):
            raise reported(response["error"], self._endpoint)
        blocked = text(obj(response.get("promptFeedback")), "blockReason")
        if blocked:
            raise error(ProviderFault.CONTENT_FILTERED, blocked, self._endpoint)
        for candidate in map(obj, array(response, "candidates")[:1]):
            for part in map(obj, array(obj(candidate.get("content")), "parts")):
                piece = text(part, "text")
                if piece:
                    yield ReasoningDelta(piece) if part.get("thought") is True else TextDelta(piece)
                yield from self._call(part)
            reason = text(candidate, "finishReason")
            if reason in BAD_CALLS:
                raise unreadable()
            if reason:
                self._reason = REASONS.get(reason, "content_filter")
        usage = obj(response.get("usageMetadata"))
        if usage:
            yield _usage(usage)

    def _call(self, part: dict[str, object]) -> Iterator[Delta]:
        """Yield the call of a part; the protocol sends calls whole, and most without an id."""
        call = obj(part.get("functionCall"))
        name = text(call, "name")[:MAX_NAME_CHARS]
        if not name or self._calls == MAX_CALLS:
            return
        call_id = text(call, "id")[:MAX_ID_CHARS]
        if not call_id or call_id in self._seen:
            call_id = new_id()
        self._seen.add(call_id)
        self._calls += 1
        arguments = call.get("args") or {}
        whole = arguments if isinstance(arguments, dict) else None
        yield CallDelta(ToolCall(call_id, name, whole, text(part, "thoughtSignature")))

    def end(self) -> Finish | None:
        """Return the end when a reason was given: the protocol's streams just close."""
        return Finish(self._reason) if self._reason else None


def _sent(message: PromptMessage) -> list[dict[str, object]]:
    """Return the parts of a message."""
    if message.results:
        return [
            {"functionResponse": {"name": one.name, "response": {"error" if one.is_error else "result": one.text}}}
            for one in message.results
        ]
    if message.calls:
        said: list[dict[str, object]] = [{"text": message.text}] if message.text else []
        return [*said, *(_called(call) for call in message.calls)]
    images: list[dict[str, object]] = [
        {"inlineData": {"mimeType": image.media_type, "data": image.data}} for image in message.images
    ]
    return [*images, {"text": message.text}] if message.text or not images else images


def _sampling(sampling: Sampling) -> dict[str, object]:
    """Return the settings that are set."""
    found: dict[str, object] = {
        "topP": sampling.top_p,
        "topK": sampling.top_k,
        "stopSequences": list(sampling.stop) or None,
        "seed": sampling.seed,
        "presencePenalty": sampling.presence_penalty,
        "frequencyPenalty": sampling.frequency_penalty,
    }
    budget = sampling.thinking_budget()
    if budget is not None:
        found["thinkingConfig"] = {"thinkingBudget": budget, "includeThoughts": budget > 0}
    return {name: value for name, value in found.items() if value is not None}


def _called(call: ToolCall) -> dict[str, object]:
    part: dict[str, object] = {"functionCall": {"name": call.name, "args": call.arguments or {}}}
    # One that is JSON is Anthropic's: the conversation began with another model.
    is_own = call.signature and not call.signature.startswith("[")
    return {**part, "thoughtSignature": call.signature} if is_own else part


def _usage(usage: dict[str, object]) -> UsageDelta:
    """Return the counts; the protocol counts thoughts beside the answer, we count them in."""
    answer, thoughts = count(usage, "candidatesTokenCount"), count(usage, "thoughtsTokenCount")
    return UsageDelta(
        input_tokens=count(usage, "promptTokenCount"),
        cached_tokens=count(usage, "cachedContentTokenCount"),
        output_tokens=None if answer is None and thoughts is None else (answer or 0) + (thoughts or 0),
        reasoning_tokens=thoughts,
    )


def _headers(endpoint: Endpoint) -> dict[str, str]:
    # In a header, never in the address: addresses end up in logs.
    return {"x-goog-api-key": endpoint.key} if endpoint.key else {}
