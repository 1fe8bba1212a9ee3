import json

from hypothesis import given
from hypothesis import strategies as st

from llm_ui.kit.sse import PING, frame
from llm_ui.kit.text import storable


def test_an_event_is_three_lines_and_an_empty_one() -> None:
    assert (
        frame(17, "token", {"token": "Hé", "index": 1})
        == 'id: 17\nevent: token\ndata: {"token":"Hé","index":1}\n\n'.encode()
    )


def test_a_ping_is_a_comment() -> None:
    assert PING.startswith(b":")
    assert PING.endswith(b"\n\n")


@given(st.text())
def test_no_text_can_break_out_of_its_event(text: str) -> None:
    sent = frame(1, "token", {"token": storable(text)}).decode()

    # What ends a line in an event stream: CR, LF and both.
    lines = sent.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    assert len(lines) == 5
    assert json.loads(lines[2].removeprefix("data: ")) == {"token": storable(text)}
