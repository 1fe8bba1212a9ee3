"""The client of the LLM API against a server that breaks off where it hurts."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from uuid import UUID

import pytest

from llm_ui import errors, llm_client
from llm_ui.contract import ChatRequest, CompleteEvent, ErrorBody, ErrorDetail, StartEvent, TokenEvent
from llm_ui.errors import ApiDown, LLMUIError, NotFound, ProviderError, ProviderFault, TooManyRequests, Unavailable
from llm_ui.kit.ids import SessionId, UserId
from llm_ui.kit.signing import Signer
from llm_ui.kit.sse import PING, frame
from llm_ui.llm_client import LLMClient, Numbered, UserClient, refused
from llm_ui.observability.origin import PAGE, Origin, come_from
from tests.fakes.postgresql import free_port
from tests.fakes.provider import FakeProvider, Received, Reply

RUN = UUID(int=7)
REQUEST = ChatRequest(idempotency_key="the-one-key", text="hi")
SIGNER = Signer(b"s" * 32)
ENDED = {"usage": {}, "metrics": {}, "cost_usd": None, "status": "completed", "finish_reason": "stop"}


def start(number: int, *, is_replay: bool = False) -> bytes:
    names = {"model_name": "m", "provider_name": "p", "is_replay": is_replay}
    ids = dict.fromkeys(("run_id", "chat_id", "question_id", "answer_id"), str(RUN))
    return frame(number, "start", {**ids, **names})


def token(number: int, text: str, offset: int) -> bytes:
    return frame(number, "token", {"token": text, "index": 0, "offset": offset})


def end(number: int) -> bytes:
    return frame(number, "complete", dict(ENDED))


def refusal(status: int, code: str, **fields: object) -> Reply:
    detail = ErrorDetail(code=code, message="A sentence.", **fields)  # type: ignore[arg-type]
    body = ErrorBody(error=detail).model_dump_json().encode()
    return Reply([body], status=status, headers={"Content-Type": "application/json"})


def broken(*chunks: bytes) -> Reply:
    """Return a reply that is reset after these chunks."""
    return Reply(chunks, end="reset", delay_s=0.02)


def asked(request: Received) -> tuple[str, str, str]:
    return request.method, request.path, request.headers.get("last-event-id", "")


@asynccontextmanager
async def serving(
    reply: Reply | list[Reply] | Callable[[Received], Reply], *, keeps_alive: bool = False
) -> AsyncIterator[tuple[UserClient, FakeProvider]]:
    async with FakeProvider(reply, keeps_alive=keeps_alive) as server:
        llm = LLMClient(server.url, SIGNER)
        yield llm.signed_in(UserId(UUID(int=1)), SessionId(UUID(int=2))), server
        await llm.aclose()


async def taken(events: AsyncIterator[Numbered]) -> tuple[str, list[int]]:
    """Return the text as a reader builds it, and the numbers of the events."""
    text, numbers = "", []
    async for numbered in events:
        numbers.append(numbered.id)
        match numbered.event:
            case StartEvent(is_replay=True):
                text = ""
            case TokenEvent():
                assert numbered.event.offset == len(text)
                text += numbered.event.token
            case _:
                pass
    return text, numbers


async def test_a_stream_is_followed_to_its_end() -> None:
    async with serving(Reply([start(1), PING, token(2, "a", 0), token(3, "b", 1), end(4)])) as (client, server):
        assert await taken(client.chat_stream(REQUEST)) == ("ab", [1, 2, 3, 4])

    (request,) = server.requests
    assert request.json() == {"idempotency_key": "the-one-key", "text": "hi"}


async def test_the_next_question_goes_over_the_same_connection() -> None:
    reply = Reply([start(1), token(2, "a", 0), end(3)])
    async with serving(reply, keeps_alive=True) as (client, server):
        for _ in range(3):
            assert await taken(client.chat_stream(REQUEST)) == ("a", [1, 2, 3])

        assert server.all_connections == 1


async def test_the_api_knows_a_request_by_the_id_that_the_page_has_for_it() -> None:
    come_from(Origin(PAGE, request_id="5f0c2a9b7d3e1846"))

    async with serving(Reply([start(1), end(2)])) as (client, server):
        await taken(client.chat_stream(REQUEST))

    (request,) = server.requests
    assert request.headers["x-request-id"] == "5f0c2a9b7d3e1846"


async def test_until_the_start_the_same_question_is_sent_again() -> None:
    replies = [broken(), broken(PING), Reply([start(1), token(2, "a", 0), end(3)])]
    async with serving(replies) as (client, server):
        assert await taken(client.chat_stream(REQUEST)) == ("a", [1, 2, 3])

    assert [asked(request)[:2] for request in server.requests] == [("POST", "/v1/chat/stream")] * 3
    assert {request.json()["idempotency_key"] for request in server.requests} == {"the-one-key"}


async def test_after_the_start_the_run_is_followed_from_where_it_broke() -> None:
    replies = [
        broken(start(1), token(2, "a", 0)),
        broken(token(3, "b", 1), token(4, "c", 2)),
        broken(),
        Reply([token(5, "d", 3), end(6)]),
    ]
    async with serving(replies) as (client, server):
        assert await taken(client.chat_stream(REQUEST)) == ("abcd", [1, 2, 3, 4, 5, 6])

    assert [asked(request) for request in server.requests[1:]] == [
        ("GET", f"/v1/runs/{RUN}/events", "2"),
        ("GET", f"/v1/runs/{RUN}/events", "4"),
        ("GET", f"/v1/runs/{RUN}/events", "4"),
    ]


async def test_a_stream_that_ends_without_the_runs_end_is_resumed() -> None:
    replies = [Reply([start(1), token(2, "a", 0)]), Reply([token(3, "b", 1), end(4)])]
    async with serving(replies) as (client, _):
        assert await taken(client.chat_stream(REQUEST)) == ("ab", [1, 2, 3, 4])


async def test_a_replay_begins_anew_and_shows_every_character_once() -> None:
    replies = [
        broken(start(1), token(2, "ab", 0)),
        broken(start(8, is_replay=True)),
        Reply([start(9, is_replay=True), token(10, "abc", 0), end(11)]),
    ]
    async with serving(replies) as (client, server):
        assert (await taken(client.chat_stream(REQUEST)))[0] == "abc"

    assert asked(server.requests[2])[2] == "0", "its numbers say nothing of what another process has"


async def test_following_begins_where_it_is_told() -> None:
    async with serving(Reply([token(6, "x", 0), end(7)])) as (client, server):
        assert await taken(client.follow(RUN, 5)) == ("x", [6, 7])

    assert asked(server.requests[0]) == ("GET", f"/v1/runs/{RUN}/events", "5")


async def test_a_question_that_is_refused_is_not_sent_again() -> None:
    async with serving(refusal(503, "unavailable", retryable=True, retry_after=2)) as (client, server):
        with pytest.raises(Unavailable, match="A sentence") as raised:
            await taken(client.chat_stream(REQUEST))

    assert len(server.requests) == 1
    assert (raised.value.retry_after, raised.value.retryable) == (2, True)


async def test_a_run_is_followed_through_refusals_that_pass() -> None:
    replies = [broken(start(1)), refusal(503, "database_busy", retryable=True), Reply([token(2, "a", 0), end(3)])]
    async with serving(replies) as (client, _):
        assert await taken(client.chat_stream(REQUEST)) == ("a", [1, 2, 3])


async def test_a_run_is_not_followed_through_refusals_that_stay() -> None:
    async with serving([broken(start(1)), refusal(404, "not_found")]) as (client, server):
        with pytest.raises(NotFound):
            await taken(client.chat_stream(REQUEST))

    assert len(server.requests) == 2


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up after a fifth of a second."""
    monkeypatch.setattr(llm_client, "PATIENCE_S", 0.2)
    monkeypatch.setattr(llm_client, "PAUSES_S", (0.02,))


@pytest.mark.usefixtures("impatient")
async def test_an_api_that_stays_away_is_said() -> None:
    llm = LLMClient(f"http://127.0.0.1:{free_port()}", SIGNER)
    client = llm.signed_in(UserId(UUID(int=1)), SessionId(UUID(int=2)))

    for attempt in (
        taken(client.chat_stream(REQUEST)),
        taken(client.follow(RUN)),
        client.models(),
        client.stop(RUN),
        client.test_provider(RUN),
        client.find_local(),
        llm.health(),
    ):
        with pytest.raises(ApiDown, match="does not answer"):
            await attempt
    await llm.aclose()


@pytest.mark.usefixtures("impatient")
async def test_something_else_at_the_address_is_not_taken_for_the_api() -> None:
    page = Reply([b"<html>a router's login</html>"], headers={"Content-Type": "text/html"})
    async with serving(page) as (client, server):
        with pytest.raises(ApiDown):
            await taken(client.chat_stream(REQUEST))
        llm = LLMClient(server.url, SIGNER)
        with pytest.raises(ApiDown):
            await llm.health()
        await llm.aclose()


async def test_patience_counts_from_the_last_event(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(llm_client, "PATIENCE_S", 0.3)
    monkeypatch.setattr(llm_client, "PAUSES_S", (0.1,))
    pieces = [broken(token(number, "x", number - 2)) for number in range(2, 8)]
    async with serving([broken(start(1)), *pieces, Reply([end(8)])]) as (client, _):
        assert (await taken(client.chat_stream(REQUEST)))[0] == "x" * 6


async def test_every_request_carries_a_fresh_ticket() -> None:
    replies = [broken(start(1)), Reply([token(2, "a", 0), end(3)])]
    async with serving(replies) as (client, server):
        await taken(client.chat_stream(REQUEST))

    tickets = [request.headers["authorization"].removeprefix("Bearer ") for request in server.requests]
    assert len(set(tickets)) == 2
    for ticket in tickets:
        claims = SIGNER.verify(ticket)
        assert (claims["sub"], claims["sid"]) == (str(UUID(int=1)), str(UUID(int=2)))


async def test_who_stops_reading_leaves_the_connection() -> None:
    async with serving(Reply([start(1), token(2, "a", 0)], end="hang")) as (client, server):
        stream = client.chat_stream(REQUEST)
        await anext(stream)
        assert server.open_connections == 1

        await stream.aclose()

        async with asyncio.timeout(2):
            while server.open_connections:
                await asyncio.sleep(0.01)


async def test_health_tells_what_the_api_says() -> None:
    draining = {"status": "draining", "message": "The LLM API is stopping."}
    reply = Reply([json.dumps(draining).encode()], status=503, headers={"Content-Type": "application/json"})
    async with serving(reply) as (_, server):
        llm = LLMClient(server.url, SIGNER)
        health = await llm.health()
        await llm.aclose()

    assert (health.status, health.message) == ("draining", "The LLM API is stopping.")


def kinds(root: type[LLMUIError]) -> list[type[LLMUIError]]:
    """Return an error and those below it that our own routes tell; scripts are told some more, in their own shape."""
    found = [root, *(kind for child in root.__subclasses__() for kind in kinds(child))]
    return [kind for kind in found if kind.__module__ == LLMUIError.__module__]


@pytest.mark.parametrize("kind", [kind for kind in kinds(LLMUIError) if kind is not ProviderError])
def test_every_error_comes_back_as_what_it_was(kind: type[LLMUIError]) -> None:
    detail = ErrorDetail(code=kind.code, message="A sentence.", retryable=kind.retryable, retry_after=3)

    error = refused(ErrorBody(error=detail).model_dump_json().encode())

    assert type(error) is kind
    assert (error.code, error.message, error.retryable, error.retry_after) == (
        kind.code,
        "A sentence.",
        kind.retryable,
        3,
    )


def test_a_providers_fault_comes_back_as_one() -> None:
    for fault in set(ProviderFault) - {ProviderFault.CONTEXT_TOO_LONG}:
        error = refused(ErrorBody(error=ErrorDetail(code=fault.value, message="No.")).model_dump_json().encode())
        assert isinstance(error, ProviderError)
        assert error.fault is fault


def test_what_is_no_error_of_ours_says_that_the_api_is_down() -> None:
    for content in (b"", b"<html>", b"{}", b'{"error": 1}'):
        assert isinstance(refused(content), ApiDown)


def test_an_unknown_code_keeps_its_sentence() -> None:
    error = refused(ErrorBody(error=ErrorDetail(code="new_thing", message="A sentence.")).model_dump_json().encode())

    assert (error.code, error.message) == ("new_thing", "A sentence.")
    assert not isinstance(error, TooManyRequests)


def test_codes_are_told_apart() -> None:
    codes = [kind.code for kind in kinds(errors.LLMUIError) if "code" in vars(kind)]

    assert len(codes) == len(set(codes))


async def test_a_complete_event_ends_the_stream_even_when_more_follows() -> None:
    async with serving(Reply([start(1), end(2), token(3, "late", 0)], end="hang")) as (client, _):
        events = [numbered async for numbered in client.chat_stream(REQUEST)]

    assert isinstance(events[-1].event, CompleteEvent)
