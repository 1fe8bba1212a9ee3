"""A question as the protocols share it: how its conversation is read, its tools, and the form of its answer."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from llm_ui.api.public.fields import Refused
from llm_ui.kit.text import storable
from llm_ui.providers.base import (
    ANY_TOOL,
    Image,
    Output,
    Prompt,
    PromptMessage,
    ToolCall,
    ToolResult,
    ToolSpec,
)  # fmt: skip
from llm_ui.providers.calls import new_id

MAX_MESSAGES = 10_000
MAX_TOOLS = 256
MAX_STOPS = 16
Name = Annotated[str, Field(min_length=1, max_length=300)]
Share = Annotated[float, Field(ge=0, le=1)]
Warmth = Annotated[float, Field(ge=0, le=2)]
Penalty = Annotated[float, Field(ge=-2, le=2)]
Count = Annotated[int, Field(ge=1, le=100_000_000)]
User = Annotated[str, Field(max_length=512)]
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh")


@dataclass(frozen=True, slots=True)
class Question:
    """What a script asks."""

    model: str
    prompt: Prompt
    is_stream: bool
    has_usage: bool = False
    """Whether the stream tells what was used, where a protocol leaves that to the script."""
    metadata: dict[str, str] | None = None
    """What the script wants to hear again beside the answer."""


@dataclass
class Conversation:
    """The messages of a question while they are read; results of calls that follow each other belong together."""

    _system: list[str] = field(default_factory=list)
    _messages: list[PromptMessage] = field(default_factory=list)
    _called: dict[str, str] = field(default_factory=dict)
    """The names of what was called, by the calls' ids."""
    _open: list[str] = field(default_factory=list)
    """The ids of calls without a result."""
    _results: list[ToolResult] = field(default_factory=list)
    _seen: tuple[Image, ...] = ()
    """Images among the results: they go with what the person says next."""

    def instruct(self, text: str) -> None:
        """Take what the model is told to be."""
        if text:
            self._system.append(text)

    def say(self, text: str, images: tuple[Image, ...] = ()) -> None:
        """Take what the person says."""
        self._end_results()
        self._messages.append(PromptMessage("user", text, (*self._seen, *images)))
        self._seen = ()

    def reply(self, text: str, calls: Sequence[ToolCall] = ()) -> None:
        """Take what the model said, and what it called after that."""
        self._end_results()
        self._end_images()
        self._messages.append(PromptMessage("assistant", text))
        for call in calls:
            self.call(call)

    def call(self, call: ToolCall) -> None:
        """Take a call: of the message before it, where that is the model's."""
        self._end_results()
        if not self._messages or self._messages[-1].role != "assistant":
            self.reply("")
        last = self._messages.pop()
        self._messages.append(PromptMessage("assistant", last.text, calls=(*last.calls, call)))
        self._called[call.id] = call.name
        self._open.append(call.id)

    def result(
        self, param: str, call_id: object, text: str, images: tuple[Image, ...] = (), *, is_error: bool = False
    ) -> None:
        """Take what a call gave. Raises `Refused` for a call that nobody made."""
        if not isinstance(call_id, str) or call_id not in self._called:
            raise Refused(param, "{param}: no message before it calls this. Correct it.", param=param)
        self._results.append(ToolResult(call_id, self._called[call_id], text, is_error=is_error))
        self._open = [one for one in self._open if one != call_id]
        self._seen += images

    def id_of(self, name: object) -> str | None:
        """Return the id of the first call without a result, of that name where one is given."""
        return next((one for one in self._open if not name or self._called[one] == name), None)

    @property
    def system(self) -> str:
        """What the model is told to be."""
        return storable("\n\n".join(self._system))

    def messages(self, param: str) -> tuple[PromptMessage, ...]:
        """Return the conversation. Raises `Refused` when it holds nothing."""
        self._end_results()
        self._end_images()
        if not self._messages:
            raise Refused(param, "{param}: there is nothing to answer. Add a message of role user.", param=param)
        return tuple(self._messages)

    def _end_results(self) -> None:
        if self._results:
            self._messages.append(PromptMessage("user", "", results=tuple(self._results)))
            self._results = []

    def _end_images(self) -> None:
        if self._seen:
            self.say("")


def call_of(param: str, call_id: object, name: object, arguments: object, signature: object = "") -> ToolCall:
    """Return a call of an earlier answer; one without an id gets one. Raises `Refused`."""
    if not isinstance(name, str) or not name:
        raise Refused(f"{param}.name", "{param}.name has to be a text. Correct it and send again.", param=param)
    if not isinstance(arguments, dict):
        raise Refused(param, "{param}: the arguments are no JSON object. Correct them.", param=param)
    known = call_id if isinstance(call_id, str) and call_id else new_id()
    return ToolCall(known, name, arguments, signature if isinstance(signature, str) else "")


def must_call(param: str, name: object, tools: Sequence[ToolSpec]) -> str:
    """Return the tool that has to be called. Raises `Refused` when it is none of the tools."""
    if name not in [tool.name for tool in tools]:
        raise Refused(param, "{param}: this is none of the tools. Correct it.", param=param)
    return str(name)


def choice_of(choice: object, tools: Sequence[ToolSpec]) -> tuple[bool, str]:
    """Return whether tools may be called, and which one has to be, as OpenAI writes it. Raises `Refused`."""
    if choice in (None, "auto"):
        return True, ""
    if choice == "none":
        return False, ""
    if choice == "required":
        return True, ANY_TOOL if tools else ""
    found = choice.get("function", choice) if isinstance(choice, dict) else None
    return True, must_call("tool_choice", found.get("name") if isinstance(found, dict) else None, tools)


def output_of(param: str, form: object) -> Output | None:
    """Return the form that an answer is to have, as OpenAI writes it. Raises `Refused`."""
    kind = form.get("type") if isinstance(form, dict) else None
    if form is None or kind == "text":
        return None
    if kind == "json_object":
        return Output()
    told = form.get("json_schema", form) if isinstance(form, dict) else None
    schema = told.get("schema") if isinstance(told, dict) else None
    if kind != "json_schema" or not isinstance(told, dict) or not isinstance(schema, dict):
        raise Refused(param, "{param} is text, json_object, or json_schema with a name and a schema.", param=param)
    return Output(schema, str(told.get("name") or "answer")[:64], is_strict=told.get("strict") is True)


def stops_of(param: str, stop: object) -> tuple[str, ...]:
    """Return the texts at which an answer is to end. Raises `Refused`."""
    found = [stop] if isinstance(stop, str) else stop or []
    if not isinstance(found, list) or len(found) > MAX_STOPS or not all(isinstance(one, str) for one in found):
        raise Refused(
            param, "{param} has to be a text, or a list of up to {most}. Correct it.", param=param, most=MAX_STOPS
        )
    return tuple(one for one in found if one)


def effort_of(param: str, effort: object) -> str:
    """Return how much a model is to think; empty: as it likes. Raises `Refused`."""
    if effort is None:
        return ""
    if effort == "max":
        return EFFORTS[-1]
    if effort not in EFFORTS:
        raise Refused(param, "{param} is one of {known}. Correct it.", param=param, known=", ".join(EFFORTS))
    return str(effort)
