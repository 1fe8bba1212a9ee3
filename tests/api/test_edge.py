"""What holds for every address of the LLM API: who may ask, how it refuses, what it never tells."""

import json
import re
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import cast
from uuid import UUID, uuid4

import httpx2
import pytest
from starlette.routing import Route

from llm_ui.api import principal
from llm_ui.api.edge import MAX_BODY_BYTES
from llm_ui.api.main import PUBLIC, ROUTERS, build
from llm_ui.api.principal import Api
from llm_ui.config import Config
from llm_ui.contract import ErrorBody
from llm_ui.db import Database
from llm_ui.kit.signing import Signer
from llm_ui.models import ProviderKind
from llm_ui.services.access import Actor
from llm_ui.services.secrets import Secrets
from llm_ui.services.sign_in import revoke_all
from tests.api.conftest import RunningApi
from tests.api.test_answers import ClientOf, asking, everything, started

OPEN = {("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/metrics")}
"""Addresses that ask nobody who they are, but for where they ask from."""
DESCRIBED = "/v1/openapi.json"
"""What the API is, for whoever looks."""


@pytest.fixture
def database_config(sqlite_config: Config) -> Config:
    """SQLite only: nothing here depends on the database."""
    return sqlite_config


@pytest.fixture
async def http(api: RunningApi, database_config: Config) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=database_config.llm_api_url, trust_env=False, timeout=30) as client:
        yield client


def routes() -> list[tuple[str, str]]:
    """Return method and path of every address."""
    return sorted(
        (method, route.path) for router in (*ROUTERS, *PUBLIC) for route in router.routes for method in route.methods
    )  # type: ignore[attr-defined]


BODIES = {
    "agents": {"name": "Tutor"},
    "projects": {"name": "Herons"},
    "prompts": {"name": "greet", "text": "Hello"},
    "conversations": {"title": "Herons"},
    "documents": {"name": "a.txt"},
    "retrieve": {"project_id": str(UUID(int=1)), "query": "x"},
}
"""By the first word of the address."""


def filled(path: str, some_id: UUID) -> str:
    return re.sub(r"\{\w+\}", str(some_id), path) + ("?name=a.txt" if path.endswith("/documents") else "")


def body_of(path: str) -> object:
    if path.endswith("/limits"):
        return {"keep_days": None, "budget_usd": None}
    if path.endswith("{message_id}"):
        return {"text": "x"}
    if path.startswith("/v1/chat") or path.endswith("/messages"):
        return {"idempotency_key": uuid4().hex, "text": "hi"}
    if "/members" in path:
        return {"role": "viewer"} if path.endswith("{user_id}") else {"email": "x@example.org", "role": "viewer"}
    return BODIES.get(path.removeprefix("/v1/").split("/")[0])


def refused(response: httpx2.Response) -> str:
    """Return the code of a refusal, whose shape is always the same."""
    error = ErrorBody.model_validate_json(response.content).error
    assert error.request_id == response.headers["x-request-id"]
    assert error.message.endswith((".", "!"))
    assert "Traceback" not in response.text
    return error.code


async def test_every_address_asks_for_a_ticket(http: httpx2.AsyncClient) -> None:
    assert len(routes()) >= 9
    for method, path in routes():
        response = await http.request(method, filled(path, uuid4()), json=body_of(path))
        if (method, path) in OPEN:
            assert response.status_code == 200, path
        else:
            assert (response.status_code, refused(response)) == (401, "not_signed_in"), path


async def test_what_is_not_there_is_not_there_at_every_address(
    http: httpx2.AsyncClient, client_of: ClientOf, an_admin: Actor
) -> None:
    for method, path in routes():
        if "{" in path:
            response = await http.request(
                method, filled(path, uuid4()), headers=client_of(an_admin).headers(), json=body_of(path)
            )
            assert (response.status_code, refused(response)) == (404, "not_found"), path


async def test_somebody_elses_run_is_not_there_at_every_address(
    http: httpx2.AsyncClient, client_of: ClientOf, a_user: Actor, another_user: Actor, an_admin: Actor
) -> None:
    mine = started(await everything(client_of(a_user), asking("What is 2 + 2?")))
    for method, path in routes():
        if "{run_id}" in path:
            for actor in (another_user, an_admin):
                answer = await http.request(method, filled(path, mine.run_id), headers=client_of(actor).headers())
                assert (answer.status_code, refused(answer)) == (404, "not_found"), path
            own = await http.request(method, filled(path, mine.run_id), headers=client_of(a_user).headers())
            # The demo was asked without a request, which is told as such.
            assert own.status_code in (200, 202) or refused(own) == "invalid_input", path


async def test_what_administers_is_not_for_everybody(
    http: httpx2.AsyncClient, client_of: ClientOf, a_user: Actor, an_admin: Actor
) -> None:
    for path in (f"/v1/providers/{uuid4()}/test", "/v1/providers/local"):
        response = await http.post(path, headers=client_of(a_user).headers())
        assert (response.status_code, refused(response)) == (403, "forbidden"), path


@pytest.mark.parametrize(
    "ticket",
    ["expired", "without user", "without session", "another's user", "another key", "no id", "revoked"],
)
async def test_a_bad_ticket_is_refused(
    http: httpx2.AsyncClient, secrets: Secrets, database: Database, a_user: Actor, another_user: Actor, ticket: str
) -> None:
    signer, ttl_s = secrets.signer, 60.0
    claims = {"sub": str(a_user.user_id), "sid": str(a_user.session_id)}
    match ticket:
        case "expired":
            ttl_s = -1.0
        case "without user":
            del claims["sub"]
        case "without session":
            del claims["sid"]
        case "another's user":
            claims["sub"] = str(another_user.user_id)
        case "another key":
            signer = Signer(b"x" * 32)
        case "no id":
            claims["sid"] = "1 OR 1=1"
        case _:
            async with database.writing() as session:
                await revoke_all(session, a_user.user_id, "signed out")

    response = await http.get("/v1/models/offered", headers={"Authorization": f"Bearer {signer.sign(claims, ttl_s)}"})

    assert (response.status_code, refused(response)) == (401, "not_signed_in")


async def test_the_same_ticket_is_taken_when_nothing_is_wrong_with_it(
    http: httpx2.AsyncClient, secrets: Secrets, a_user: Actor
) -> None:
    ticket = secrets.signer.sign({"sub": str(a_user.user_id), "sid": str(a_user.session_id)}, 60)

    response = await http.get("/v1/models/offered", headers={"Authorization": f"bearer {ticket}"})

    assert [model["kind"] for model in response.json()] == [ProviderKind.DEMO]
    assert response.json()[0]["is_default"]


REFUSALS = [
    ("GET", "/nowhere", 404, "not_found"),
    ("GET", "/docs", 404, "not_found"),
    ("GET", "/redoc", 404, "not_found"),
    ("DELETE", "/v1/models/offered", 405, "wrong_method"),
    ("GET", "/v1/runs/not-an-id", 400, "invalid_input"),
    ("GET", f"/v1/runs/{UUID(int=1)}/events?after=-1", 400, "invalid_input"),
    ("GET", f"/v1/runs/{UUID(int=1)}/events?after=x", 400, "invalid_input"),
]


async def test_refusals_have_one_shape(http: httpx2.AsyncClient, client_of: ClientOf, a_user: Actor) -> None:
    for method, path, status, code in REFUSALS:
        response = await http.request(method, path, headers=client_of(a_user).headers())
        assert (response.status_code, refused(response)) == (status, code), path


NO_REQUESTS = [
    b"",
    b"{",
    b"null",
    b"[]",
    b'"text"',
    b'{"text": "no key"}',
    b'{"idempotency_key": "some-key", "text": 5}',
    b'{"idempotency_key": "some-key", "text": null}',
    b'{"idempotency_key": "some-key", "text": "x", "unknown": 1}',
    b'{"idempotency_key": "some-key", "text": "x", "temperature": NaN}',
    b'{"idempotency_key": "some-key", "text": "x", "temperature": 3}',
    b'{"idempotency_key": "some-key", "text": "x", "max_tokens": 0}',
    b'{"idempotency_key": "some-key", "text": "x", "chat_id": "1"}',
    b'{"idempotency_key": "key\\u0000key", "text": "x"}',
    b'{"idempotency_key": "some-key\\ud800", "text": "x"}',
    b'{"idempotency_key": "some-key", "text": "\xff\xfe"}',
    b'{"idempotency_key": "some-key", "text": ' + b"[" * 50_000,
]


async def test_a_body_that_is_no_request_is_refused(
    http: httpx2.AsyncClient, client_of: ClientOf, a_user: Actor
) -> None:
    headers = {**client_of(a_user).headers(), "Content-Type": "application/json"}
    for body in NO_REQUESTS:
        response = await http.post("/v1/chat", content=body, headers=headers)
        assert (response.status_code, refused(response)) == (400, "invalid_input"), body[:80]


@pytest.mark.parametrize("is_chunked", [False, True])
async def test_a_body_over_the_limit_is_refused_with_the_limit(
    http: httpx2.AsyncClient, client_of: ClientOf, a_user: Actor, is_chunked: bool
) -> None:
    body = json.dumps({"idempotency_key": "some-key", "text": "x" * MAX_BODY_BYTES}).encode()

    async def chunks() -> AsyncIterator[bytes]:
        for at in range(0, len(body), 500_000):
            yield body[at : at + 500_000]

    headers = {**client_of(a_user).headers(), "Content-Type": "application/json"}
    response = await http.post("/v1/chat", content=chunks() if is_chunked else body, headers=headers)

    assert (response.status_code, refused(response)) == (413, "too_large")
    assert "16 MB" in response.text


async def test_a_request_keeps_the_id_it_came_with_unless_it_is_none(http: httpx2.AsyncClient) -> None:
    kept = await http.get("/healthz", headers={"X-Request-ID": "proxy-7.a_b"})
    made = await http.get("/healthz", headers={"X-Request-ID": "a b\tc"})

    assert kept.headers["x-request-id"] == "proxy-7.a_b"
    assert len(made.headers["x-request-id"]) == 16


async def test_a_crash_is_told_with_an_id_and_nothing_else(
    http: httpx2.AsyncClient,
    client_of: ClientOf,
    a_user: Actor,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def broken(*_arguments: object) -> Actor:
        raise RuntimeError("the secret of the house")

    monkeypatch.setattr(principal, "actor_of_session", broken)

    response = await http.get("/v1/models/offered", headers=client_of(a_user).headers())

    assert (response.status_code, refused(response)) == (500, "internal")
    assert "secret" not in response.text
    (logged,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert logged.getMessage() == "request.crashed"
    assert logged.__dict__["fields"]["request_id"] == response.headers["x-request-id"]


async def test_a_stream_is_not_held_back_by_proxies(
    http: httpx2.AsyncClient, client_of: ClientOf, a_user: Actor
) -> None:
    body = {"idempotency_key": uuid4().hex, "text": "What is 2 + 2?"}

    response = await http.post("/v1/chat/stream", json=body, headers=client_of(a_user).headers())

    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["cache-control"] == "no-cache"
    assert response.headers["x-accel-buffering"] == "no"
    assert response.text.startswith("id: 1\nevent: start\ndata: {")
    assert '"type"' not in response.text


async def test_it_describes_itself_without_loading_anything_from_elsewhere(http: httpx2.AsyncClient) -> None:
    described = (await http.get("/v1/openapi.json")).json()

    documented = {(method.upper(), path) for path, methods in described["paths"].items() for method in methods}
    assert documented == {
        (method, route.path) for router in PUBLIC for route in router.routes for method in route.methods
    }  # type: ignore[attr-defined]


async def test_every_address_of_another_protocol_refuses_whoever_has_no_key(
    http: httpx2.AsyncClient, database_config: Config
) -> None:
    app = build(cast(Api, SimpleNamespace(config=database_config)))
    found = [route for route in app.router.routes if type(route) is Route]
    assert len(found) > 40

    for route in found:
        for method in sorted((route.methods or set()) - {"HEAD"}):
            path = re.sub(r"\{\w+:path\}", "Users", route.path)
            response = await http.request(method, path, json=None if method == "GET" else {})
            expected = 200 if route.path == DESCRIBED else 401
            assert response.status_code == expected, f"{method} {path}: {response.text}"
