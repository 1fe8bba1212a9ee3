"""From where something is done: by which way in, from which address, in which request."""

from contextvars import ContextVar
from dataclasses import dataclass

PAGE, API, COMMAND_LINE, SYSTEM = "page", "api", "command line", "system"
"""The ways in. Without any other it is the product itself, as the worker by the clock."""


@dataclass(frozen=True, slots=True)
class Origin:
    """One request, message or command. A browser says what its `user_agent` is; nothing is decided by it."""

    via: str = SYSTEM
    address: str = ""
    user_agent: str = ""
    request_id: str = ""


_origin: ContextVar[Origin] = ContextVar("origin")


def come_from(origin: Origin) -> None:
    """Note where all that this task does from now on comes from."""
    _origin.set(origin)


def origin() -> Origin:
    """Return where what is done now comes from."""
    return _origin.get(Origin())
