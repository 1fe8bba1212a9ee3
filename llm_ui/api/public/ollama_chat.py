"""Questions to Ollama's `/api/chat` and `/api/generate`, as https://docs.ollama.com/api has them, read 2026-11-22."""

import time
from typing import Annotated, Any, Literal

from pydantic import Field

from llm_ui.api.public import asking
from llm_ui.api.public.asking import MAX_MESSAGES, MAX_TOOLS, Conversation, Question
from llm_ui.api.public.chat_completions import Tool
from llm_ui.api.public.dialects import OLLAMA
from llm_ui.api.public.fields import Refused, Sent, image, read
from llm_ui.api.public.writing import Told, Whole, Writer, written
from llm_ui.contract import Usage
from llm_ui.errors import LLMUIError
from llm_ui.kit.clock import now
from llm_ui.kit.text import storable
from llm_ui.providers.base import Image, Output, Prompt, Sampling, ToolCall

BEGINNINGS = {"iVBOR": "image/png", "/9j/": "image/jpeg", "R0lGOD": "image/gif", "UklGR": "image/webp"}
"""Of images in base64: the protocol does not say what they are."""


class Options(Sent):
    """What the answer is to be like. What is about the machine that runs a model (`num_ctx`, …) is left out."""

    temperature: asking.Warmth | None = None
    top_p: asking.Share | None = None
    top_k: Annotated[int, Field(ge=0, le=100_000)] | None = None
    num_predict: int | None = None
    stop: Any = None
    seed: int | None = None
    presence_penalty: asking.Penalty | None = None
    frequency_penalty: asking.Penalty | None = None


class Function(Sent):
    """What is called, and with what."""

    name: str
    arguments: Annotated[dict[str, Any], Field(default_factory=dict)]


class Called(Sent):
    """A call of an earlier answer."""

    id: str | None = None
    function: Function


class Message(Sent):
    """One message."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str | None = None
    images: list[str] | None = None
    tool_calls: list[Called] | None = None
    tool_name: str | None = None
    tool_call_id: str | None = None


class AskBody(Sent):
    """What both ways of asking have."""

    model: asking.Name
    stream: bool | None = None
    format: str | dict[str, Any] | None = None
    think: bool | str | None = None
    options: Options = Options()

    def asked(self, conversation: Conversation, tools: list[Tool] | None = None) -> Question:
        """Return the question. Raises `Refused`."""
        options = self.options
        sampling = Sampling(
            top_p=options.top_p,
            top_k=options.top_k,
            stop=asking.stops_of("options.stop", options.stop),
            seed=options.seed,
            presence_penalty=options.presence_penalty,
            frequency_penalty=options.frequency_penalty,
            effort=self._effort(),
        )
        prompt = Prompt(
            model=self.model,
            system=conversation.system,
            messages=conversation.messages("messages"),
            temperature=options.temperature,
            # Below 1 there is no limit.
            max_tokens=options.num_predict if (options.num_predict or 0) > 0 else None,
            tools=tuple(tool.function.spec() for tool in tools or ()),
            output=self._output(),
            sampling=sampling,
        )
        return Question(self.model, prompt, is_stream=self.stream is not False)

    def _effort(self) -> str:
        if self.think is None or isinstance(self.think, bool):
            return {None: "", True: "medium", False: "none"}[self.think]
        return asking.effort_of("think", self.think)

    def _output(self) -> Output | None:
        if not self.format:
            return None
        if isinstance(self.format, dict):
            return Output(self.format)
        if self.format != "json":
            raise Refused("format", "format is json, or a JSON Schema. Correct it and send again.")
        return Output()


class ChatBody(AskBody):
    """The body of a question in a conversation."""

    messages: Annotated[list[Message], Field(min_length=1, max_length=MAX_MESSAGES)]
    tools: Annotated[list[Tool], Field(max_length=MAX_TOOLS)] | None = None


class GenerateBody(AskBody):
    """The body of a question alone."""

    prompt: str = ""
    system: str | None = None
    images: list[str] | None = None
    suffix: str | None = None
    template: str | None = None
    context: list[int] | None = None
    raw: bool | None = None


def chat_question(raw: bytes) -> Question:
    """Return what a body asks. Raises `InvalidInput`."""
    body = read(ChatBody, raw)
    conversation = Conversation()
    for place, message in enumerate(body.messages):
        _read(conversation, f"messages[{place}]", message)
    return body.asked(conversation, body.tools)


def generate_question(raw: bytes) -> Question:
    """Return what a body asks. Raises `InvalidInput`."""
    body = read(GenerateBody, raw)
    for param in ("suffix", "template", "context", "raw"):
        if getattr(body, param):
            raise Refused(
                param, "{param} is not taken here. Send a prompt, or a conversation to /api/chat.", param=param
            )
    if not body.prompt and not body.images:
        raise Refused("prompt", "prompt: there is nothing to answer. Send a text.")
    conversation = Conversation()
    conversation.instruct(body.system or "")
    conversation.say(storable(body.prompt), _images("images", body.images))
    return body.asked(conversation)


def _read(conversation: Conversation, param: str, message: Message) -> None:
    text, images = storable(message.content or ""), _images(f"{param}.images", message.images)
    match message.role:
        case "system":
            conversation.instruct(text)
        case "user":
            conversation.say(text, images)
        case "tool":
            call_id = message.tool_call_id or conversation.id_of(message.tool_name)
            conversation.result(param, call_id, text, images)
        case _:
            calls = (
                asking.call_of(f"{param}.tool_calls[{place}]", call.id, call.function.name, call.function.arguments)
                for place, call in enumerate(message.tool_calls or ())
            )
            conversation.reply(text, tuple(calls))


def _images(param: str, images: list[str] | None) -> tuple[Image, ...]:
    return tuple(image(f"{param}[{place}]", _kind(data), data) for place, data in enumerate(images or ()))


def _kind(data: str) -> str | None:
    return next((kind for begins, kind in BEGINNINGS.items() if data.startswith(begins)), None)


class LineWriter(Writer):
    """Writes one answer, a line for each piece."""

    content_type = "application/x-ndjson"

    def __init__(self, asked: Question) -> None:
        self._model = asked.model
        self._began = time.monotonic_ns()

    def said(self, text: str, *, thought: str = "", calls: tuple[ToolCall, ...] = ()) -> Told:
        """Return a piece as a conversation has it."""
        message: Told = {"role": "assistant", "content": text}
        if thought:
            message["thinking"] = thought
        if calls:
            message["tool_calls"] = [
                {"id": call.id, "function": {"name": call.name, "arguments": call.arguments}} for call in calls
            ]
        return {"message": message}

    def text(self, text: str) -> bytes:
        """Return the line of a piece of the text."""
        return self._line(self.said(text))

    def thought(self, text: str) -> bytes:
        """Return the line of a piece of what the model thinks."""
        return self._line(self.said("", thought=text))

    def call(self, call: ToolCall) -> bytes:
        """Return the line of a call."""
        return self._line(self.said("", calls=(call,)))

    def end(self, whole: Whole, usage: Usage) -> bytes:
        """Return the last line."""
        return self._line({**self.said(""), **self._end(whole, usage)})

    def failed(self, error: LLMUIError) -> bytes:
        """Return the line for an answer that goes wrong on its way."""
        return written(OLLAMA.refusal(error)[1]) + b"\n"

    def whole(self, whole: Whole, usage: Usage) -> Told:
        """Return the answer as one object."""
        said = self.said(whole.text, thought=whole.thought, calls=tuple(whole.calls))
        return {**self._head(), **said, **self._end(whole, usage)}

    def _head(self) -> Told:
        return {"model": self._model, "created_at": now().isoformat().replace("+00:00", "Z")}

    def _line(self, told: Told) -> bytes:
        return written({**self._head(), "done": False, **told}) + b"\n"

    def _end(self, whole: Whole, usage: Usage) -> Told:
        return {
            "done": True,
            "done_reason": "length" if whole.reason in ("length", "cap") else "stop",
            "total_duration": time.monotonic_ns() - self._began,
            "load_duration": 0,
            "prompt_eval_count": usage.input_tokens,
            "eval_count": usage.output_tokens,
        }


class GenerateWriter(LineWriter):
    """Writes one answer to a question alone."""

    def said(self, text: str, *, thought: str = "", calls: tuple[ToolCall, ...] = ()) -> Told:
        """Return a piece; there are no calls."""
        del calls
        return {"response": text, "thinking": thought} if thought else {"response": text}
