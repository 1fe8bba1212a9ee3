"""Answers to `/v1/responses`: the events of a stream in their order, and the whole."""

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from llm_ui.api.public.asking import Question
from llm_ui.api.public.dialects import OPENAI
from llm_ui.api.public.writing import Told, Whole, Writer, arguments_of, event
from llm_ui.contract import Usage
from llm_ui.errors import LLMUIError
from llm_ui.providers.base import ANY_TOOL, ToolCall

CUT_OFF = {"length": "max_output_tokens", "cap": "max_output_tokens", "content_filter": "content_filter"}


@dataclass
class _Item:
    """An item of the answer that is being written: a message, or what was thought before it."""

    kind: str
    place: int
    id: str
    texts: list[str] = field(default_factory=list)

    def told(self, status: str) -> Told:
        part = _part(self.kind, "".join(self.texts)) if status == "completed" else None
        parts = [part] if part else []
        if self.kind == "reasoning":
            return {"id": self.id, "type": "reasoning", "summary": parts}
        return {"id": self.id, "type": "message", "status": status, "role": "assistant", "content": parts}


class ResponseWriter(Writer):
    """Writes one answer."""

    def __init__(self, asked: Question) -> None:
        self._asked = asked
        self._id = f"resp_{secrets.token_hex(16)}"
        self._created = int(time.time())
        self._events = 0
        self._open: _Item | None = None
        self._output: list[Told] = []

    def begin(self) -> bytes:
        """Return what comes before the first piece."""
        told = self._told("in_progress")
        return self._event("response.created", response=told) + self._event("response.in_progress", response=told)

    def text(self, text: str) -> bytes:
        """Return the events of a piece of the text."""
        return self._piece("message", "response.output_text.delta", text, logprobs=[])

    def thought(self, text: str) -> bytes:
        """Return the events of a piece of what the model thinks."""
        return self._piece("reasoning", "response.reasoning_summary_text.delta", text)

    def call(self, call: ToolCall) -> bytes:
        """Return the events of a call."""
        ended = self._ended()
        place, item, arguments = len(self._output), _call(call), arguments_of(call)
        at = {"item_id": item["id"], "output_index": place}
        self._output.append(item)
        begun = {**item, "arguments": "", "status": "in_progress"}
        return b"".join(
            (
                ended,
                self._event("response.output_item.added", output_index=place, item=begun),
                self._event("response.function_call_arguments.delta", **at, delta=arguments),
                self._event("response.function_call_arguments.done", **at, name=call.name, arguments=arguments),
                self._event("response.output_item.done", output_index=place, item=item),
            )
        )

    def end(self, whole: Whole, usage: Usage) -> bytes:
        """Return what comes after the last piece."""
        ended = self._ended()
        kind = "incomplete" if whole.reason in CUT_OFF else "completed"
        return ended + self._event(f"response.{kind}", response=self._told(kind, whole.reason, usage))

    def failed(self, error: LLMUIError) -> bytes:
        """Return the events for an answer that goes wrong on its way."""
        told = OPENAI.refusal(error)[1]["error"]
        found = told if isinstance(told, dict) else {}
        about = {"code": found.get("code"), "message": error.message}
        said = self._event("error", **about, param=found.get("param"))
        return said + self._event("response.failed", response={**self._told("failed"), "error": about})

    def whole(self, whole: Whole, usage: Usage) -> Told:
        """Return the answer as one object."""
        # The same way as a stream, whose events nobody reads.
        if whole.thoughts:
            self.thought(whole.thought)
        if whole.texts:
            self.text(whole.text)
        for call in whole.calls:
            self.call(call)
        self._ended()
        return self._told("incomplete" if whole.reason in CUT_OFF else "completed", whole.reason, usage)

    def _piece(self, kind: str, name: str, text: str, **more: object) -> bytes:
        begun = b"" if self._open is not None and self._open.kind == kind else self._begun(kind)
        item = self._open
        assert item is not None  # noqa: S101 - begun just now
        item.texts.append(text)
        return begun + self._event(name, **_at(item), delta=text, **more)

    def _begun(self, kind: str) -> bytes:
        ended = self._ended()
        beginning = "rs" if kind == "reasoning" else "msg"
        self._open = item = _Item(kind, len(self._output), f"{beginning}_{secrets.token_hex(16)}")
        added = self._event("response.output_item.added", output_index=item.place, item=item.told("in_progress"))
        return ended + added + self._event(f"{_part_name(kind)}.added", **_at(item), part=_part(kind, ""))

    def _ended(self) -> bytes:
        """Return the end of the item that is being written."""
        item, self._open = self._open, None
        if item is None:
            return b""
        text, at, told = "".join(item.texts), _at(item), item.told("completed")
        self._output.append(told)
        is_thought = item.kind == "reasoning"
        name = "response.reasoning_summary_text.done" if is_thought else "response.output_text.done"
        more: Told = {} if is_thought else {"logprobs": []}
        return b"".join(
            (
                self._event(name, **at, text=text, **more),
                self._event(f"{_part_name(item.kind)}.done", **at, part=_part(item.kind, text)),
                self._event("response.output_item.done", output_index=item.place, item=told),
            )
        )

    def _event(self, kind: str, **data: object) -> bytes:
        self._events += 1
        return event(kind, sequence_number=self._events - 1, **data)

    def _told(self, status: str, reason: str = "", usage: Usage | None = None) -> Told:
        prompt = self._asked.prompt
        return {
            "id": self._id,
            "object": "response",
            "created_at": self._created,
            "status": status,
            "error": None,
            "incomplete_details": {"reason": CUT_OFF[reason]} if reason in CUT_OFF else None,
            "instructions": prompt.system or None,
            "max_output_tokens": prompt.max_tokens,
            "model": self._asked.model,
            "output": list(self._output),
            "parallel_tool_calls": not prompt.sampling.is_one_call,
            "previous_response_id": None,
            "store": False,
            "temperature": prompt.temperature,
            "text": {"format": self._form()},
            "tool_choice": self._choice(),
            "tools": list(self._tools()),
            "top_p": prompt.sampling.top_p,
            "usage": None if usage is None else _usage(usage),
            "metadata": self._asked.metadata or {},
        }

    def _form(self) -> Told:
        output = self._asked.prompt.output
        if output is None:
            return {"type": "text"}
        if output.schema is None:
            return {"type": "json_object"}
        return {"type": "json_schema", "name": output.name, "schema": output.schema, "strict": output.is_strict}

    def _choice(self) -> object:
        prompt = self._asked.prompt
        if prompt.must_call:
            return "required" if prompt.must_call == ANY_TOOL else {"type": "function", "name": prompt.must_call}
        return "auto" if prompt.may_call else "none"

    def _tools(self) -> Iterator[Told]:
        for tool in self._asked.prompt.tools:
            yield {
                "type": "function", "name": tool.name, "description": tool.description, "parameters": tool.schema,
                "strict": tool.is_strict,
            }  # fmt: skip


def _at(item: _Item) -> Told:
    within = "summary_index" if item.kind == "reasoning" else "content_index"
    return {"item_id": item.id, "output_index": item.place, within: 0}


def _part_name(kind: str) -> str:
    return "response.reasoning_summary_part" if kind == "reasoning" else "response.content_part"


def _part(kind: str, text: str) -> Told:
    if kind == "reasoning":
        return {"type": "summary_text", "text": text}
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _call(call: ToolCall) -> Told:
    return {
        "id": f"fc_{secrets.token_hex(16)}",
        "type": "function_call",
        "status": "completed",
        "call_id": call.id,
        "name": call.name,
        "arguments": arguments_of(call),
    }


def _usage(usage: Usage) -> Told:
    return {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {"cached_tokens": usage.cached_tokens, "cache_write_tokens": 0},
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.input_tokens + usage.output_tokens,
    }
