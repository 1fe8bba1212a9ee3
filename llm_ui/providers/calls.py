"""Calls of tools, put together from the pieces that the protocols send."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from llm_ui.errors import ProviderError, ProviderFault
from llm_ui.kit.ids import uuid7
from llm_ui.providers.base import CallDelta, ToolCall, ToolSpec

MAX_CALLS = 16
"""Of one answer; what a model calls beyond them is left out."""
MAX_ARGUMENT_CHARS = 200_000
"""Of all calls of an answer; more is a model that has lost its way."""
MAX_ID_CHARS = 128
MAX_NAME_CHARS = 64


@dataclass
class _Begun:
    id: str = ""
    name: str = ""
    pieces: list[str] = field(default_factory=list)


class Calls:
    """The calls of one answer. Each has a place, by which its pieces are told apart in whatever order they come."""

    def __init__(self) -> None:
        self._begun: dict[int, _Begun] = {}
        self._ended: set[str] = set()
        self._chars = 0

    def add(self, place: int | None, *, call_id: str = "", name: str = "", piece: str = "") -> None:
        """Take a piece; None: of the call that was begun last, or of a new one where it has a name.

        A name or an id that comes twice changes nothing. Raises `ProviderError` when it gets too much.
        """
        if place is None:
            place = self._place(call_id, name)
        call = self._begun.setdefault(place, _Begun())
        call.id = call.id or call_id[:MAX_ID_CHARS]
        call.name = call.name or name[:MAX_NAME_CHARS]
        call.pieces.append(piece)
        self._chars += len(piece)
        if self._chars > MAX_ARGUMENT_CHARS:
            raise ProviderError(
                "The model called a tool with endless arguments. Try again, or pick another model.",
                ProviderFault.PROTOCOL_BROKEN,
            )

    def go_on(self, place: int | None, piece: str) -> None:
        """Take a piece of a call that was begun; of anything else it is left out."""
        if piece and place in self._begun:
            self.add(place, piece=piece)

    def _place(self, call_id: str, name: str) -> int:
        last = max(self._begun, default=0)
        if last not in self._begun:
            return last
        is_new = call_id != self._begun[last].id if call_id else bool(name)
        return last + 1 if is_new else last

    def end(self) -> Iterator[CallDelta]:
        """Yield the calls in the order of their places; those without a name are none."""
        begun, self._begun = self._begun, {}
        for _, call in sorted(begun.items())[:MAX_CALLS]:
            if not call.name:
                continue
            call_id = call.id if call.id and call.id not in self._ended else new_id()
            self._ended.add(call_id)
            yield CallDelta(ToolCall(call_id, call.name, parsed("".join(call.pieces))))


def new_id() -> str:
    """Return an id for a call that came without one."""
    return f"call_{uuid7().hex}"


def parsed(arguments: str) -> dict[str, object] | None:
    """Return the arguments of a call; None when they are no JSON object. Of a call without any nothing may come."""
    if not arguments.strip():
        return {}
    try:
        found = json.loads(arguments)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def functions(tools: Sequence[ToolSpec]) -> list[dict[str, object]]:
    """Return the tools as OpenAI and those who follow it write them."""
    return [{"type": "function", "function": _function(tool)} for tool in tools]


def _function(tool: ToolSpec) -> dict[str, object]:
    told: dict[str, object] = {"name": tool.name, "description": tool.description, "parameters": tool.schema}
    return {**told, "strict": True} if tool.is_strict else told


def unreadable() -> ProviderError:
    """Return the error for a call that the provider itself says nobody can read."""
    return ProviderError(
        "The model called a tool in a way that nobody can read. Try again, or pick another model.",
        ProviderFault.PROTOCOL_BROKEN,
    )
