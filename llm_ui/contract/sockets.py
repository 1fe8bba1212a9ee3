"""What a client says over the WebSocket, what it is told, and why a connection is closed."""

from enum import IntEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, TypeAdapter

from llm_ui.contract import ChatRequest, ErrorDetail
from llm_ui.contract.base import Wire


class Close(IntEnum):
    """Why the server ends a connection; 1009 is a message that is too large, 1012 a restart.

    Answers go on whatever ends it, but for a key that has ended; `GET /v1/runs/{run_id}/events` tells the rest.
    """

    UNREADABLE = 4400
    """The first message is none."""
    KEY_REFUSED = 4401
    """The key is wrong, did not come in time, or has ended meanwhile."""
    FORBIDDEN = 4403
    """The key is not for this, or may not be used from there."""
    TOO_MANY = 4429
    """Too many messages, or wrong keys, in a minute."""
    CRASHED = 4500
    """Something went wrong here."""


class Auth(Wire):
    """The first message of a client that cannot send headers."""

    type: Literal["auth"]
    key: Annotated[str, Field(min_length=1, max_length=200)]


class Ask(Wire):
    """Ask a model in a conversation."""

    type: Literal["chat"]
    ref: Annotated[str, Field(max_length=64)] = ""
    """Comes back with a refusal."""
    request: ChatRequest


class Stop(Wire):
    """End a run and keep what was said."""

    type: Literal["stop"]
    run_id: UUID


class Ping(Wire):
    """Ask whether somebody is there."""

    type: Literal["ping"]


FROM_CLIENT: TypeAdapter[Auth | Ask | Stop | Ping] = TypeAdapter(
    Annotated[Auth | Ask | Stop | Ping, Field(discriminator="type")]
)


class Ready(Wire):
    """The key is good: ask."""

    type: Literal["ready"] = "ready"
    request_id: str


class Pong(Wire):
    """Somebody is there."""

    type: Literal["pong"] = "pong"


class Failed(Wire):
    """What was asked for is refused; the connection stays."""

    type: Literal["error"] = "error"
    ref: str
    error: ErrorDetail
