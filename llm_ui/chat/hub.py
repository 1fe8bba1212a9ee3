"""Telling people's other open pages that something of theirs changed, within one process."""

from collections.abc import Callable, Collection

from llm_ui.kit.ids import ChatId, UserId

Listener = Callable[[ChatId | None], None]
"""Is told which chat changed; None: the projects did."""
IsOpen = Callable[[], bool]
"""Says whether anybody looks at the listener's page."""


class Hub:
    """Who listens, by person. The page that made a change is not told of it, nor is one that nobody looks at.

    A page whose websocket is gone is kept for a while, and told everything once it comes back: a browser that reloads
    leaves one behind each time, and each of them read the chat again for every answer.
    """

    def __init__(self) -> None:
        self._listeners: dict[UserId, dict[Listener, IsOpen]] = {}

    def listen(self, user_id: UserId, listener: Listener, is_open: IsOpen) -> None:
        """Tell the listener of this person's changes until it leaves."""
        self._listeners.setdefault(user_id, {})[listener] = is_open

    def leave(self, user_id: UserId, listener: Listener) -> None:
        """Forget the listener."""
        listeners = self._listeners.get(user_id, {})
        listeners.pop(listener, None)
        if not listeners:
            self._listeners.pop(user_id, None)

    def tell(self, user_id: UserId, chat_id: ChatId | None, *, but: Listener) -> None:
        """Tell a person's other pages that a chat has a new answer being written, a new title, or is gone."""
        for listener, is_open in list(self._listeners.get(user_id, {}).items()):
            if listener is not but and is_open():
                listener(chat_id)

    def tell_all(self, people: Collection[UserId], *, but: Listener) -> None:
        """Tell the pages of some people that there are other projects, or that they may do something else in them."""
        for user_id in people:
            self.tell(user_id, None, but=but)
