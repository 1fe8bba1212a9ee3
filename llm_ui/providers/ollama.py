"""Ollama's own protocol.

Protocol: https://github.com/ollama/ollama/blob/main/docs/api.md, read 2026-11-20; it has no way to forbid calls, so the
tools are left out then, nor to demand one, so that all others are left out.
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


class OllamaProtocol:
    """The pure part of the Ollama adapter."""

    content_types: tuple[str, ...] = ("application/x-ndjson", "application/json")

    def chat(self, endpoint: Endpoint, prompt: Prompt) -> WireRequest:
        """Return the request that asks."""
        messages = [sent for message in prompt.messages for sent in _sent(message)]
        if prompt.system:
            messages.insert(0, {"role": "system", "content": prompt.system})
        options: dict[str, object] = {}
        if prompt.temperature is not None:
            options["temperature"] = prompt.temperature
        if prompt.max_tokens is not None:
            options["num_predict"] = prompt.max_tokens
        options |= _sampling(prompt.sampling)
        body: dict[str, object] = {
            "model": prompt.model, "messages": messages, "stream": True, "options": options
        }  # fmt: skip
        effort = prompt.sampling.thinking_effort()
        if effort:
            # Its own degrees end with these three; models that know none take them as yes.
            body["think"] = effort if effort in ("low", "medium", "high") else effort != "none"
        if prompt.output is not None:
            body["format"] = prompt.output.schema or "json"
        if prompt.tools and prompt.may_call:
            body["tools"] = functions([tool for tool in prompt.tools if prompt.must_call in ("", ANY_TOOL, tool.name)])
        return WireRequest(f"{_root(endpoint)}/api/chat", _headers(endpoint), body)

    def translator(self, endpoint: Endpoint) -> "OllamaTranslator":
        """Return a translator for one answer."""
        return OllamaTranslator(endpoint)

    def models(self, endpoint: Endpoint) -> WireRequest:
        """Return the request that lists models."""
        return WireRequest(f"{_root(endpoint)}/api/tags", _headers(endpoint))

    def parse_models(self, body: object) -> Iterator[ListedModel]:
        """Yield the models that are installed."""
        for entry in map(obj, array(obj(body), "models")):
            name = text(entry, "name") or text(entry, "model")
            if name:
                yield ListedModel(name, name)

    def embed(self, endpoint: Endpoint, texts: Texts) -> WireRequest:
        """Return the request for vectors; what a text has beyond the model's window is left out of its vector."""
        body: dict[str, object] = {"model": texts.model, "input": list(texts.texts)}
        if texts.dimensions is not None:
            body["dimensions"] = texts.dimensions
        return WireRequest(f"{_root(endpoint)}/api/embed", _headers(endpoint), body)

    def parse_embedded(self, body: object) -> Embedded:
        """Return the vectors."""
        found = tuple(numbers({"vector": one}, "vector") for one in array(obj(body), "embeddings"))
        return Embedded(found, count(obj(body), "prompt_eval_count"))


class OllamaTranslator:
    """Turns the lines of one answer into deltas."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._calls = Calls()
        self._count = 0

    def feed(self, data: str) -> Iterator[Delta]:
        """Yield what one line says."""
        line = parsed_object(data)
        if line.get("error"):
            raise reported(line["error"], self._endpoint)
        message = obj(line.get("message"))
        if text(message, "thinking"):
            yield ReasoningDelta(text(message, "thinking"))
        if text(message, "content"):
            yield TextDelta(text(message, "content"))
        for call in map(obj, array(message, "tool_calls")):
            told = obj(call.get("function"))
            arguments = told.get("arguments") or {}
            piece = arguments if isinstance(arguments, str) else json.dumps(arguments)
            self._calls.add(self._count, call_id=text(call, "id"), name=text(told, "name"), piece=piece)
            self._count += 1
        if line.get("done") is True:
            yield from self._calls.end()
            yield UsageDelta(input_tokens=count(line, "prompt_eval_count"), output_tokens=count(line, "eval_count"))
            is_long = line.get("done_reason") == "length"
            yield Finish("length" if is_long else "tool" if self._count else "stop")

    def end(self) -> Finish | None:
        """Return None: only a line with `done` ends an answer."""
        return None


def _sent(message: PromptMessage) -> Iterator[dict[str, object]]:
    """Yield a message; images are plain base64 beside its text, and each result of a call is one of its own."""
    for result in message.results:
        yield {"role": "tool", "tool_name": result.name, "content": result.text}
    if message.results:
        return
    sent: dict[str, object] = {"role": message.role, "content": message.text}
    if message.images:
        sent["images"] = [image.data for image in message.images]
    if message.calls:
        sent["tool_calls"] = [
            {"function": {"name": call.name, "arguments": call.arguments or {}}} for call in message.calls
        ]
    yield sent


def _sampling(sampling: Sampling) -> dict[str, object]:
    """Return the options that are set."""
    found = {
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "stop": list(sampling.stop) or None,
        "seed": sampling.seed,
        "presence_penalty": sampling.presence_penalty,
        "frequency_penalty": sampling.frequency_penalty,
    }
    return {name: value for name, value in found.items() if value is not None}


def _root(endpoint: Endpoint) -> str:
    return endpoint.base_url.removesuffix("/v1").removesuffix("/api")


def _headers(endpoint: Endpoint) -> dict[str, str]:
    return {"Authorization": f"Bearer {endpoint.key}"} if endpoint.key else {}
