"""Answers of the fake provider that call tools, in all four protocols."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.fakes.provider import answer, lines, sse, typed

PIECE_CHARS = 7
"""Arguments come in pieces of so many characters, where the protocol cuts them."""


@dataclass(frozen=True)
class Scripted:
    """One call."""

    name: str
    arguments: dict[str, Any] | str
    """A string goes out as it is, broken or not."""
    id: str = "call_1"


def calling(protocol: str, calls: Sequence[Scripted], pieces: Sequence[str] = ()) -> list[bytes]:
    """Return a whole answer: its text, then the calls; usage is 7 in, one a piece out."""
    ways = {"openai": _openai, "anthropic": _anthropic, "google": _google, "ollama": _ollama}
    return ways[protocol](calls, pieces)


def _cut(call: Scripted) -> list[str]:
    text = call.arguments if isinstance(call.arguments, str) else json.dumps(call.arguments)
    return [text[at : at + PIECE_CHARS] for at in range(0, len(text), PIECE_CHARS)]


def openai_call(index: int, call_id: str | None, name: str | None, piece: str) -> bytes:
    """Return one delta of a call."""
    told = {"index": index, "id": call_id, "type": "function", "function": {"name": name, "arguments": piece}}
    kept = {key: value for key, value in told.items() if value is not None}
    return sse({"id": "c1", "choices": [{"index": 0, "delta": {"tool_calls": [kept]}, "finish_reason": None}]})


def _openai(calls: Sequence[Scripted], pieces: Sequence[str]) -> list[bytes]:
    *said, finish, usage, done = answer("openai", pieces, reason="tool_calls")
    deltas = []
    for index, call in enumerate(calls):
        deltas.append(openai_call(index, call.id, call.name, ""))
        deltas += [openai_call(index, None, None, piece) for piece in _cut(call)]
    return [*said, *deltas, finish, usage, done]


def _anthropic(calls: Sequence[Scripted], pieces: Sequence[str]) -> list[bytes]:
    *said, finish, stop = answer("anthropic", pieces, reason="tool_use")
    deltas = []
    for index, call in enumerate(calls, 1):
        block = {"type": "tool_use", "id": call.id, "name": call.name, "input": {}}
        deltas.append(typed({"type": "content_block_start", "index": index, "content_block": block}))
        for piece in _cut(call):
            delta = {"type": "input_json_delta", "partial_json": piece}
            deltas.append(typed({"type": "content_block_delta", "index": index, "delta": delta}))
        deltas.append(typed({"type": "content_block_stop", "index": index}))
    return [*said, *deltas, finish, stop]


def _google(calls: Sequence[Scripted], pieces: Sequence[str]) -> list[bytes]:
    *said, finish = answer("google", pieces)
    parts = [
        {"functionCall": {"name": call.name, "args": call.arguments}, "thoughtSignature": f"signed {call.id}"}
        for call in calls
    ]
    return [*said, sse({"candidates": [{"content": {"role": "model", "parts": parts}}]}), finish]


def _ollama(calls: Sequence[Scripted], pieces: Sequence[str]) -> list[bytes]:
    *said, finish = answer("ollama", pieces)
    told = [{"function": {"name": call.name, "arguments": call.arguments}} for call in calls]
    message = {"role": "assistant", "content": "", "tool_calls": told}
    return [*said, lines({"model": "m", "message": message, "done": False}), finish]
