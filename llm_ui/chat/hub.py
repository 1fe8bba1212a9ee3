"""Telling a person's other open pages that something of theirs changed, within one process."""

from collections.abc import Callable
from dataclasses import dataclass

from llm_ui.kit.ids import ChatId, UserId


@dataclass(frozen=True, slots=True)
class Change:
    """What changed: a chat whose messages are new, or, without one, the list of chats."""

    chat_id: ChatId | None
    is_in_list: bool = False
    """Whether the list of chats changed too."""


Listener = Callable[[Change], None]


class Hub:
    """Who listens, by person. The page that made a change is not told of it."""

    def __init__(self) -> None:
        self._listeners: dict[UserId, set[Listener]] = {}

    def listen(self, user_id: UserId, listener: Listener) -> None:
        """Tell the listener of this person's changes until it leaves."""
        self._listeners.setdefault(user_id, set()).add(listener)

    def leave(self, user_id: UserId, listener: Listener) -> None:
        """Forget the listener."""
        listeners = self._listeners.get(user_id, set())
        listeners.discard(listener)
        if not listeners:
            self._listeners.pop(user_id, None)

    def tell(self, user_id: UserId, change: Change, *, but: Listener) -> None:
        """Tell a person's other pages."""
        for listener in list(self._listeners.get(user_id, ())):
            if listener is not but:
                listener(change)
