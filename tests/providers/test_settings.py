"""What scripts set beyond what chats do, as each protocol of a provider sends it."""

import json
from typing import Any

import pytest

from llm_ui.api.public import chat_completions, messages
from llm_ui.models import ProviderKind
from llm_ui.providers.anthropic import AnthropicProtocol
from llm_ui.providers.base import CallDelta, Endpoint, Prompt, PromptMessage
from llm_ui.providers.registry import adapter

ENDPOINT = Endpoint("https://ai.example.org", None)
FUNCTION = b'{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}, "strict": true}}'
CHAT = b"""{"model": "m", "messages": [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": "x"}],
    "max_completion_tokens": 9000, "seed": 4, "stop": ["END"], "logprobs": true, "top_logprobs": 2, "user": "u1",
    "logit_bias": {"50256": -100}, "reasoning_effort": "low", "parallel_tool_calls": false, "tools": [%b],
    "presence_penalty": 0.5, "frequency_penalty": -0.5, "metadata": {"a": "b"}, "store": true, "unknown": 1}"""
SENT: dict[ProviderKind, dict[str, Any]] = {
    ProviderKind.OPENAI: {
        "seed": 4, "stop": ["END"], "logprobs": True, "top_logprobs": 2, "user": "u1", "max_tokens": 9000,
        "logit_bias": {"50256": -100}, "reasoning_effort": "low", "parallel_tool_calls": False,
        "presence_penalty": 0.5, "frequency_penalty": -0.5,
    },
    ProviderKind.ANTHROPIC: {
        "stop_sequences": ["END"], "metadata": {"user_id": "u1"}, "max_tokens": 9000, "system": "Be brief.",
        "thinking": {"type": "enabled", "budget_tokens": 1_024}, "temperature": 1.0,
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
    },
    ProviderKind.GOOGLE: {
        "generationConfig": {
            "maxOutputTokens": 9000, "stopSequences": ["END"], "seed": 4, "presencePenalty": 0.5,
            "frequencyPenalty": -0.5, "thinkingConfig": {"thinkingBudget": 1_024, "includeThoughts": True},
        },
    },
    ProviderKind.OLLAMA: {
        "think": "low",
        "options": {
            "num_predict": 9000, "stop": ["END"], "seed": 4, "presence_penalty": 0.5, "frequency_penalty": -0.5
        },
    },
}  # fmt: skip


def body_of(kind: ProviderKind, prompt: Prompt) -> dict[str, Any]:
    request = adapter(kind).request(ENDPOINT, prompt)
    assert request is not None
    assert request.body is not None
    return request.body


@pytest.mark.parametrize("kind", SENT)
def test_what_a_protocol_knows_is_passed_on_and_the_rest_left_out(kind: ProviderKind) -> None:
    body = body_of(kind, chat_completions.question(CHAT % FUNCTION).prompt)

    assert {name: body.get(name) for name in SENT[kind]} == SENT[kind]
    assert not {"metadata", "store", "unknown"} & (body.keys() - SENT[kind].keys())
    strict = body["tools"][0].get("function", {}).get("strict") if kind is ProviderKind.OPENAI else True
    assert strict is True


@pytest.mark.parametrize(
    ("thinking", "sent"),
    [
        (b'{"type": "enabled", "budget_tokens": 2048}', {"type": "enabled", "budget_tokens": 2_048}),
        (b'{"type": "disabled"}', None),
        (b'{"type": "adaptive"}', None),
    ],
)
def test_thinking_is_passed_on(thinking: bytes, sent: object) -> None:
    raw = b'{"model": "m", "max_tokens": 4000, "messages": [{"role": "user", "content": "x"}], "thinking": %b}'

    body = body_of(ProviderKind.ANTHROPIC, messages.question(raw % thinking).prompt)

    assert body.get("thinking") == sent
    assert body["max_tokens"] == 4_000


def test_what_was_thought_before_a_call_goes_back_with_it() -> None:
    thought = {"type": "thinking", "thinking": "Where is it?", "signature": "c2ln"}
    translator = AnthropicProtocol().translator(ENDPOINT)
    events = [
        {"type": "content_block_start", "index": 0, "content_block": {**thought, "thinking": "", "signature": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Where is it?"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "c2ln"}},
        {"type": "content_block_start", "index": 1, "content_block": {"type": "tool_use", "id": "t1", "name": "map"}},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 3}},
    ]

    deltas = [delta for event in events for delta in translator.feed(json.dumps(event))]
    (call,) = [delta.call for delta in deltas if isinstance(delta, CallDelta)]
    prompt = Prompt("m", "", (PromptMessage("assistant", "", calls=(call,)),))
    sent = {kind: json.dumps(body_of(kind, prompt)) for kind in SENT}

    assert json.loads(sent[ProviderKind.ANTHROPIC])["messages"][0]["content"][0] == thought
    # Nobody else is sent another provider's signature.
    assert [kind for kind in SENT if "c2ln" in sent[kind]] == [ProviderKind.ANTHROPIC]
