"""`POST /v1/responses`, as https://platform.openai.com/docs/api-reference/responses has it, read 2026-11-22.

Nothing is stored: whoever goes on sends the whole conversation, and `store` comes back as false.
"""

from typing import Annotated, Any

from pydantic import Field

from llm_ui.api.public import asking
from llm_ui.api.public.asking import MAX_MESSAGES, MAX_TOOLS, Conversation, Count, Question
from llm_ui.api.public.chat_completions import FunctionSpec
from llm_ui.api.public.fields import (
    Refused,
    Sent,
    content_of,
    image_of_url,
    part_of,
    parts_of,
    read,
    text_of,
    unknown_part,
)
from llm_ui.api.public.writing import Told
from llm_ui.kit.text import storable
from llm_ui.providers.base import Image, Prompt, Sampling
from llm_ui.providers.calls import parsed

NOT_STORED = "{param}: answers are not stored here. Send the whole conversation as input."
TEXTS = ("input_text", "output_text", "text", "refusal")


class TextSettings(Sent):
    """What form the text is to have."""

    format: Any = None


class Reasoning(Sent):
    """How much the model is to think."""

    effort: Any = None


class ResponsesBody(Sent):
    """The body of a question."""

    model: asking.Name
    input: Any
    instructions: str | None = None
    stream: bool | None = None
    background: bool | None = None
    previous_response_id: str | None = None
    conversation: Any = None
    tools: Annotated[list[dict[str, Any]], Field(max_length=MAX_TOOLS)] | None = None
    tool_choice: Any = None
    parallel_tool_calls: bool | None = None
    text: TextSettings = TextSettings()
    reasoning: Reasoning | None = None
    temperature: asking.Warmth | None = None
    top_p: asking.Share | None = None
    max_output_tokens: Count | None = None
    metadata: dict[str, str] | None = None
    user: asking.User | None = None


def question(raw: bytes) -> Question:
    """Return what a body asks. Raises `InvalidInput`."""
    body = read(ResponsesBody, raw)
    for param in ("background", "previous_response_id", "conversation"):
        if getattr(body, param):
            raise Refused(param, NOT_STORED, param=param)
    tools = tuple(_tool(f"tools[{place}]", tool).spec() for place, tool in enumerate(body.tools or ()))
    may_call, must_call = asking.choice_of(body.tool_choice, tools)
    conversation = Conversation()
    conversation.instruct(storable(body.instructions or ""))
    for place, item in enumerate(_items(body.input)):
        _read(conversation, f"input[{place}]", item)
    sampling = Sampling(
        top_p=body.top_p,
        user=storable(body.user or ""),
        effort=asking.effort_of("reasoning.effort", body.reasoning and body.reasoning.effort),
        is_one_call=body.parallel_tool_calls is False,
    )
    prompt = Prompt(
        model=body.model,
        system=conversation.system,
        messages=conversation.messages("input"),
        temperature=body.temperature,
        max_tokens=body.max_output_tokens,
        tools=tools,
        may_call=may_call,
        must_call=must_call,
        output=asking.output_of("text.format", body.text.format),
        sampling=sampling,
    )
    return Question(body.model, prompt, is_stream=bool(body.stream), metadata=body.metadata)


def _tool(param: str, tool: dict[str, Any]) -> FunctionSpec:
    if tool.get("type") != "function":
        raise Refused(param, "{param}: only functions are taken as tools here. Leave the others out.", param=param)
    return part_of(FunctionSpec, param, tool)


def _items(given: object) -> list[Told]:
    if isinstance(given, str):
        return [{"role": "user", "content": given}]
    if isinstance(given, list) and len(given) <= MAX_MESSAGES and all(isinstance(item, dict) for item in given):
        return given
    raise Refused("input", "input has to be a text, or a list of up to {most} items. Correct it.", most=MAX_MESSAGES)


def _read(conversation: Conversation, param: str, item: Told) -> None:
    match item.get("type", "message"):
        case "message":
            _say(conversation, param, item)
        case "function_call":
            given = item.get("arguments")
            arguments = parsed(given) if isinstance(given, str) else None
            conversation.call(asking.call_of(param, item.get("call_id"), item.get("name"), arguments))
        case "function_call_output":
            output = f"{param}.output"
            text, images = content_of(output, parts_of(output, item.get("output")), _part)
            conversation.result(f"{param}.call_id", item.get("call_id"), text, images)
        case "reasoning":
            # Of an earlier answer: other models cannot read it.
            pass
        case _:
            raise unknown_part(param, item)


def _say(conversation: Conversation, param: str, item: Told) -> None:
    content = f"{param}.content"
    text, images = content_of(content, parts_of(content, item.get("content")), _part)
    match item.get("role"):
        case "user":
            conversation.say(text, images)
        case "assistant":
            conversation.reply(text)
        case "system" | "developer":
            conversation.instruct(text)
        case _:
            where = f"{param}.role"
            raise Refused(where, "{param} is user, assistant, system or developer. Correct it.", param=where)


def _part(where: str, part: Told) -> str | Image:
    if part.get("type") in TEXTS:
        return text_of(where, part, "refusal" if part.get("type") == "refusal" else "text")
    if part.get("type") == "input_image":
        return image_of_url(f"{where}.image_url", part.get("image_url"))
    raise unknown_part(where, part)
