"""The clients of others, each asked in its own usual way: what they say comes back in one form."""

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import anthropic
import ollama
import openai
from google import genai
from google.genai import errors, types
from pydantic import BaseModel

WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
DESCRIPTION = "Tells it."
QUESTION = "What is it?"
RESULT = "rain, 9 degrees"


class Bird(BaseModel):
    """What is asked for."""

    name: str
    legs: int


@dataclass(frozen=True)
class Said:
    """An answer."""

    text: str
    reason: str
    tokens: tuple[int, int]


@dataclass(frozen=True)
class Refusal:
    """How the client told of an error."""

    status: int
    message: str


class ChatCompletions:
    """OpenAI's client."""

    whole, cut = "stop", "length"

    def __init__(self, url: str, key: str) -> None:
        self.client = openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0)

    async def chat(self, model: str) -> Said:
        told = await self.client.chat.completions.create(
            model=model, messages=[{"role": "system", "content": "Be brief."}, {"role": "user", "content": QUESTION}],
            temperature=0.5, top_p=0.9, stop="END", max_completion_tokens=99, user="u1",
        )  # fmt: skip
        assert told.usage is not None
        choice = told.choices[0]
        return Said(
            choice.message.content or "", choice.finish_reason,
            (told.usage.prompt_tokens, told.usage.completion_tokens),
        )  # fmt: skip

    async def stream(self, model: str) -> AsyncIterator[str]:
        stream = await self.client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": QUESTION}], stream=True
        )
        async with stream:
            async for chunk in stream:
                if chunk.choices and chunk.choices[0].delta.content:
                    yield chunk.choices[0].delta.content

    async def tools(self, model: str) -> tuple[str, Any, str]:
        tool: Any = {"name": "weather", "description": DESCRIPTION, "parameters": WEATHER}
        asked: dict[str, Any] = {"model": model, "tools": [{"type": "function", "function": tool}]}
        messages: list[Any] = [{"role": "user", "content": QUESTION}]
        first = (await self.client.chat.completions.create(**asked, messages=messages)).choices[0]
        assert first.finish_reason == "tool_calls"
        (call,) = first.message.tool_calls or ()
        messages += [first.message, {"role": "tool", "tool_call_id": call.id, "content": RESULT}]
        last = (await self.client.chat.completions.create(**asked, messages=messages)).choices[0]
        assert call.type == "function"
        return call.function.name, json.loads(call.function.arguments), last.message.content or ""

    async def structured(self, model: str) -> Bird | None:
        told = await self.client.chat.completions.parse(
            model=model, messages=[{"role": "user", "content": QUESTION}], response_format=Bird
        )
        return told.choices[0].message.parsed

    async def vision(self, model: str, image: str) -> str:
        parts: Any = [
            {"type": "text", "text": QUESTION},
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{image}", "detail": "low"}},
        ]
        told = await self.client.chat.completions.create(model=model, messages=[{"role": "user", "content": parts}])
        return told.choices[0].message.content or ""

    async def embed(self, model: str, texts: list[str]) -> list[list[float]]:
        told = await self.client.embeddings.create(model=model, input=texts)
        return [one.embedding for one in told.data]

    async def models(self) -> list[str]:
        return [model.id async for model in self.client.models.list()]

    def refusal(self, error: Exception) -> Refusal:
        assert isinstance(error, openai.APIStatusError)
        assert error.request_id
        return Refusal(error.status_code, error.message)

    async def close(self) -> None:
        await self.client.close()


class Responses(ChatCompletions):
    """OpenAI's client, on the newer of its addresses."""

    whole, cut = "completed", "incomplete"

    async def chat(self, model: str) -> Said:
        told = await self.client.responses.create(
            model=model, instructions="Be brief.", input=QUESTION, temperature=0.5, top_p=0.9, max_output_tokens=99
        )
        assert told.usage is not None
        return Said(told.output_text, told.status or "", (told.usage.input_tokens, told.usage.output_tokens))

    async def stream(self, model: str) -> AsyncIterator[str]:
        async with self.client.responses.stream(model=model, input=QUESTION) as stream:
            async for event in stream:
                if event.type == "response.output_text.delta":
                    yield event.delta

    async def tools(self, model: str) -> tuple[str, Any, str]:
        tool: Any = {"type": "function", "name": "weather", "description": DESCRIPTION, "parameters": WEATHER}
        items: list[Any] = [{"role": "user", "content": QUESTION}]
        first = await self.client.responses.create(model=model, input=items, tools=[tool])
        (call,) = [item for item in first.output if item.type == "function_call"]
        output = {"type": "function_call_output", "call_id": call.call_id, "output": RESULT}
        items += [*(item.model_dump() for item in first.output), output]
        last = await self.client.responses.create(model=model, input=items, tools=[tool])
        return call.name, json.loads(call.arguments), last.output_text

    async def structured(self, model: str) -> Bird | None:
        return (await self.client.responses.parse(model=model, input=QUESTION, text_format=Bird)).output_parsed

    async def vision(self, model: str, image: str) -> str:
        parts: Any = [
            {"type": "input_text", "text": QUESTION},
            {"type": "input_image", "image_url": f"data:image/png;base64,{image}", "detail": "auto"},
        ]
        told = await self.client.responses.create(model=model, input=[{"role": "user", "content": parts}])
        return told.output_text


class Messages:
    """Anthropic's client."""

    whole, cut = "end_turn", "max_tokens"

    def __init__(self, url: str, key: str) -> None:
        self.client = anthropic.AsyncAnthropic(base_url=url, api_key=key, max_retries=0)

    async def chat(self, model: str) -> Said:
        told = await self.client.messages.create(
            **self._asking(model),
            system=[{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
            extra_body={"temperature": 0.5, "top_p": 0.9}, stop_sequences=["END"], metadata={"user_id": "u1"},
        )  # fmt: skip
        assert told._request_id
        return Said(_text(told), told.stop_reason or "", (told.usage.input_tokens, told.usage.output_tokens))

    async def stream(self, model: str) -> AsyncIterator[str]:
        async with self.client.messages.stream(**self._asking(model)) as stream:
            async for text in stream.text_stream:
                yield text

    async def tools(self, model: str) -> tuple[str, Any, str]:
        tool: Any = {"name": "weather", "description": DESCRIPTION, "input_schema": WEATHER}
        asked = {**self._asking(model), "tools": [tool]}
        first = await self.client.messages.create(**asked)
        (use,) = [block for block in first.content if block.type == "tool_use"]
        result = {"type": "tool_result", "tool_use_id": use.id, "content": RESULT}
        asked["messages"] += [{"role": "assistant", "content": first.content}, {"role": "user", "content": [result]}]
        last = await self.client.messages.create(**asked)
        return use.name, use.input, _text(last)

    async def structured(self, model: str) -> Bird | None:
        return (await self.client.messages.parse(**self._asking(model), output_format=Bird)).parsed_output

    async def vision(self, model: str, image: str) -> str:
        source = {"type": "base64", "media_type": "image/png", "data": image}
        parts = [{"type": "image", "source": source}, {"type": "text", "text": QUESTION}]
        return _text(await self.client.messages.create(**self._asking(model, parts)))

    async def models(self) -> list[str]:
        return [model.id async for model in self.client.models.list()]

    def refusal(self, error: Exception) -> Refusal:
        assert isinstance(error, anthropic.APIStatusError)
        assert error.request_id
        return Refusal(error.status_code, error.message)

    async def close(self) -> None:
        await self.client.close()

    def _asking(self, model: str, content: object = QUESTION) -> dict[str, Any]:
        return {"model": model, "max_tokens": 99, "messages": [{"role": "user", "content": content}]}


def _text(message: Any) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


class GenerateContent:
    """Google's client."""

    whole, cut = "STOP", "MAX_TOKENS"

    def __init__(self, url: str, key: str) -> None:
        options = types.HttpOptions(base_url=url, retry_options=types.HttpRetryOptions(attempts=1))
        self.client = genai.Client(api_key=key, http_options=options)

    async def chat(self, model: str) -> Said:
        config = types.GenerateContentConfig(
            system_instruction="Be brief.", temperature=0.5, top_p=0.9, stop_sequences=["END"], max_output_tokens=99
        )
        told = await self.client.aio.models.generate_content(model=model, contents=QUESTION, config=config)
        used = told.usage_metadata
        assert used is not None
        tokens = used.prompt_token_count or 0, used.candidates_token_count or 0
        reason = (told.candidates or [])[0].finish_reason
        assert reason is not None
        return Said(told.text or "", reason.value, tokens)

    async def stream(self, model: str) -> AsyncIterator[str]:
        async for chunk in await self.client.aio.models.generate_content_stream(model=model, contents=QUESTION):
            if chunk.text:
                yield chunk.text

    async def tools(self, model: str) -> tuple[str, Any, str]:
        schema = types.Schema(
            type=types.Type.OBJECT, properties={"city": types.Schema(type=types.Type.STRING)}, required=["city"]
        )
        weather = types.FunctionDeclaration(name="weather", description=DESCRIPTION, parameters=schema)
        config = types.GenerateContentConfig(tools=[types.Tool(function_declarations=[weather])])
        contents: list[Any] = [types.Content(role="user", parts=[types.Part(text=QUESTION)])]
        first = await self.client.aio.models.generate_content(model=model, contents=contents, config=config)
        (call,) = first.function_calls or ()
        result = types.Part.from_function_response(name="weather", response={"result": RESULT})
        contents += [(first.candidates or [])[0].content, types.Content(role="user", parts=[result])]
        last = await self.client.aio.models.generate_content(model=model, contents=contents, config=config)
        return call.name or "", call.args, last.text or ""

    async def structured(self, model: str) -> Any:
        config = types.GenerateContentConfig(response_mime_type="application/json", response_schema=Bird)
        return (await self.client.aio.models.generate_content(model=model, contents=QUESTION, config=config)).parsed

    async def vision(self, model: str, image: str) -> str:
        part = types.Part.from_bytes(data=base64.b64decode(image), mime_type="image/png")
        told = await self.client.aio.models.generate_content(model=model, contents=[part, QUESTION])
        return told.text or ""

    async def embed(self, model: str, texts: list[str]) -> list[list[float]]:
        told = await self.client.aio.models.embed_content(model=model, contents=texts)  # type: ignore[arg-type]
        return [one.values or [] for one in told.embeddings or ()]

    async def models(self) -> list[str]:
        found = await self.client.aio.models.list()
        return [(model.name or "").removeprefix("models/") async for model in found]

    def refusal(self, error: Exception) -> Refusal:
        assert isinstance(error, errors.APIError)
        return Refusal(error.code, error.message or "")

    async def close(self) -> None:
        await self.client.aio.aclose()


class Ollama:
    """Ollama's client."""

    whole, cut = "stop", "length"

    def __init__(self, url: str, key: str) -> None:
        self.client = ollama.AsyncClient(host=url, headers={"Authorization": f"Bearer {key}"})

    async def chat(self, model: str) -> Said:
        options = {"temperature": 0.5, "top_p": 0.9, "stop": ["END"], "num_predict": 99}
        messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": QUESTION}]
        told = await self.client.chat(model=model, messages=messages, options=options)
        tokens = told.prompt_eval_count or 0, told.eval_count or 0
        return Said(told.message.content or "", told.done_reason or "", tokens)

    async def stream(self, model: str) -> AsyncIterator[str]:
        async for part in await self.client.generate(model=model, prompt=QUESTION, stream=True):
            if part.response:
                yield part.response

    async def tools(self, model: str) -> tuple[str, Any, str]:
        tool = {"type": "function", "function": {"name": "weather", "description": DESCRIPTION, "parameters": WEATHER}}
        messages: list[Any] = [{"role": "user", "content": QUESTION}]
        first = await self.client.chat(model=model, messages=messages, tools=[tool])
        (call,) = first.message.tool_calls or ()
        messages += [first.message, {"role": "tool", "tool_name": "weather", "content": RESULT}]
        last = await self.client.chat(model=model, messages=messages, tools=[tool])
        return call.function.name, call.function.arguments, last.message.content or ""

    async def structured(self, model: str) -> Bird | None:
        told = await self.client.chat(
            model=model, messages=[{"role": "user", "content": QUESTION}], format=Bird.model_json_schema()
        )
        return Bird.model_validate_json(told.message.content or "")

    async def vision(self, model: str, image: str) -> str:
        messages = [{"role": "user", "content": QUESTION, "images": [base64.b64decode(image)]}]
        return (await self.client.chat(model=model, messages=messages)).message.content or ""

    async def embed(self, model: str, texts: list[str]) -> list[list[float]]:
        return [list(one) for one in (await self.client.embed(model=model, input=texts)).embeddings]

    async def models(self) -> list[str]:
        shown = await self.client.show("openai")
        assert {"completion", "vision", "tools"} <= set(shown.capabilities or ())
        return [model.model or "" for model in (await self.client.list()).models]

    def refusal(self, error: Exception) -> Refusal:
        assert isinstance(error, ollama.ResponseError)
        return Refusal(error.status_code, error.error)

    async def close(self) -> None:
        await self.client.close()


SPEAKERS = {
    "chat_completions": ChatCompletions,
    "responses": Responses,
    "messages": Messages,
    "google": GenerateContent,
    "ollama": Ollama,
}
