"""Server-sent events off a connection, however it cuts them."""

import asyncio
import itertools
import math
from collections.abc import AsyncGenerator

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_ui.errors import ProviderError
from llm_ui.providers.events import MOST_AHEAD_CHARS, Ahead, EventData

LINES = st.sampled_from(
    ["data: one", "data:two", "data", "data: ", "data: a: b", "id: 7", "event: end", ": ping", "", ""]
)
ENDS = st.sampled_from(["\n", "\r\n", "\r"])


def as_the_client_reads(text: str) -> list[str]:
    response = httpx2.Response(
        200,
        headers={"content-type": "text/event-stream"},
        content=text.encode(),
        request=httpx2.Request("POST", "http://127.0.0.1/"),
    )
    return [event.data for event in httpx2.EventSource(response)]


CLOSINGS = st.sampled_from(["\n\n", "\r\r", "\n\r", "\r\n\r\n", "data: half"])


@given(st.lists(st.tuples(LINES, ENDS), max_size=12), CLOSINGS, st.lists(st.integers(0, 200), max_size=8))
def test_what_is_read_is_what_the_http_client_reads_wherever_it_is_cut(
    lines: list[tuple[str, str]], closing: str, cuts: list[int]
) -> None:
    text = "".join(map("".join, lines)) + closing
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    data = EventData(1_000)

    found = [one for at, to in itertools.pairwise(places) for one in data.feed(text[at:to])] + data.end()

    assert [one for one in found if one] == [one for one in as_the_client_reads(text) if one]


def test_events_of_one_read_come_together_and_half_a_one_waits() -> None:
    data = EventData(100)

    assert data.feed("data: 1\n\ndata: 2\n\nda") == ["1", "2"]
    assert data.feed("ta: 3\n") == []
    assert data.feed("\n") == ["3"]


async def test_whoever_asks_gets_all_that_has_come_since_and_the_provider_waits_for_who_never_asks() -> None:
    given = 0

    async def reads() -> AsyncGenerator[list[str]]:
        nonlocal given
        while True:
            await asyncio.sleep(0)
            given += 1
            yield ["a" * 1_000]

    ahead = Ahead(reads())
    assert await ahead.next(math.inf) == ["a" * 1_000]
    for _ in range(10):
        await asyncio.sleep(0)
    assert len(await ahead.next(math.inf)) > 1

    for _ in range(2_000):
        await asyncio.sleep(0)
    assert 100 < given < 200
    assert len(await ahead.next(math.inf)) == pytest.approx(MOST_AHEAD_CHARS / 1_000, abs=1)
    await ahead.aclose()


@pytest.mark.parametrize("text", ["data: " + "a" * 200, "data: aaaaaaaaaa\n" * 20, "id: 1234567890\n" * 20])
def test_an_event_without_an_end_is_refused(text: str) -> None:
    with pytest.raises(ProviderError):
        EventData(100).feed(text)
