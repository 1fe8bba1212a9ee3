"""What LiteLLM's client is asked, in an environment of its own: `python litellm_calls.py ADDRESS KEY PROTOCOL IMAGE`.

Prints what came of it as JSON. Nothing of ours is imported: the environment holds LiteLLM and nothing else.
"""

import asyncio
import json
import sys
from typing import Any

import litellm

litellm.suppress_debug_info = True
WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = {"type": "function", "function": {"name": "weather", "description": "Tells it.", "parameters": WEATHER}}
BIRD = {
    "type": "object", "properties": {"name": {"type": "string"}, "legs": {"type": "integer"}},
    "required": ["name", "legs"], "additionalProperties": False,
}  # fmt: skip


async def asked(url: str, key: str, provider: str, image: str) -> dict[str, Any]:
    """Return what each call gave: through LiteLLM's OpenAI and Anthropic ways."""
    found: dict[str, Any] = {}
    for way, base in (("openai", f"{url}/v1"), ("anthropic", url)):
        common: dict[str, Any] = {"model": f"{way}/{provider}", "api_base": base, "api_key": key, "max_retries": 0}
        found[way] = await _calls(common, image)
        if way == "openai" and provider != "anthropic":
            names = {**common, "model": f"openai/{provider}-embed", "encoding_format": "float"}
            told = await litellm.aembedding(**names, input=["a heron"])
            found["vector"] = told.data[0]["embedding"]
    return found


async def _calls(common: dict[str, Any], image: str) -> dict[str, Any]:
    def say(kind: str) -> list[Any]:
        return [{"role": "user", "content": kind}]

    whole = await litellm.acompletion(**common, messages=say("whole"), max_tokens=99)
    stream = await litellm.acompletion(**common, messages=say("stream"), stream=True, max_tokens=99)
    pieces = [chunk.choices[0].delta.content async for chunk in stream]
    messages = say("tools")
    first = await litellm.acompletion(**common, messages=messages, tools=[TOOL], max_tokens=99)
    message = first.choices[0].message
    (call,) = message.tool_calls
    messages += [message, {"role": "tool", "tool_call_id": call.id, "content": "rain"}]
    last = await litellm.acompletion(**common, messages=messages, tools=[TOOL], max_tokens=99)
    form = {"type": "json_schema", "json_schema": {"name": "Bird", "schema": BIRD, "strict": True}}
    bird = await litellm.acompletion(**common, messages=say("form"), response_format=form, max_tokens=99)
    parts = [{"type": "text", "text": "see"}, {"type": "image_url", "image_url": {"url": image}}]
    seen = await litellm.acompletion(**common, messages=say(parts), max_tokens=99)  # type: ignore[arg-type]
    try:
        await litellm.acompletion(**{**common, "model": common["model"] + "-none"}, messages=say("x"), max_tokens=9)
        refused = ""
    except litellm.NotFoundError as error:
        refused = str(error)
    endless = await litellm.acompletion(**common, messages=say("endless"), stream=True, max_tokens=99)
    await anext(aiter(endless))
    await endless.aclose()
    return {
        "whole": whole.choices[0].message.content,
        "tokens": [whole.usage.prompt_tokens, whole.usage.completion_tokens],
        "stream": "".join(filter(None, pieces)),
        "call": [call.function.name, json.loads(call.function.arguments)],
        "after": last.choices[0].message.content,
        "form": json.loads(bird.choices[0].message.content),
        "seen": seen.choices[0].message.content,
        "refused": refused,
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(asked(*sys.argv[1:]))))
