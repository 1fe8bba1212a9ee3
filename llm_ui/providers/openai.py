"""Chat completions as OpenAI defined them and many servers speak them.

Protocol: https://platform.openai.com/docs/api-reference/chat/streaming, read 2026-11-20; images as data URLs, see
https://platform.openai.com/docs/guides/images-vision; tools, see
https://platform.openai.com/docs/guides/function-calling. Reasoning fields are not OpenAI's: `reasoning_content` comes
from DeepSeek and vLLM, `reasoning` from OpenRouter and Groq.
"""

import json
from collections.abc import Iterator

from llm_ui.providers.base import (
    ANY_TOOL,
    Delta,
    Embedded,
    Endpoint,
    Finish,
    ListedModel,
    LogprobsDelta,
    Output,
    Prompt,
    PromptMessage,
    ReasoningDelta,
    Sampling,
    TextDelta,
    Texts,
    UsageDelta,
    WireRequest,
)
from llm_ui.providers.calls import Calls, functions
from llm_ui.providers.fields import array, count, numbers, obj, text
from llm_ui.providers.refusals import reported
from llm_ui.providers.wire import parsed_object

REASONS = {"stop": "stop", "length": "length", "content_filter": "content_filter", "tool_calls": "tool"}


class OpenAIProtocol:
    """The pure part of the OpenAI adapter."""

    content_types: tuple[str, ...] = ("text/event-stream",)

    def chat(self, endpoint: Endpoint, prompt: Prompt) -> WireRequest:
        """Return the request that asks."""
        messages = [sent for message in prompt.messages for sent in _messages(message)]
        if prompt.system:
            messages.insert(0, {"role": "system", "content": prompt.system})
        body: dict[str, object] = {
            "model": prompt.model,
            "messages": messages,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if prompt.tools:
            body["tools"] = functions(prompt.tools)
            if not prompt.may_call:
                body["tool_choice"] = "none"
            elif prompt.must_call:
                named = {"type": "function", "function": {"name": prompt.must_call}}
                body["tool_choice"] = "required" if prompt.must_call == ANY_TOOL else named
            if prompt.sampling.is_one_call:
                body["parallel_tool_calls"] = False
        body |= _sampling(prompt.sampling)
        if prompt.output is not None:
            body["response_format"] = _format(prompt.output)
        if prompt.temperature is not None:
            body["temperature"] = prompt.temperature
        if prompt.max_tokens is not None:
            # OpenAI's newer models refuse the old name; most other servers know only that one.
            is_openai = "api.openai.com" in endpoint.base_url or ".openai.azure.com" in endpoint.base_url
            body["max_completion_tokens" if is_openai else "max_tokens"] = prompt.max_tokens
        return WireRequest(f"{endpoint.base_url}/chat/completions", headers(endpoint), body)

    def translator(self, endpoint: Endpoint) -> "OpenAITranslator":
        """Return a translator for one answer."""
        return OpenAITranslator(endpoint)

    def models(self, endpoint: Endpoint) -> WireRequest:
        """Return the request that lists models."""
        return WireRequest(f"{endpoint.base_url}/models", headers(endpoint))

    def parse_models(self, body: object) -> Iterator[ListedModel]:
        """Yield the models of the list. Some servers tell the window, under names of their own."""
        found = body if isinstance(body, list) else array(obj(body), "data")
        for entry in map(obj, found):
            name = text(entry, "id")
            window = next(
                filter(None, (count(entry, n) for n in ("context_window", "context_length", "max_model_len"))), None
            )
            if name:
                yield ListedModel(name, text(entry, "name") or name, window)

    def embed(self, endpoint: Endpoint, texts: Texts) -> WireRequest:
        """Return the request for vectors: https://platform.openai.com/docs/api-reference/embeddings."""
        body: dict[str, object] = {"model": texts.model, "input": list(texts.texts)}
        if texts.dimensions is not None:
            body["dimensions"] = texts.dimensions
        return WireRequest(f"{endpoint.base_url}/embeddings", headers(endpoint), body)

    def parse_embedded(self, body: object) -> Embedded:
        """Return the vectors; they say themselves whose they are."""
        entries = sorted(map(obj, array(obj(body), "data")), key=lambda entry: count(entry, "index") or 0)
        usage = obj(obj(body).get("usage"))
        return Embedded(tuple(numbers(entry, "embedding") for entry in entries), count(usage, "prompt_tokens"))


class OpenAITranslator:
    """Turns the chunks of one answer into deltas."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._reason: str | None = None
        self._calls = Calls()

    def feed(self, data: str) -> Iterator[Delta]:
        """Yield what one chunk says."""
        if data.strip() == "[DONE]":
            yield from self._calls.end()
            yield Finish(self._reason or "stop")
            return
        chunk = parsed_object(data)
        if chunk.get("error"):
            raise reported(chunk["error"], self._endpoint)
        # Azure begins with a chunk without choices, and the usage chunk has none either.
        for choice in map(obj, array(chunk, "choices")[:1]):
            delta = obj(choice.get("delta"))
            reasoning = text(delta, "reasoning_content") or text(delta, "reasoning")
            if reasoning:
                yield ReasoningDelta(reasoning)
            yield from _content(delta.get("content"))
            probabilities = tuple(map(obj, array(obj(choice.get("logprobs")), "content")))
            if probabilities:
                yield LogprobsDelta(probabilities)
            for call in map(obj, array(delta, "tool_calls")):
                told = obj(call.get("function"))
                self._calls.add(
                    count(call, "index"), call_id=text(call, "id"), name=text(told, "name"), piece=_arguments(told)
                )
            reason = text(choice, "finish_reason")
            if reason:
                yield from self._calls.end()
                self._reason = REASONS.get(reason, "stop")
        usage = obj(chunk.get("usage"))
        if usage:
            yield UsageDelta(
                input_tokens=count(usage, "prompt_tokens"),
                cached_tokens=count(obj(usage.get("prompt_tokens_details")), "cached_tokens"),
                output_tokens=count(usage, "completion_tokens"),
                reasoning_tokens=count(obj(usage.get("completion_tokens_details")), "reasoning_tokens"),
            )

    def end(self) -> Finish | None:
        """Return the end when a reason was given; some servers then close without `[DONE]`."""
        return Finish(self._reason) if self._reason else None


def _messages(message: PromptMessage) -> Iterator[dict[str, object]]:
    """Yield a message; of the results of calls each is one of its own."""
    if message.calls:
        calls = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": json.dumps(call.arguments or {})},
            }
            for call in message.calls
        ]
        yield {"role": "assistant", "content": message.text or None, "tool_calls": calls}
    elif message.results:
        for result in message.results:
            yield {"role": "tool", "tool_call_id": result.call_id, "content": result.text}
    else:
        yield {"role": message.role, "content": _sent(message)}


def _sampling(sampling: Sampling) -> dict[str, object]:
    """Return the settings that are set; `top_k` is none of this protocol."""
    found = {
        "top_p": sampling.top_p,
        "stop": list(sampling.stop) or None,
        "seed": sampling.seed,
        "presence_penalty": sampling.presence_penalty,
        "frequency_penalty": sampling.frequency_penalty,
        "user": sampling.user or None,
        "logprobs": True if sampling.top_logprobs is not None else None,
        "top_logprobs": sampling.top_logprobs or None,
        "logit_bias": sampling.token_bias,
        "reasoning_effort": sampling.thinking_effort() or None,
    }
    return {name: value for name, value in found.items() if value is not None}


def _format(output: Output) -> dict[str, object]:
    if output.schema is None:
        return {"type": "json_object"}
    schema = {"name": output.name, "schema": output.schema, "strict": output.is_strict}
    return {"type": "json_schema", "json_schema": schema}


def _arguments(told: dict[str, object]) -> str:
    """Return a piece of a call's arguments: a string, though some servers send the object itself."""
    arguments = told.get("arguments")
    return json.dumps(arguments) if isinstance(arguments, dict) else text(told, "arguments")


def _sent(message: PromptMessage) -> object:
    """Return a message's content: its text, with images a list of parts."""
    if not message.images:
        return message.text
    urls = (f"data:{image.media_type};base64,{image.data}" for image in message.images)
    parts: list[dict[str, object]] = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
    return [*parts, {"type": "text", "text": message.text}] if message.text else parts


def _content(content: object) -> Iterator[Delta]:
    """Yield the text of a delta: a string, or parts as Mistral's reasoning models send them."""
    if isinstance(content, str) and content:
        yield TextDelta(content)
    for part in map(obj, content if isinstance(content, list) else ()):
        if text(part, "text"):
            yield TextDelta(text(part, "text"))
        for thought in map(obj, array(part, "thinking")):
            if text(thought, "text"):
                yield ReasoningDelta(text(thought, "text"))


def headers(endpoint: Endpoint) -> dict[str, str]:
    """Return what a request is signed with."""
    if not endpoint.key:
        return {}
    if ".openai.azure.com" in endpoint.base_url:
        return {"api-key": endpoint.key}
    return {"Authorization": f"Bearer {endpoint.key}"}
