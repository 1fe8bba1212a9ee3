"""Tools in all four protocols, over real sockets: told of, called in pieces, answered."""

import json
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from llm_ui.errors import ProviderError, ProviderFault
from llm_ui.kit.http import new_client
from llm_ui.models import ProviderKind
from llm_ui.providers import calls
from llm_ui.providers.base import (
    CallDelta,
    Delta,
    Endpoint,
    Finish,
    Prompt,
    PromptMessage,
    TextDelta,
    Timeouts,
    ToolCall,
    ToolResult,
    ToolSpec,
)
from llm_ui.providers.registry import adapter
from tests.fakes.provider import PROTOCOLS, FakeProvider, answer, reply, sse
from tests.fakes.tools import Scripted, calling, openai_call

GENEROUS = Timeouts(connect_s=5, first_byte_s=5, idle_s=5, total_s=20)
SCHEMA: dict[str, object] = {"type": "object", "properties": {"expression": {"type": "string"}}}
TOOLS = (ToolSpec("calculate", "Works out arithmetic.", SCHEMA),)
PROMPT = Prompt("some-model", "", (PromptMessage("user", "Hi"),), tools=TOOLS)
SUM = Scripted("calculate", {"expression": "1 + 1", "why": "für später"}, "call_a")
TIME = Scripted("current_time", {}, "call_b")


@pytest.fixture
async def http() -> AsyncIterator[httpx2.AsyncClient]:
    async with new_client() as client:
        yield client


async def ask(http: httpx2.AsyncClient, protocol: str, fake: FakeProvider, prompt: Prompt = PROMPT) -> list[Delta]:
    endpoint = Endpoint(fake.base_url(protocol), "key")
    return [delta async for delta in adapter(ProviderKind(protocol)).stream(http, endpoint, prompt, GENEROUS)]


def called(deltas: list[Delta]) -> list[ToolCall]:
    return [delta.call for delta in deltas if isinstance(delta, CallDelta)]


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_calls_are_put_together_from_their_pieces(http: httpx2.AsyncClient, protocol: str) -> None:
    async with FakeProvider(reply(protocol, calling(protocol, [SUM, TIME], ["Let me ", "see."]))) as fake:
        deltas = await ask(http, protocol, fake)

    assert "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)) == "Let me see."
    first, second = called(deltas)
    assert (first.name, first.arguments) == ("calculate", SUM.arguments)
    assert (second.name, second.arguments) == ("current_time", {})
    assert first.id
    assert first.id != second.id
    assert isinstance(deltas[-1], Finish)
    assert "Works out arithmetic." in json.dumps(fake.requests[0].json()["tools"])


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_calls_and_their_results_go_back_as_the_protocol_wants(http: httpx2.AsyncClient, protocol: str) -> None:
    sum_up = ToolCall("call_a", "calculate", {"expression": "1 + 1"}, "signed")
    tell_time = ToolCall("call_b", "current_time", None)
    results = (ToolResult("call_a", "calculate", "2"), ToolResult("call_b", "current_time", "no", is_error=True))
    messages = (
        PromptMessage("user", "Hi"),
        PromptMessage("assistant", "Let me see.", calls=(sum_up, tell_time)),
        PromptMessage("user", "", results=results),
    )
    async with FakeProvider(reply(protocol, answer(protocol, ["Two."]))) as fake:
        await ask(http, protocol, fake, replace(PROMPT, messages=messages, may_call=False))

    sent = fake.requests[0].json()
    assert as_sent(protocol, sent) == EXPECTED[protocol]
    forbids = {
        "openai": sent.get("tool_choice") == "none",
        "anthropic": sent.get("tool_choice") == {"type": "none"},
        "google": sent.get("toolConfig") == {"functionCallingConfig": {"mode": "NONE"}},
        "ollama": "tools" not in sent,
    }
    assert forbids[protocol]


def as_sent(protocol: str, sent: dict[str, Any]) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = sent["contents" if protocol == "google" else "messages"]
    return messages[1:]


def openai_sent(call_id: str, name: str, arguments: str) -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


EXPECTED: dict[str, list[dict[str, Any]]] = {
    "openai": [
        {
            "role": "assistant",
            "content": "Let me see.",
            "tool_calls": [
                openai_sent("call_a", "calculate", '{"expression": "1 + 1"}'),
                openai_sent("call_b", "current_time", "{}"),
            ],
        },
        {"role": "tool", "tool_call_id": "call_a", "content": "2"},
        {"role": "tool", "tool_call_id": "call_b", "content": "no"},
    ],
    "anthropic": [
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "Let me see."},
                {"type": "tool_use", "id": "call_a", "name": "calculate", "input": {"expression": "1 + 1"}},
                {"type": "tool_use", "id": "call_b", "name": "current_time", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "call_a", "content": "2", "is_error": False},
                {"type": "tool_result", "tool_use_id": "call_b", "content": "no", "is_error": True},
            ],
        },
    ],
    "google": [
        {
            "role": "model",
            "parts": [
                {"text": "Let me see."},
                {
                    "functionCall": {"name": "calculate", "args": {"expression": "1 + 1"}},
                    "thoughtSignature": "signed",
                },
                {"functionCall": {"name": "current_time", "args": {}}},
            ],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"name": "calculate", "response": {"result": "2"}}},
                {"functionResponse": {"name": "current_time", "response": {"error": "no"}}},
            ],
        },
    ],
    "ollama": [
        {
            "role": "assistant",
            "content": "Let me see.",
            "tool_calls": [
                {"function": {"name": "calculate", "arguments": {"expression": "1 + 1"}}},
                {"function": {"name": "current_time", "arguments": {}}},
            ],
        },
        {"role": "tool", "tool_name": "calculate", "content": "2"},
        {"role": "tool", "tool_name": "current_time", "content": "no"},
    ],
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("arguments", ['{"expression": "1 +', "[1]", "not JSON", "[" * 3_000])
async def test_arguments_that_are_no_object_make_a_call_without_any(
    http: httpx2.AsyncClient, protocol: str, arguments: str
) -> None:
    async with FakeProvider(reply(protocol, calling(protocol, [Scripted("calculate", arguments)]))) as fake:
        (call,) = called(await ask(http, protocol, fake))

    assert (call.name, call.arguments) == ("calculate", None)


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_f3_a_call_that_breaks_off_is_none(http: httpx2.AsyncClient, protocol: str) -> None:
    whole = calling(protocol, [SUM], ["Let me see."])
    for cut in range(1, len(whole) - 1):
        deltas: list[Delta] = []
        endpoint_of = reply(protocol, whole[:cut])
        async with FakeProvider(endpoint_of) as fake:
            found = adapter(ProviderKind(protocol)).stream(
                http, Endpoint(fake.base_url(protocol), "key"), PROMPT, GENEROUS
            )
            with suppress(ProviderError):
                async for delta in found:
                    deltas.append(delta)
        assert all(call.arguments == SUM.arguments for call in called(deltas))


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_f15_the_same_id_twice_makes_two_calls_with_ids_of_their_own(
    http: httpx2.AsyncClient, protocol: str
) -> None:
    async with FakeProvider(reply(protocol, calling(protocol, [SUM, replace(TIME, id=SUM.id)]))) as fake:
        first, second = called(await ask(http, protocol, fake))

    assert (first.name, second.name) == ("calculate", "current_time")
    assert first.id != second.id


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_f82_of_very_many_calls_some_are_taken(http: httpx2.AsyncClient, protocol: str) -> None:
    many = [Scripted("calculate", {"expression": str(n)}, f"call_{n}") for n in range(1_000)]
    async with FakeProvider(reply(protocol, calling(protocol, many))) as fake:
        found = called(await ask(http, protocol, fake))

    assert [call.arguments for call in found] == [call.arguments for call in many[: calls.MAX_CALLS]]


async def test_f15_deltas_out_of_order_and_twice_make_each_call_once(http: httpx2.AsyncClient) -> None:
    *_, finish, usage, done = answer("openai", [], reason="tool_calls")
    deltas = [
        openai_call(1, "call_b", "current_time", ""), openai_call(0, "call_a", "calculate", '{"expr'),
        openai_call(0, "call_a", "calculate", 'ession": '), openai_call(1, None, None, "{}"),
        openai_call(0, None, None, '"1 + 1"}'), finish, finish,
    ]  # fmt: skip
    async with FakeProvider(reply("openai", [*deltas, usage, done])) as fake:
        found = called(await ask(http, "openai", fake))

    assert found == [
        ToolCall("call_a", "calculate", {"expression": "1 + 1"}), ToolCall("call_b", "current_time", {})
    ]  # fmt: skip


async def test_calls_of_servers_that_number_none(http: httpx2.AsyncClient) -> None:
    def delta(**told: object) -> bytes:
        return sse({"choices": [{"delta": {"tool_calls": [told]}}]})

    *_, finish, usage, done = answer("openai", [], reason="tool_calls")
    whole = [
        delta(id="a", function={"name": "calculate", "arguments": '{"expression"'}),
        delta(function={"arguments": ': "2"}'}),
        delta(id="b", function={"name": "calculate", "arguments": {"expression": "3"}}),
        delta(function={"name": "current_time"}),
    ]
    async with FakeProvider(reply("openai", [*whole, finish, usage, done])) as fake:
        found = called(await ask(http, "openai", fake))

    assert [(call.name, call.arguments) for call in found] == [
        ("calculate", {"expression": "2"}), ("calculate", {"expression": "3"}), ("current_time", {})
    ]  # fmt: skip


@pytest.mark.parametrize("protocol", ["openai", "anthropic"])
async def test_f82_endless_arguments_end_the_answer(http: httpx2.AsyncClient, protocol: str) -> None:
    endless = Scripted("calculate", "1" * (calls.MAX_ARGUMENT_CHARS + 1))
    async with FakeProvider(reply(protocol, calling(protocol, [endless]))) as fake:
        with pytest.raises(ProviderError) as raised:
            await ask(http, protocol, fake)

    assert raised.value.fault is ProviderFault.PROTOCOL_BROKEN


async def test_a_call_that_google_cannot_read_is_an_error(http: httpx2.AsyncClient) -> None:
    async with FakeProvider(reply("google", answer("google", [], reason="MALFORMED_FUNCTION_CALL"))) as fake:
        with pytest.raises(ProviderError, match="called a tool in a way that nobody can read"):
            await ask(http, "google", fake)
