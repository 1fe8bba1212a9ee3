"""Fetching from servers that answer well, badly, or without an end."""

import asyncio
import io
import tracemalloc
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_ui.errors import InvalidInput
from llm_ui.kit.addresses import Guard
from llm_ui.kit.fetching import Bounds, Fetched, _named, fetch
from tests.fakes.images import png
from tests.fakes.web import PAGE, Answer, Web, a_web, packed

LOOPBACK = Guard.of(["127.0.0.1/32"])
BOUNDS = Bounds(max_mb=1, connect_s=5, idle_s=5, total_s=30)


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    async with a_web() as web:
        yield web


async def fetched(address: str, guard: Guard = LOOPBACK, bounds: Bounds = BOUNDS) -> tuple[Fetched, bytes]:
    into = io.BytesIO()
    found = await fetch(address, guard, bounds, into.write)
    return found, into.getvalue()


async def refusal(address: str, guard: Guard = LOOPBACK, bounds: Bounds = BOUNDS) -> str:
    with pytest.raises(InvalidInput) as refused:
        await fetched(address, guard, bounds)
    return refused.value.message


async def test_a_page_is_fetched_as_it_is(web: Web) -> None:
    web.answers["/a?b=c"] = Answer(PAGE, headers=("Content-Type: Text/HTML; charset=utf-8",))

    found, content = await fetched(web.url("/a?b=c#part"))

    assert (found, content) == (Fetched(web.url("/a?b=c"), "text/html", ""), PAGE)
    (head,) = web.heads
    assert f"Host: 127.0.0.1:{web.port}\r\n" in head
    assert not any(name in head.lower() for name in ("cookie", "authorization", "referer", "proxy"))


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('attachment; filename="lease 2026.pdf"', "lease 2026.pdf"),
        ("attachment; filename*=UTF-8''Miet%C3%BCbersicht.pdf; filename=x.pdf", "Mietübersicht.pdf"),
        ("inline", ""),
        ("", ""),
    ],
)
async def test_what_the_server_calls_it_is_told(web: Web, disposition: str, name: str) -> None:
    web.answers["/f"] = Answer(b"%PDF-", headers=(f"Content-Disposition: {disposition}",))

    assert (await fetched(web.url("/f")))[0].name == name


@given(st.text(alphabet=st.characters(max_codepoint=255)))
def test_no_header_breaks_the_reading_of_a_name(disposition: str) -> None:
    for before in ("", "attachment; filename=", "attachment; filename*=", "attachment; filename*0*="):
        assert isinstance(_named(before + disposition), str)


async def test_it_goes_where_it_is_sent_five_times(web: Web) -> None:
    web.answers["/5"] = Answer(b"there")
    for number in range(5):
        web.answers[f"/{number}"] = Answer(status="302 Found", headers=(f"Location: {number + 1}", "Set-Cookie: a=b"))
    web.answers["/round"] = Answer(status="301 Moved", headers=("Location: /round",))

    found, content = await fetched(web.url("/0"))
    endless = await refusal(web.url("/round"))

    assert (found.address, content) == (web.url("/5"), b"there")
    assert not any("cookie" in head.lower() for head in web.heads)
    assert (web.asked.count("/round"), "without an end" in endless) == (6, True)


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("http://127.0.0.2:{port}/secret", "not on the public internet"),
        ("//[::1]:{port}/secret", "not on the public internet"),
        ("http://169.254.169.254/latest/meta-data/", "not on the public internet"),
        ("http://[::ffff:127.0.0.1]:{port}/secret", "not on the public internet"),
        ("http://127.0.0.1:6379/secret", "not on the public internet"),
        ("http://2130706433:{port}/secret", "cannot be fetched"),
        ("http://0x7f000001:{port}/secret", "cannot be fetched"),
        ("file:///etc/passwd", "cannot be fetched"),
        ("http://ann:secret@127.0.0.1:{port}/secret", "Leave them out"),
        ("", "without an end"),
    ],
)
async def test_it_is_never_sent_where_it_may_not_go(web: Web, target: str, sentence: str) -> None:
    web.answers["/"] = Answer(status="307 Temporary", headers=(f"Location: {target.format(port=web.port)}",))
    web.answers["/secret"] = Answer(b"secret")

    assert sentence in await refusal(web.url("/"))
    assert "/secret" not in web.asked


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
async def test_without_leave_the_server_itself_is_not_asked(web: Web, host: str) -> None:
    assert "not on the public internet" in await refusal(f"http://{host}:{web.port}/", Guard())
    assert web.asked == []


async def test_a_name_that_is_another_machine_a_moment_later_leads_nowhere(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first look-up says 127.0.0.2, where nobody is; later ones the address of what is to be protected."""
    real = asyncio.BaseEventLoop.getaddrinfo
    looked_up: list[str] = []

    async def getaddrinfo(loop: asyncio.BaseEventLoop, host: str, *rest: object, **named: object) -> object:
        looked_up.append(host)
        is_first = len(looked_up) == 1
        return await real(loop, "127.0.0.2" if is_first else "127.0.0.1", *rest, **named)

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)

    said = await refusal(f"http://rebound.example:{web.port}/", Guard.of(["127.0.0.2/32"]))

    assert "cannot be reached" in said
    assert (looked_up.count("rebound.example"), web.asked) == (1, [])


async def test_a_name_that_was_opened_is_asked_under_its_name(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    web.answers["/"] = Answer(b"here")

    _, content = await fetched(f"http://localhost:{web.port}/", Guard.of(["localhost"]))

    assert (content, f"Host: localhost:{web.port}\r\n" in web.heads[0]) == (b"here", True)


async def test_proxies_of_the_environment_are_not_asked(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    web.answers["/"] = Answer(b"here")
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    assert (await fetched(web.url("/")))[1] == b"here"


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        ("404 Not Found", "nothing under this address"), ("410 Gone", "nothing under this address"),
        ("401 Unauthorized", "does not show this to everybody"), ("403 Forbidden", "does not show this"),
        ("429 Too Many", "busy or down"), ("503 Unavailable", "busy or down"), ("500 Oh", "with the error 500"),
        ("204 No Content", "with the error 204"), ("206 Partial", "with the error 206"),
        ("304 Not Modified", "with the error 304"),
    ],
)  # fmt: skip
async def test_a_server_that_has_nothing_is_told_from_one_that_fails(web: Web, status: str, sentence: str) -> None:
    web.answers["/"] = Answer(b"<h1>error</h1>", status=status)

    assert sentence in await refusal(web.url("/"))


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (Answer(b""), "nothing under this address"),
        (Answer(b"half", is_cut_off=True), "broke off"),
        (Answer(packed(PAGE)[:-9], headers=("Content-Encoding: gzip",)), "broke off"),
        (Answer(b"plain", headers=("Content-Encoding: gzip",)), "broke off"),
        (Answer(b"x", headers=("Content-Encoding: br",)), "packed in a way"),
        (Answer(b"x", headers=("Content-Encoding: gzip, gzip",)), "packed in a way"),
        (Answer(b"x" * 1_000_001), "larger than 1 MB"),
        (Answer(endless=True), "larger than 1 MB"),
        (Answer(endless=True, headers=("Content-Length: 9000000",)), "larger than 1 MB"),
    ],
)
async def test_what_does_not_come_whole_is_refused(web: Web, answer: Answer, sentence: str) -> None:
    web.answers["/"] = answer

    assert sentence in await refusal(web.url("/"))


async def test_what_comes_packed_is_unpacked(web: Web) -> None:
    twice = packed(PAGE) + packed(png(9, 9))
    web.answers["/"] = Answer(twice, headers=("Content-Encoding: gzip",))

    assert (await fetched(web.url("/")))[1] == PAGE + png(9, 9)


async def test_a_bomb_is_unpacked_a_little_at_a_time(web: Web) -> None:
    web.answers["/"] = Answer(packed(bytes(300_000_000)), headers=("Content-Encoding: gzip",))
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]

    with pytest.raises(InvalidInput, match="larger than 1 MB"):
        await fetch(web.url("/"), LOOPBACK, BOUNDS, lambda _: None)

    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert peak < 5_000_000


async def test_a_server_that_trickles_is_left(web: Web) -> None:
    web.answers["/trickle"] = Answer(trickles=True)
    web.answers["/stall"] = Answer(b"begun", stalls=True)

    trickled = await refusal(web.url("/trickle"), bounds=Bounds(max_mb=1, idle_s=5, total_s=0.5))
    stalled = await refusal(web.url("/stall"), bounds=Bounds(max_mb=1, idle_s=0.5, total_s=60))

    assert ("takes too long" in trickled, "takes too long" in stalled) == (True, True)


async def test_nobody_is_there(web: Web) -> None:
    async with a_web() as other:
        gone = other.url("/")
    await asyncio.sleep(0)

    assert "cannot be reached" in await refusal(gone)
    assert "No server has the name" in await refusal("http://nowhere.invalid/", Guard.of(["nowhere.invalid"]))


async def test_a_server_without_a_certificate_is_not_trusted(web: Web) -> None:
    said = await refusal(web.url("/").replace("http:", "https:"))

    assert "no valid certificate" in said
