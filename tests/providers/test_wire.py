"""The faults F1-F30 at the adapters, over real sockets, for all four protocols."""

import asyncio
import gzip
import json
import random
import ssl
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from llm_ui.errors import ProviderError, ProviderFault
from llm_ui.kit.http import new_client
from llm_ui.models import ProviderKind
from llm_ui.providers import wire
from llm_ui.providers.base import (
    Delta,
    Endpoint,
    Finish,
    Prompt,
    PromptMessage,
    ReasoningDelta,
    TextDelta,
    Timeouts,
    UsageDelta,
)
from llm_ui.providers.refusals import retry_after_s
from llm_ui.providers.registry import adapter
from tests.api.fuzz import changed
from tests.fakes.postgresql import free_port
from tests.fakes.provider import PROTOCOLS, End, FakeProvider, Reply, answer, lines, models, reply, sse

KEY = "sk-secret-key-of-a-provider"
PIECES = ["Hello ", "wörld ", "👩‍👩‍👧‍👦", " 日本語", " end"]
PROMPT = Prompt("some-model", "Be brief.", (PromptMessage("user", "Hi"),), 0.5, 100)
FAST = Timeouts(connect_s=1, first_byte_s=0.3, idle_s=0.3, total_s=2)
GENEROUS = Timeouts(connect_s=5, first_byte_s=5, idle_s=5, total_s=20)

pytestmark = pytest.mark.parametrize("protocol", PROTOCOLS)


@pytest.fixture
async def http() -> AsyncIterator[httpx2.AsyncClient]:
    async with new_client() as client:
        yield client


async def ask(http: httpx2.AsyncClient, protocol: str, base_url: str, timeouts: Timeouts = GENEROUS) -> list[Delta]:
    """Return the whole answer."""
    found = adapter(ProviderKind(protocol)).stream(http, Endpoint(base_url, KEY), PROMPT, timeouts)
    return [delta async for delta in found]


async def ask_until_error(
    http: httpx2.AsyncClient, protocol: str, base_url: str, timeouts: Timeouts = GENEROUS
) -> tuple[str, ProviderError]:
    """Return the text that came and the error that ended it."""
    deltas: list[Delta] = []
    with pytest.raises(ProviderError) as raised:
        async for delta in adapter(ProviderKind(protocol)).stream(http, Endpoint(base_url, KEY), PROMPT, timeouts):
            deltas.append(delta)
    assert KEY not in raised.value.message
    return text_of(deltas), raised.value


def text_of(deltas: list[Delta]) -> str:
    return "".join(delta.text for delta in deltas if isinstance(delta, TextDelta))


async def test_a_correct_answer_is_read_whole(http: httpx2.AsyncClient, protocol: str) -> None:
    async with FakeProvider(reply(protocol, answer(protocol, PIECES, reasoning=["hm ", "so"]))) as fake:
        deltas = await ask(http, protocol, fake.base_url(protocol))

    assert text_of(deltas) == "".join(PIECES)
    assert "".join(delta.text for delta in deltas if isinstance(delta, ReasoningDelta)) == "hm so"
    assert deltas[-1] == Finish("stop")
    usage = [delta for delta in deltas if isinstance(delta, UsageDelta)]
    assert 7 in {delta.input_tokens for delta in usage}
    assert usage[-1].output_tokens == len(PIECES) + 2
    sent = fake.requests[0].json()
    assert "Be brief." in json.dumps(sent)
    assert KEY not in fake.requests[0].path, "a key in an address ends up in logs"
    assert KEY in str(fake.requests[0].headers)


async def test_pieces_that_came_together_go_on_as_one(http: httpx2.AsyncClient, protocol: str) -> None:
    whole = b"".join(answer(protocol, PIECES, reasoning=["hm ", "so"]))
    async with FakeProvider(reply(protocol, [whole])) as fake:
        deltas = await ask(http, protocol, fake.base_url(protocol))

    assert [delta for delta in deltas if isinstance(delta, TextDelta | ReasoningDelta)] == [
        ReasoningDelta("hm so"),
        TextDelta("".join(PIECES)),
    ]


async def test_pieces_that_came_in_many_chunks_go_on_as_one(http: httpx2.AsyncClient, protocol: str) -> None:
    body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in answer(protocol, PIECES)) + b"0\r\n\r\n"
    head = "".join(f"{name}: {value}\r\n" for name, value in reply(protocol, []).headers.items())
    whole = f"HTTP/1.1 200 OK\r\n{head}Transfer-Encoding: chunked\r\n\r\n".encode() + body
    async with FakeProvider(Reply([whole], raw=True)) as fake:
        deltas = await ask(http, protocol, fake.base_url(protocol))

    assert [delta for delta in deltas if isinstance(delta, TextDelta)] == [TextDelta("".join(PIECES))]


async def test_pieces_that_came_together_before_a_broken_one_are_kept(http: httpx2.AsyncClient, protocol: str) -> None:
    whole = answer(protocol, PIECES)
    at = next(index for index, chunk in enumerate(whole) if b"end" in chunk)
    broken = b'{"a": \n' if protocol == "ollama" else b'data: {"a": \n\n'
    async with FakeProvider(reply(protocol, [b"".join([*whole[:at], broken, *whole[at:]])])) as fake:
        text, error = await ask_until_error(http, protocol, fake.base_url(protocol))

    assert error.fault is ProviderFault.PROTOCOL_BROKEN
    assert text == "".join(PIECES[:-1])


async def test_f1_silence_before_the_first_byte_times_out(http: httpx2.AsyncClient, protocol: str) -> None:
    async with FakeProvider(reply(protocol, [], first_delay_s=5)) as fake:
        text, error = await ask_until_error(http, protocol, fake.base_url(protocol), FAST)

    assert (text, error.fault) == ("", ProviderFault.TIMED_OUT)


async def test_f2_silence_in_mid_answer_stalls(http: httpx2.AsyncClient, protocol: str) -> None:
    async with FakeProvider(reply(protocol, answer(protocol, PIECES)[:3], end="hang")) as fake:
        text, error = await ask_until_error(http, protocol, fake.base_url(protocol), FAST)

    assert error.fault is ProviderFault.STALLED
    assert text
    assert "".join(PIECES).startswith(text)


async def test_f2_comments_do_not_count_as_data(http: httpx2.AsyncClient, protocol: str) -> None:
    ping = b"\n" if protocol == "ollama" else b": ping\n\n"
    async with FakeProvider(reply(protocol, [*answer(protocol, PIECES)[:3], *[ping] * 50], delay_s=0.05)) as fake:
        _, error = await ask_until_error(http, protocol, fake.base_url(protocol), FAST)

    assert error.fault is ProviderFault.STALLED


@pytest.mark.parametrize("end", ["close", "reset", "half_close"])
async def test_f3_f5_an_end_after_any_piece_is_never_complete(
    http: httpx2.AsyncClient, protocol: str, end: str
) -> None:
    whole = answer(protocol, PIECES)
    last = next(index for index, chunk in enumerate(whole) if b"end" in chunk)
    for count in range(1, last + 2):
        async with FakeProvider(reply(protocol, whole[:count], end=end, delay_s=0.01)) as fake:
            text, error = await ask_until_error(http, protocol, fake.base_url(protocol))

        assert error.fault is ProviderFault.CUT_OFF
        assert "".join(PIECES).startswith(text)


async def test_f4_an_answer_without_text_ends_well(http: httpx2.AsyncClient, protocol: str) -> None:
    async with FakeProvider(reply(protocol, answer(protocol, []))) as fake:
        deltas = await ask(http, protocol, fake.base_url(protocol))

    assert text_of(deltas) == ""
    assert deltas[-1] == Finish("stop")


async def test_f6_a_trickle_is_ended_by_the_total_time(http: httpx2.AsyncClient, protocol: str) -> None:
    trickle = answer(protocol, ["a "] * 200)
    limits = Timeouts(connect_s=5, first_byte_s=5, idle_s=5, total_s=2)
    async with FakeProvider(reply(protocol, trickle, delay_s=0.05)) as fake:
        deltas = await ask(http, protocol, fake.base_url(protocol), limits)

    assert deltas[-1] == Finish("cap")
    assert text_of(deltas)


async def test_f7_f8_bytes_may_be_cut_anywhere(http: httpx2.AsyncClient, protocol: str) -> None:
    body = b"".join(answer(protocol, PIECES))
    ends = [b"\n"] if protocol == "ollama" else [b"\n", b"\r\n", b"\r"]
    for line_end in ends:
        whole = body.replace(b"\n", line_end)
        for size in (1, 3, 7):
            chunks = [whole[start : start + size] for start in range(0, len(whole), size)]
            async with FakeProvider(reply(protocol, chunks)) as fake:
                deltas = await ask(http, protocol, fake.base_url(protocol))

            assert text_of(deltas) == "".join(PIECES), (line_end, size)


async def test_f8_a_byte_order_mark_is_no_text(http: httpx2.AsyncClient, protocol: str) -> None:
    async with FakeProvider(reply(protocol, [b"\xef\xbb\xbf", *answer(protocol, PIECES)])) as fake:
        deltas = await ask(http, protocol, fake.base_url(protocol))

    assert text_of(deltas) == "".join(PIECES)


async def test_f9_unknown_fields_and_comments_are_skipped(http: httpx2.AsyncClient, protocol: str) -> None:
    noise = b"\n" if protocol == "ollama" else b": hello\n\nid: 7\nretry: 10\nnonsense: x\n\n"
    chunks = [part for chunk in answer(protocol, PIECES) for part in (noise, chunk)]
    async with FakeProvider(reply(protocol, chunks)) as fake:
        deltas = await ask(http, protocol, fake.base_url(protocol))

    assert text_of(deltas) == "".join(PIECES)


async def test_f10_data_of_several_lines_is_one_event(http: httpx2.AsyncClient, protocol: str) -> None:
    in_lines = [chunk.replace(b"data: {", b"data: {\ndata:  ") for chunk in answer(protocol, PIECES)]
    async with FakeProvider(reply(protocol, in_lines)) as fake:
        deltas = await ask(http, protocol, fake.base_url(protocol))

    assert text_of(deltas) == "".join(PIECES)


async def test_f14_wrong_types_are_skipped_or_an_error(http: httpx2.AsyncClient, protocol: str) -> None:
    chance = random.Random(14)
    served: list[bytes] = []
    async with FakeProvider(lambda _: reply(protocol, served)) as fake:
        for _ in range(40):
            served[:] = [_of_wrong_types(chance, chunk) for chunk in answer(protocol, PIECES, reasoning=["hm"])]
            with suppress(ProviderError):
                text_of(await ask(http, protocol, fake.base_url(protocol), FAST)).encode("utf-8", "surrogatepass")


def _of_wrong_types(chance: random.Random, chunk: bytes) -> bytes:
    """Return an event some of whose fields are of other types than they should be."""
    head, brace, rest = chunk.partition(b"{")
    if not brace or chance.random() < 0.6:
        return chunk
    body = (brace + rest).rstrip()
    return head + json.dumps(changed(chance, json.loads(body))).encode() + rest[len(rest.rstrip()) :]


async def test_f11_a_line_without_end_is_refused(http: httpx2.AsyncClient, protocol: str) -> None:
    flood = [b"data: " if protocol != "ollama" else b"{", *[b"x" * 65_536] * 800]
    async with FakeProvider(reply(protocol, flood)) as fake:
        _, error = await ask_until_error(http, protocol, fake.base_url(protocol))

    assert error.fault is ProviderFault.ANSWER_TOO_LARGE


async def test_f12_a_last_event_without_its_blank_line_does_not_count(http: httpx2.AsyncClient, protocol: str) -> None:
    whole = answer(protocol, PIECES)
    cut_at = 1 if protocol == "ollama" else 2
    chunks = [*whole[:-1], whole[-1][:-cut_at]]
    if protocol == "openai":
        chunks = [*whole[:-3], whole[-3][:-cut_at]]
    async with FakeProvider(reply(protocol, chunks)) as fake:
        text, error = await ask_until_error(http, protocol, fake.base_url(protocol))

    assert error.fault is ProviderFault.CUT_OFF
    assert text == "".join(PIECES)


async def test_f13_broken_json_keeps_what_came_before(http: httpx2.AsyncClient, protocol: str) -> None:
    broken = b'{"a": \n' if protocol == "ollama" else b'data: {"a": \n\n'
    whole = answer(protocol, PIECES)
    at = next(index for index, chunk in enumerate(whole) if b"end" in chunk)
    async with FakeProvider(reply(protocol, [*whole[:at], broken, *whole[at:]])) as fake:
        text, error = await ask_until_error(http, protocol, fake.base_url(protocol))

    assert error.fault is ProviderFault.PROTOCOL_BROKEN
    assert text == "".join(PIECES[:-1])


async def test_f16_a_login_page_is_no_model_endpoint(http: httpx2.AsyncClient, protocol: str) -> None:
    page = Reply([b"<html>Please sign in</html>"], headers={"Content-Type": "text/html"})
    async with FakeProvider(page) as fake:
        _, error = await ask_until_error(http, protocol, fake.base_url(protocol))

    assert error.fault is ProviderFault.NOT_A_MODEL_ENDPOINT


async def test_f17_f18_an_error_inside_the_stream_is_told(http: httpx2.AsyncClient, protocol: str) -> None:
    trouble = {"type": "error", "error": {"type": "overloaded_error", "message": f"too busy, {KEY}"}}
    event = lines(trouble) if protocol == "ollama" else sse(trouble)
    for count in (0, 3):
        async with FakeProvider(reply(protocol, [*answer(protocol, PIECES)[:count], event])) as fake:
            text, error = await ask_until_error(http, protocol, fake.base_url(protocol))

        assert error.fault is ProviderFault.OVERLOADED
        assert "too busy" in error.message
        assert bool(text) == bool(count)


@pytest.mark.parametrize(
    ("status", "said", "fault"),
    [
        (400, "bad", ProviderFault.BAD_REQUEST),
        (400, "This model's maximum context length is 8192 tokens", ProviderFault.CONTEXT_TOO_LONG),
        (401, "no", ProviderFault.KEY_REFUSED),
        (402, "pay", ProviderFault.SPEND_LIMIT),
        (403, "no", ProviderFault.KEY_REFUSED),
        (404, "no such model", ProviderFault.MODEL_UNKNOWN),
        (408, "slow", ProviderFault.OVERLOADED),
        (409, "twice", ProviderFault.OVERLOADED),
        (413, "prompt is too long", ProviderFault.CONTEXT_TOO_LONG),
        (425, "early", ProviderFault.OVERLOADED),
        (429, "slow down", ProviderFault.RATE_LIMITED),
        (429, "insufficient_quota", ProviderFault.SPEND_LIMIT),
        (500, "", ProviderFault.OVERLOADED),
        (503, "<html>", ProviderFault.OVERLOADED),
        (529, "overloaded", ProviderFault.OVERLOADED),
    ],
)
async def test_f19_f25_each_status_has_its_meaning(
    http: httpx2.AsyncClient, protocol: str, status: int, said: str, fault: ProviderFault
) -> None:
    body = json.dumps({"error": {"message": f"{said} {KEY}"}}).encode()
    async with FakeProvider(Reply([body], status=status, headers={"Content-Type": "application/json"})) as fake:
        text, error = await ask_until_error(http, protocol, fake.base_url(protocol))

    assert (text, error.fault, error.http_status) == ("", fault, status)


PER_MINUTE = (
    "You exceeded your current quota, please check your plan and billing details. "
    "Quota exceeded for metric: generate_requests_per_minute. Please retry in 12.5s."
)


@pytest.mark.parametrize(
    ("status", "body", "fault"),
    [
        (404, b"<html><h1>Not Found</h1></html>", ProviderFault.NOT_A_MODEL_ENDPOINT),
        (404, b'{"detail": "Not Found"}', ProviderFault.NOT_A_MODEL_ENDPOINT),
        (403, b'{"error": {"message": "Your input was flagged: moderation"}}', ProviderFault.CONTENT_FILTERED),
        (429, json.dumps({"error": {"message": PER_MINUTE, "code": 429}}).encode(), ProviderFault.RATE_LIMITED),
        (429, b'{"error": {"message": "Check your plan and billing details"}}', ProviderFault.SPEND_LIMIT),
        (400, b"[" * 20_000, ProviderFault.BAD_REQUEST),
        (400, b'{"error": ' * 500 + b"1" + b"}" * 500, ProviderFault.BAD_REQUEST),
    ],
)
async def test_f19_f24_a_refusal_is_told_from_its_body(
    http: httpx2.AsyncClient, protocol: str, status: int, body: bytes, fault: ProviderFault
) -> None:
    async with FakeProvider(Reply([body], status=status, headers={"Content-Type": "application/json"})) as fake:
        _, error = await ask_until_error(http, protocol, fake.base_url(protocol))

    assert error.fault is fault
    assert error.retry_after == (12.5 if b"retry in" in body else None)


async def test_a_refusal_whose_words_never_come_is_told_by_its_status(
    http: httpx2.AsyncClient, protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "ERROR_BODY_S", 0.1)
    refused = Reply([b'{"error": '], status=401, headers={"Content-Type": "application/json"}, end="hang")
    async with FakeProvider(refused) as fake:
        _, error = await ask_until_error(http, protocol, fake.base_url(protocol))

    assert error.fault is ProviderFault.KEY_REFUSED


async def test_a_key_is_masked_before_what_was_said_is_cut(http: httpx2.AsyncClient, protocol: str) -> None:
    body = json.dumps({"error": {"message": "x" * 290 + KEY}}).encode()
    async with FakeProvider(Reply([body], status=401, headers={"Content-Type": "application/json"})) as fake:
        _, error = await ask_until_error(http, protocol, fake.base_url(protocol))

    assert KEY[:6] not in error.message


@pytest.mark.parametrize("body", [b"\x00\x01\xff\xfe junk", b"\x1b]0;title\x07 junk"])
async def test_junk_is_not_quoted(http: httpx2.AsyncClient, protocol: str, body: bytes) -> None:
    async with FakeProvider(Reply([body], status=400, headers={"Content-Type": "text/plain"})) as fake:
        _, error = await ask_until_error(http, protocol, fake.base_url(protocol))

    assert "junk" not in error.message


async def test_colours_of_a_terminal_are_left_out(http: httpx2.AsyncClient, protocol: str) -> None:
    body = b"\x1b[31mno such thing\x1b[0m"
    async with FakeProvider(Reply([body], status=400, headers={"Content-Type": "text/plain"})) as fake:
        _, error = await ask_until_error(http, protocol, fake.base_url(protocol))

    assert "“no such thing”" in error.message


async def test_pings_alone_are_no_answer(http: httpx2.AsyncClient, protocol: str) -> None:
    ping = b"\n" if protocol == "ollama" else b": ping\n\n"
    impatient = Timeouts(connect_s=1, first_byte_s=5, idle_s=5, total_s=0.3)
    async with FakeProvider(reply(protocol, [ping] * 50, delay_s=0.02)) as fake:
        _, error = await ask_until_error(http, protocol, fake.base_url(protocol), impatient)

    assert error.fault is ProviderFault.TIMED_OUT


async def test_a_key_with_strange_characters_is_named(http: httpx2.AsyncClient, protocol: str) -> None:
    async with FakeProvider(reply(protocol, answer(protocol, PIECES))) as fake:
        endpoint = Endpoint(fake.base_url(protocol), "sk-schlüssel")
        with pytest.raises(ProviderError, match="characters that no key has") as raised:
            async for _ in adapter(ProviderKind(protocol)).stream(http, endpoint, PROMPT, FAST):
                pass

    assert raised.value.fault is ProviderFault.KEY_REFUSED
    assert fake.requests == []


async def test_f26_a_redirect_is_refused_and_the_key_stays(http: httpx2.AsyncClient, protocol: str) -> None:
    async with FakeProvider(reply(protocol, answer(protocol, PIECES))) as trap:
        for status in (301, 302, 307, 308):
            away = Reply([], status=status, headers={"Location": trap.url})
            async with FakeProvider(away) as fake:
                _, error = await ask_until_error(http, protocol, fake.base_url(protocol))

            assert error.fault is ProviderFault.REDIRECTED
        assert trap.requests == []


async def test_f27_a_compressed_answer_is_refused_unread(http: httpx2.AsyncClient, protocol: str) -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    content_type = "application/x-ndjson" if protocol == "ollama" else "text/event-stream"
    async with FakeProvider(Reply([bomb], headers={"Content-Type": content_type, "Content-Encoding": "gzip"})) as fake:
        _, error = await ask_until_error(http, protocol, fake.base_url(protocol))

    assert error.fault is ProviderFault.PROTOCOL_BROKEN
    assert fake.requests[0].headers["accept-encoding"] == "identity"


async def test_f27_a_wrong_length_is_a_cut(http: httpx2.AsyncClient, protocol: str) -> None:
    whole = answer(protocol, PIECES)[:3]
    right = reply(protocol, whole)
    right.headers["Content-Length"] = str(sum(map(len, whole)) + 100)
    async with FakeProvider(right) as fake:
        _, error = await ask_until_error(http, protocol, fake.base_url(protocol))

    assert error.fault is ProviderFault.CUT_OFF


async def test_f28_a_dead_port_and_an_unknown_name_are_told_apart(http: httpx2.AsyncClient, protocol: str) -> None:
    _, refused = await ask_until_error(http, protocol, f"http://127.0.0.1:{free_port()}")
    _, unknown = await ask_until_error(http, protocol, "http://no-such-host.invalid")

    assert refused.fault is ProviderFault.CONNECTION_REFUSED
    assert unknown.fault is ProviderFault.NAME_NOT_FOUND
    assert refused.message != unknown.message


async def test_f28_an_untrusted_certificate_is_told(http: httpx2.AsyncClient, protocol: str, tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path))
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]

    _, error = await ask_until_error(http, protocol, f"https://127.0.0.1:{port}")

    assert error.fault is ProviderFault.TLS_FAILED
    server.close()
    await server.wait_closed()


async def test_the_next_question_goes_over_the_same_connection(http: httpx2.AsyncClient, protocol: str) -> None:
    async with FakeProvider(reply(protocol, answer(protocol, ["a ", "b "])), keeps_alive=True) as fake:
        for _ in range(3):
            assert text_of(await ask(http, protocol, fake.base_url(protocol))) == "a b "

        assert fake.all_connections == 1


async def test_an_end_that_is_not_followed_by_that_of_the_body_is_not_waited_for(
    http: httpx2.AsyncClient, protocol: str
) -> None:
    # Google's answers end with their bodies alone.
    end: End = "close" if protocol == "google" else "hang"
    async with FakeProvider(reply(protocol, answer(protocol, ["a "]), end=end)) as fake:
        async with asyncio.timeout(5):
            deltas = await ask(http, protocol, fake.base_url(protocol))

    assert text_of(deltas) == "a "


async def test_f29_leaving_closes_the_connection(http: httpx2.AsyncClient, protocol: str) -> None:
    async with FakeProvider(reply(protocol, answer(protocol, ["a "] * 1_000), delay_s=0.02)) as fake:
        stream = adapter(ProviderKind(protocol)).stream(http, Endpoint(fake.base_url(protocol), KEY), PROMPT, GENEROUS)
        async with aclosing(stream):
            async for delta in stream:
                if isinstance(delta, TextDelta):
                    break

        async with asyncio.timeout(1):
            while fake.open_connections:
                await asyncio.sleep(0.01)


async def test_f30_endless_output_is_capped(
    http: httpx2.AsyncClient, protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "MAX_ANSWER_CHARS", 10_000)
    async with FakeProvider(reply(protocol, answer(protocol, ["a" * 900] * 50))) as fake:
        deltas = await ask(http, protocol, fake.base_url(protocol))

    assert deltas[-1] == Finish("cap")
    assert len(text_of(deltas)) < 12_000


async def test_models_are_listed(http: httpx2.AsyncClient, protocol: str) -> None:
    async with FakeProvider(models) as fake:
        found = await adapter(ProviderKind(protocol)).list_models(
            http, Endpoint(fake.base_url(protocol), KEY), GENEROUS
        )

    assert [model.name for model in found] == ["fake-small", "fake-large"]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7), ("0", 0), ("-5", 0), ("36000", 36_000), ("junk", None), ("nan", None), (None, None), ("9e99", 86_400)],
)
def test_f23_retry_after_is_read_in_every_form(protocol: str, value: str | None, seconds: float | None) -> None:
    assert retry_after_s(value) == seconds


def test_f23_retry_after_may_be_a_date(protocol: str) -> None:
    at = (datetime.now(UTC) + timedelta(seconds=20)).strftime("%a, %d %b %Y %H:%M:%S GMT")

    seconds = retry_after_s(at)

    assert seconds is not None
    assert 17 < seconds <= 20


def self_signed(folder: Path) -> Path:
    """Write a certificate nobody trusts, with its key, to one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    instant = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(instant - timedelta(days=1))
        .not_valid_after(instant + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path = folder / "self-signed.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path
