"""Who is told of a change."""

from llm_ui.chat.hub import Hub
from llm_ui.kit.ids import ChatId, UserId, uuid7


def test_a_page_that_nobody_looks_at_is_told_nothing_until_it_is_open_again() -> None:
    hub, person, chat = Hub(), UserId(uuid7()), ChatId(uuid7())
    told: list[str] = []
    is_open = False
    hub.listen(person, mine := lambda _: told.append("mine"), lambda: True)
    hub.listen(person, lambda _: told.append("open"), lambda: True)
    hub.listen(person, lambda _: told.append("left"), lambda: is_open)
    hub.listen(UserId(uuid7()), lambda _: told.append("somebody else's"), lambda: True)

    hub.tell(person, chat, but=mine)
    is_open = True
    hub.tell(person, chat, but=mine)

    assert told == ["open", "open", "left"]
