"""What is sent to see whether anything crashes: good bodies of each protocol, then broken in one place or a few."""

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

MODEL = "openai"
EMBEDDER = "openai-embed"
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
HERON = "What is a heron?"

CHAT = {
    "model": MODEL,
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [
            {"type": "text", "text": HERON},
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
        ]},
        {"role": "assistant", "content": None, "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Ulm"}'},
             "extra_content": {"google": {"thought_signature": "x"}}},
        ]},
        {"role": "tool", "tool_call_id": "c1", "content": "rain"},
    ],
    "tools": [{"type": "function", "function": {
        "name": "weather", "description": "Tells it.", "parameters": SCHEMA, "strict": True}}],
    "tool_choice": "auto", "parallel_tool_calls": False, "stream": True, "stream_options": {"include_usage": True},
    "response_format": {"type": "json_schema", "json_schema": {"name": "bird", "schema": SCHEMA, "strict": True}},
    "reasoning_effort": "low", "temperature": 0.5, "top_p": 0.9, "n": 1, "seed": 7, "stop": ["END"], "max_tokens": 99,
    "presence_penalty": 0.1, "frequency_penalty": 0.1, "logit_bias": {"50": 1}, "logprobs": True, "top_logprobs": 2,
    "user": "u1", "modalities": ["text"],
}  # fmt: skip
RESPONSES = {
    "model": MODEL, "instructions": "Be brief.", "stream": True, "max_output_tokens": 99, "temperature": 0.5,
    "input": [
        {"role": "user", "content": [
            {"type": "input_text", "text": HERON},
            {"type": "input_image", "image_url": f"data:image/png;base64,{PNG}"},
        ]},
        {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "rain"},
    ],
    "tools": [{"type": "function", "name": "weather", "parameters": SCHEMA, "strict": True}], "tool_choice": "auto",
    "text": {"format": {"type": "json_schema", "name": "bird", "schema": SCHEMA}}, "reasoning": {"effort": "low"},
}  # fmt: skip
MESSAGES = {
    "model": "anthropic", "max_tokens": 99, "stream": True, "system": [{"type": "text", "text": "Be brief."}],
    "messages": [
        {"role": "user", "content": [
            {"type": "text", "text": HERON},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
        ]},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "weather", "input": {"city": "U"}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "rain"}]},
    ],
    "tools": [{"name": "weather", "description": "Tells it.", "input_schema": SCHEMA}],
    "tool_choice": {"type": "auto", "disable_parallel_tool_use": True}, "stop_sequences": ["END"],
    "thinking": {"type": "enabled", "budget_tokens": 1_024}, "metadata": {"user_id": "u1"}, "top_k": 5, "top_p": 0.9,
}  # fmt: skip
GENERATE = {
    "contents": [
        {"role": "user", "parts": [{"text": HERON}, {"inlineData": {"mimeType": "image/png", "data": PNG}}]},
        {"role": "model", "parts": [{"functionCall": {"name": "weather", "args": {"city": "Ulm"}}}]},
        {"role": "user", "parts": [{"functionResponse": {"name": "weather", "response": {"sky": "rain"}}}]},
    ],
    "systemInstruction": {"parts": [{"text": "Be brief."}]},
    "tools": [{"functionDeclarations": [{"name": "weather", "description": "Tells.", "parameters": SCHEMA}]}],
    "toolConfig": {"functionCallingConfig": {"mode": "AUTO", "allowedFunctionNames": ["weather"]}},
    "generationConfig": {
        "temperature": 0.5, "topP": 0.9, "topK": 5, "candidateCount": 1, "maxOutputTokens": 99, "seed": 7,
        "stopSequences": ["END"], "responseMimeType": "application/json", "responseSchema": SCHEMA,
        "thinkingConfig": {"thinkingBudget": 100},
    },
}  # fmt: skip
OPTIONS = {"temperature": 0.5, "top_p": 0.9, "top_k": 5, "num_predict": 99, "stop": ["END"], "seed": 7}
OLLAMA = {
    "model": "ollama", "stream": True, "format": SCHEMA, "think": True, "options": OPTIONS,
    "messages": [
        {"role": "user", "content": HERON, "images": [PNG]},
        {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "weather", "arguments": {"c": 1}}}]},
        {"role": "tool", "tool_name": "weather", "content": "rain"},
    ],
    "tools": [{"type": "function", "function": {"name": "weather", "description": "T", "parameters": SCHEMA}}],
}  # fmt: skip
EMBED_GOOGLE = {"model": EMBEDDER, "content": {"parts": [{"text": HERON}]}, "taskType": "RETRIEVAL_QUERY"}

BODIES: dict[str, object] = {
    "POST /v1/chat/completions": CHAT,
    "POST /api/v1/chat/completions": CHAT,
    "POST /v1/responses": RESPONSES,
    "POST /v1/messages": MESSAGES,
    "POST /v1/messages/count_tokens": MESSAGES,
    "POST /v1/embeddings": {"model": EMBEDDER, "input": [HERON], "encoding_format": "base64", "dimensions": 8},
    "POST /v1beta/models/google:generateContent": GENERATE,
    "POST /v1beta/models/google:streamGenerateContent": GENERATE,
    "POST /api/v1beta/models/google:countTokens": {"contents": GENERATE["contents"]},
    "POST /v1/models/google:countTokens": {"generateContentRequest": GENERATE},
    f"POST /v1beta/models/{EMBEDDER}:embedContent": EMBED_GOOGLE,
    f"POST /v1beta/models/{EMBEDDER}:batchEmbedContents": {"requests": [EMBED_GOOGLE, EMBED_GOOGLE]},
    "POST /api/chat": OLLAMA,
    "POST /api/generate": {
        "model": "ollama", "prompt": HERON, "system": "Be brief.", "images": [PNG], "stream": False,
        "format": "json", "options": OPTIONS, "think": "low",
    },
    "POST /api/embed": {"model": EMBEDDER, "input": [HERON], "dimensions": 8, "truncate": True},
    "POST /api/show": {"model": "ollama"},
    "GET /v1/models": None,
    "GET /v1/models/openai": None,
    "GET /v1beta/models": None,
    "GET /api/tags": None,
    "GET /api/version": None,
}  # fmt: skip
"""A good body for each address of a protocol."""

JUNK: tuple[object, ...] = (
    None, True, False, -1, 0, 1, 0.5, 1e308, -1e308, 2**31, 2**63, -(2**63) - 1, 10**30, float("nan"), float("inf"),
    "", " ", "\x00", "\ud800", "\udfff\ud800", "a" * 70_000, "é\u0301" * 50, "\u202e",
    "👩‍👩‍👧‍👦", "{", "{}", "[]", "null", "auto",
    "data:image/png;base64,", "data:image/png;base64,====", "../../etc/passwd", "%00", "' OR 1=1 --", "{{7*7}}",
    "1e999", "٣", [], [[]], {}, {"": {}}, {"type": None}, {"type": "text"}, {"type": "text", "text": 5}, [None], [0],
    {"type": "object", "properties": []}, {"$ref": "#"}, {"type": ["string", None]}, ["a"] * 300,
)  # fmt: skip
HEADERS: tuple[dict[str, str], ...] = (
    {}, {}, {}, {"Content-Type": "text/plain"}, {"Content-Encoding": "gzip"}, {"Accept": "\xff"},
    {"X-Request-ID": "\xff"},
    {"Content-Type": "multipart/form-data"}, {"traceparent": "00-zz-0-0"},
    {"traceparent": f"00-{'1' * 32}-{'2' * 16}-01"},
    {"Cache-Control": "no-cache, \xe9=,,"}, {"Accept-Language": "de;q=x,*;;,\xff"}, {"Last-Event-ID": "-1"},
    {"X-Forwarded-For": "::ffff:1, \xe9"}, {"Range": "bytes=9-1"}, {"If-Match": '"\xff'}, {"If-None-Match": "W/"},
    {"anthropic-version": "x", "anthropic-beta": "\xff"}, {"x-goog-api-key": ""}, {"Idempotency-Key": "\xff" * 300},
)  # fmt: skip


def broken(chance: random.Random, body: object) -> bytes:
    """Return a body with some parts replaced, left out, doubled or wrapped, sometimes cut off or garbled."""
    if body is None:
        return b""
    raw = json.dumps(changed(chance, body), ensure_ascii=chance.random() < 0.7).encode(errors="surrogatepass")
    match chance.randrange(12):
        case 0:
            return raw[: chance.randrange(len(raw) + 1)]
        case 1:
            at = chance.randrange(len(raw) or 1)
            return raw[:at] + chance.randbytes(chance.randrange(1, 9)) + raw[at + 3 :]
        case 2:
            return json.dumps(chance.choice(JUNK)).encode()
    return raw


def changed(chance: random.Random, body: object) -> Any:
    """Return a copy of a body with none to four parts replaced, left out, doubled or wrapped."""
    copied = copy.deepcopy(body)
    for _ in range(chance.choice((0, 1, 1, 1, 2, 4))):
        places = list(_places(copied))
        if places:
            _change(chance, *chance.choice(places))
    return copied


def _places(part: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each place below a part: what holds it, and its name or number there."""
    names = part if isinstance(part, dict) else range(len(part)) if isinstance(part, list) else ()
    for name in names:
        yield part, name
        yield from _places(part[name])


def _change(chance: random.Random, holder: Any, name: Any) -> None:
    match chance.randrange(6):
        case 0:
            del holder[name]
        case 1:
            holder[name] = [holder[name]]
        case 2:
            holder[name] = {"type": "text", "text": holder[name]}
        case 3 if isinstance(holder, list):
            holder.extend([holder[name]] * 3)
        case 4:
            deep: object = chance.choice(JUNK)
            for _ in range(chance.choice((3, 40, 300))):
                deep = [deep] if chance.random() < 0.5 else {"a": deep}
            holder[name] = deep
        case _:
            holder[name] = chance.choice(JUNK)
