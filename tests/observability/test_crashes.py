"""Unexpected errors reach a Sentry-compatible server from every process, without what people wrote."""

import contextlib
import json
import logging
import socket
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from llm_ui.auth.site import SESSION_COOKIE
from llm_ui.errors import Unavailable
from llm_ui.observability import crashes
from llm_ui.observability.logging import get_logger
from llm_ui.observability.metrics import exposition
from llm_ui.observability.origin import API, Origin, come_from
from llm_ui.observability.sentry import MOST_WAITING, address_of
from tests.fakes.web import Answer, Web, a_web_elsewhere
from tests.product import Product, running, wait_until

KEY = "5d1f0b7c"
INBOX = "/sub/api/7/envelope/"
SECRET = "the heron of the house"
TOKEN = "a-token-of-a-browser"
A_JOB = """
    INSERT INTO background_jobs (id, user_id, kind, state, name, done, total, progress, created_at, updated_at)
    SELECT id, id, 'potion', 'queued', 'the heron of the house', 0, 0, '{}', datetime('now'), datetime('now') FROM users
"""


@pytest.fixture
def receiver() -> Iterator[Web]:
    with a_web_elsewhere() as web:
        web.answers[INBOX] = Answer(b"{}")
        yield web


def dsn(web: Web) -> str:
    return web.url("/sub/7").replace("://", f"://{KEY}@")


def events(web: Web) -> list[dict[str, Any]]:
    """Return what came, each envelope read as the protocol has it."""
    found = []
    for body in list(web.bodies):
        header, item, rest = body.split(b"\n", 2)
        told = json.loads(item)
        event = json.loads(rest[: told["length"]])
        assert (told["type"], rest[told["length"] :]) == ("event", b"\n")
        assert json.loads(header)["event_id"] == event["event_id"]
        found.append(event)
    return found


def outcome(name: str) -> float:
    (line,) = [
        line for line in exposition().splitlines() if line.startswith(f'llm_ui_error_reports_total{{outcome="{name}"')
    ]
    return float(line.rpartition(" ")[2])


@contextlib.contextmanager
def watching(address: str) -> Iterator[None]:
    root = logging.getLogger()
    crashes.watch("api", address, "testing")
    handler = root.handlers[-1]
    try:
        yield
    finally:
        root.removeHandler(handler)
        handler.close()


@pytest.fixture
def watched(receiver: Web) -> Iterator[Web]:
    """A receiver that is told of what goes wrong in this process."""
    with watching(dsn(receiver)):
        yield receiver


def fail(words: str) -> None:
    try:
        json.loads(words)
    except ValueError as error:
        raise RuntimeError(words) from error


def ask(port: int, path: str, **headers: str) -> int:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path, headers=headers)
    status = connection.getresponse().status
    connection.close()
    return status


def test_every_process_tells_of_what_nobody_foresaw(receiver: Web, tmp_path: Path) -> None:
    product = Product(tmp_path / "data", sentry_dsn=dsn(receiver), sentry_environment="testing")
    with running(product):
        product.add_person("ann")
        product.sign_in("ann")
        key = product.command("keys", "create", SECRET, "--user", "ann").strip()
        with product.connection() as connection:
            # What no version of ours writes, so that nobody foresees it.
            connection.execute(A_JOB)
            connection.execute("UPDATE users SET role = 'wizard'")
            connection.execute("UPDATE user_sessions SET token_hash = ?", [sha256(TOKEN.encode()).hexdigest()])
        ask(product.config.api_port, "/v1/usage?q=heron", Authorization=f"Bearer {key}")
        ask(product.config.port, "/", Cookie=f"{SESSION_COOKIE}={TOKEN}")
        done = subprocess.run(
            [sys.executable, "-m", "llm_ui.cli.main", "users", "list"],
            env=product.environment, capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == 1
        wait_until(
            lambda: {"api", "ui", "cli", "worker"} <= {told["tags"]["process"] for told in events(receiver)},
            "all four",
            60,
        )

    by_process = {told["tags"]["process"]: told for told in events(receiver)}
    assert by_process["api"]["tags"]["request_id"]
    assert by_process["ui"]["tags"]["error_id"]
    assert by_process["cli"]["tags"]["error_id"].encode() in done.stderr
    for told in by_process.values():
        assert (told["release"], told["environment"]) == ("llm-ui@0.1.0", "testing")
        assert "LookupError" in {one["type"] for one in told["exception"]["values"]}
        assert any(frame["in_app"] for one in told["exception"]["values"] for frame in one["stacktrace"]["frames"])
    assert all(f"sentry_key={KEY}" in head for head in receiver.heads)
    everything = b"".join(receiver.bodies)
    assert not any(word.encode() in everything for word in ("heron", key, str(tmp_path)))


def test_what_is_told_says_where_and_not_what(watched: Web) -> None:
    come_from(Origin(API, "192.0.2.7", "Heron/1.0", "request-7"))
    try:
        fail(SECRET)
    except RuntimeError:
        get_logger("llm_ui.test").exception("run.crashed", run_id="run-3", user_id="0190", text=SECRET, error=SECRET)

    wait_until(lambda: bool(watched.bodies), "the event")
    (told,) = events(watched)
    assert told["tags"] == {"run_id": "run-3", "request_id": "request-7", "process": "api", "event": "run.crashed"}
    assert told["user"] == {"id": "0190"}
    assert [one["type"] for one in told["exception"]["values"]] == ["JSONDecodeError", "RuntimeError"]
    assert told["exception"]["values"][1]["stacktrace"]["frames"][-1]["function"] == "fail"
    assert not any(word in watched.bodies[0].lower() for word in (b"heron", b"192.0.2.7"))


def test_nobody_waits_for_a_server_that_does_not_answer() -> None:
    log = get_logger("llm_ui.test")
    with socket.create_server(("127.0.0.1", 0)) as deaf, watching(f"http://key@127.0.0.1:{deaf.getsockname()[1]}/7"):
        dropped = outcome("dropped")
        for _ in range(MOST_WAITING + 50):
            log.crashed("run.crashed", RuntimeError())

        # One at most was taken out to be sent.
        assert outcome("dropped") - dropped in (49, 50)


def test_a_server_that_wants_no_more_is_left_alone(watched: Web) -> None:
    watched.answers[INBOX] = Answer(status="429 Too Many Requests", headers=("Retry-After: 600",))
    dropped, log = outcome("dropped"), get_logger("llm_ui.test")

    def is_left_alone() -> bool:
        log.crashed("run.crashed", RuntimeError())
        return outcome("dropped") > dropped

    wait_until(is_left_alone, "the refusal to be heeded")
    assert len(watched.bodies) == 1


def test_what_was_foreseen_is_not_told(watched: Web) -> None:

    log = get_logger("llm_ui.test")
    log.crashed("job.failed", Unavailable("The database cannot be reached."))
    log.error("run.lost")
    log.crashed("run.crashed", RuntimeError())

    wait_until(lambda: bool(watched.bodies), "the last")
    assert [told["tags"]["event"] for told in events(watched)] == ["run.crashed"]


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("https://key@o7.example.org/42", "https://o7.example.org/api/42/envelope/"),
        ("http://key:old@[::1]:9000/a/b/42/", "http://[::1]:9000/a/b/api/42/envelope/"),
    ],
)
def test_a_dsn_says_where_to(given: str, url: str) -> None:
    address = address_of(given)

    assert (address.url, address.key) == (url, "key")
