"""Anthropic's Messages API.

Protocol: https://docs.anthropic.com/en/api/messages-streaming, read 2026-11-20; images as base64, before the text, see
https://platform.claude.com/docs/en/build-with-claude/vision; tools, see
https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview; what was thought before a call goes back with
it, see https://platform.claude.com/docs/en/build-with-claude/extended-thinking; what it is to keep ends at marks, see
https://platform.claude.com/docs/en/build-with-claude/prompt-caching.
"""

import json
from collections.abc import Iterator
from dataclasses import replace

from llm_ui.providers.base import (
    ANY_TOOL,
    CallDelta,
    Delta,
    Endpoint,
    Finish,
    ListedModel,
    Prompt,
    PromptMessage,
    ReasoningDelta,
    Sampling,
    TextDelta,
    UsageDelta,
    WireRequest,
)
from llm_ui.providers.calls import Calls, parsed
from llm_ui.providers.fields import array, count, obj, text
from llm_ui.providers.refusals import reported
from llm_ui.providers.wire import parsed_object

VERSION = "2023-06-01"
DEFAULT_MAX_TOKENS = 4_096
"""The protocol demands a limit; this one is accepted by every model."""
REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
    "tool_use": "tool",
}
KEEP = {"type": "ephemeral"}
"""For five minutes after it was last used."""
THOUGHTS = ("thinking", "redacted_thinking")


class AnthropicProtocol:
    """The pure part of the Anthropic adapter."""

    content_types: tuple[str, ...] = ("text/event-stream",)

    def chat(self, endpoint: Endpoint, prompt: Prompt) -> WireRequest:
        """Return the request that asks."""
        body: dict[str, object] = {
            "model": prompt.model,
            "messages": [{"role": message.role, "content": _sent(message)} for message in prompt.messages],
            "max_tokens": prompt.max_tokens or DEFAULT_MAX_TOKENS,
            "stream": True,
        }
        if prompt.system:
            body["system"] = prompt.system
        if prompt.tools:
            body["tools"] = [
                {"name": tool.name, "description": tool.description, "input_schema": tool.schema}
                for tool in prompt.tools
            ]
            if not prompt.may_call:
                body["tool_choice"] = {"type": "none"}
            elif prompt.must_call:
                named = {"type": "tool", "name": prompt.must_call}
                body["tool_choice"] = {"type": "any"} if prompt.must_call == ANY_TOOL else named
            if prompt.sampling.is_one_call and prompt.may_call:
                body["tool_choice"] = {
                    "type": "auto",
                    **obj(body.get("tool_choice")),
                    "disable_parallel_tool_use": True,
                }
        if prompt.temperature is not None:
            # The protocol's range ends at 1 where others' ends at 2.
            body["temperature"] = min(prompt.temperature, 1.0)
        body |= _sampling(prompt.sampling, body)
        if prompt.goes_on:
            _mark(body)
        return WireRequest(f"{_root(endpoint)}/v1/messages", _headers(endpoint), body)

    def translator(self, endpoint: Endpoint) -> "AnthropicTranslator":
        """Return a translator for one answer."""
        return AnthropicTranslator(endpoint)

    def models(self, endpoint: Endpoint) -> WireRequest:
        """Return the request that lists models."""
        return WireRequest(f"{_root(endpoint)}/v1/models?limit=1000", _headers(endpoint))

    def parse_models(self, body: object) -> Iterator[ListedModel]:
        """Yield the models of the list."""
        for entry in map(obj, array(obj(body), "data")):
            name = text(entry, "id")
            if name:
                yield ListedModel(
                    name,
                    text(entry, "display_name") or name,
                    count(entry, "max_input_tokens"),
                    count(entry, "max_tokens"),
                )


class AnthropicTranslator:
    """Turns the events of one answer into deltas."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._reason: str | None = None
        self._calls = Calls()
        self._thoughts: dict[int | None, dict[str, object]] = {}

    def feed(self, data: str) -> Iterator[Delta]:
        """Yield what one event says; kinds that are new to us are skipped, as the protocol asks."""
        event = parsed_object(data)
        self._think(event)
        match event.get("type"):
            case "message_start":
                yield _usage(obj(obj(event.get("message")).get("usage")))
            case "content_block_start":
                block = obj(event.get("content_block"))
                if text(block, "text"):
                    yield TextDelta(text(block, "text"))
                if block.get("type") == "tool_use":
                    self._calls.add(count(event, "index"), call_id=text(block, "id"), name=text(block, "name"))
            case "content_block_delta":
                delta = obj(event.get("delta"))
                yield from _piece(delta)
                self._calls.go_on(count(event, "index"), text(delta, "partial_json"))
            case "message_delta":
                reason = text(obj(event.get("delta")), "stop_reason")
                self._reason = REASONS.get(reason, "stop") if reason else self._reason
                yield from self._signed()
                yield _usage(obj(event.get("usage")))
            case "message_stop":
                yield Finish(self._reason or "stop")
            case "error":
                raise reported(event.get("error"), self._endpoint)
            case _:
                pass

    def _think(self, event: dict[str, object]) -> None:
        """Keep what is thought, with the provider's signature."""
        place, block, delta = count(event, "index"), obj(event.get("content_block")), obj(event.get("delta"))
        if block.get("type") in THOUGHTS:
            self._thoughts[place] = dict(block)
        thought = self._thoughts.get(place, {})
        for name in {"thinking", "signature"} & delta.keys():
            thought[name] = text(thought, name) + text(delta, name)

    def _signed(self) -> Iterator[CallDelta]:
        """Yield the calls, with the first of them what was thought before."""
        for delta in self._calls.end():
            thoughts, self._thoughts = list(self._thoughts.values()), {}
            yield CallDelta(replace(delta.call, signature=json.dumps(thoughts))) if thoughts else delta

    def end(self) -> Finish | None:
        """Return None: only `message_stop` ends an answer."""
        return None


def _mark(body: dict[str, object]) -> None:
    """Mark where what the provider is to keep ends: instructions, or tools without them, and the last message.

    Tools come before instructions and these before messages there. With the next question it looks back from its last
    mark for the longest beginning that it has, so one mark in the messages is enough.
    """
    if body.get("system"):
        body["system"] = [{"type": "text", "text": body["system"], "cache_control": KEEP}]
    elif tools := array(body, "tools"):
        body["tools"] = [*tools[:-1], {**obj(tools[-1]), "cache_control": KEEP}]
    messages = [_as_blocks(obj(message)) for message in array(body, "messages")]
    if blocks := array(messages[-1], "content") if messages else []:
        messages[-1]["content"] = [*blocks[:-1], {**obj(blocks[-1]), "cache_control": KEEP}]
    body["messages"] = messages


def _as_blocks(message: dict[str, object]) -> dict[str, object]:
    """Return a message with its text as a block: so it is written alike with a mark and, a question later, without."""
    said = message.get("content")
    return {**message, "content": [{"type": "text", "text": said}]} if isinstance(said, str) and said else message


def _sent(message: PromptMessage) -> object:
    """Return a message's content: its text; with images, calls or results a list of blocks."""
    if message.results:
        return [
            {"type": "tool_result", "tool_use_id": one.call_id, "content": one.text, "is_error": one.is_error}
            for one in message.results
        ]
    if message.calls:
        said = _thoughts(message.calls[0].signature)
        said += [{"type": "text", "text": message.text}] if message.text.strip() else []
        calls = ({"type": "tool_use", "id": c.id, "name": c.name, "input": c.arguments or {}} for c in message.calls)
        return [*said, *calls]
    if not message.images:
        return message.text
    blocks: list[dict[str, object]] = [
        {"type": "image", "source": {"type": "base64", "media_type": image.media_type, "data": image.data}}
        for image in message.images
    ]
    return [*blocks, {"type": "text", "text": message.text}] if message.text else blocks


def _thoughts(signature: str) -> list[dict[str, object]]:
    """Return the blocks of what was thought before a call; none where another provider signed it."""
    blocks = obj(parsed(f'{{"blocks": {signature}}}')) if signature.startswith("[") else {}
    return [block for block in map(obj, array(blocks, "blocks")) if block.get("type") in THOUGHTS]


def _sampling(sampling: Sampling, body: dict[str, object]) -> dict[str, object]:
    """Return the settings that are set. Who thinks may neither be warmer nor colder, nor made to call."""
    found: dict[str, object] = {
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "stop_sequences": list(sampling.stop) or None,
        "metadata": {"user_id": sampling.user} if sampling.user else None,
    }
    budget, choice = sampling.thinking_budget(), obj(body.get("tool_choice"))
    if budget and choice.get("type") not in ("any", "tool"):
        most = count(body, "max_tokens") or DEFAULT_MAX_TOKENS
        # The thoughts count into the limit of the answer, which has to leave room for it.
        found["thinking"] = {"type": "enabled", "budget_tokens": budget}
        found["max_tokens"] = most if most > budget else most + budget
        found["temperature"] = 1.0
    return {name: value for name, value in found.items() if value is not None}


def _piece(delta: dict[str, object]) -> Iterator[Delta]:
    if text(delta, "text"):
        yield TextDelta(text(delta, "text"))
    if text(delta, "thinking"):
        yield ReasoningDelta(text(delta, "thinking"))


def _usage(usage: dict[str, object]) -> UsageDelta:
    """Return the counts; the protocol leaves cached tokens out of `input_tokens`, we do not."""
    fresh = count(usage, "input_tokens")
    read, written = count(usage, "cache_read_input_tokens"), count(usage, "cache_creation_input_tokens")
    total = None if fresh is None else fresh + (read or 0) + (written or 0)
    return UsageDelta(total, read, count(usage, "output_tokens"), written_tokens=written)


def _root(endpoint: Endpoint) -> str:
    return endpoint.base_url.removesuffix("/v1")


def _headers(endpoint: Endpoint) -> dict[str, str]:
    headers = {"anthropic-version": VERSION}
    if endpoint.key:
        headers["x-api-key"] = endpoint.key
    return headers
