"""The API as it describes itself: true examples, and no request that it allows, or does not, makes it crash."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
import schemathesis
from fastapi import APIRouter, FastAPI
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from schemathesis.core.result import Ok

from llm_ui.api.main import PUBLIC, ROUTERS
from llm_ui.api.rest.examples import EXAMPLES
from llm_ui.api.rest.openapi import describe
from llm_ui.config import Config
from llm_ui.contract import ErrorBody
from llm_ui.db import Database
from llm_ui.models import Role
from llm_ui.services import keys
from llm_ui.services.access import Actor
from llm_ui.services.keys import NewKey
from llm_ui.services.sign_in import revoke_all
from tests.api.conftest import RunningApi
from tests.api.test_answers import ClientOf
from tests.conftest import make_actor
from tests.documents.ready import a_document, a_project
from tests.fakes.postgresql import EmptyDatabase

EXAMPLES_EACH = int(os.environ.get("LLM_UI_FUZZ", "2"))
"""Requests of each principal at each address; `LLM_UI_FUZZ=200` for a long look."""
SEED = int(os.environ.get("LLM_UI_FUZZ_SEED", "1"))
LIMIT_S = 5.0 if EXAMPLES_EACH > 2 else 30.0
"""What any answer may take; a loaded machine is given more."""
NOT_NOW = {"unavailable"}
PRINCIPALS = ("anonymous", "user", "other user", "operator", "admin", "revoked key")


@pytest.fixture
def database_config(request: pytest.FixtureRequest, sqlite_config: Config) -> Config:
    """SQLite; PostgreSQL too for a long look, which may hold other numbers and texts."""
    if EXAMPLES_EACH > 2 and os.environ.get("LLM_UI_FUZZ_DATABASE") == "postgresql":
        server: EmptyDatabase = request.getfixturevalue("empty_postgresql")
        return Config(**{**sqlite_config.model_dump(), "database_url": server.take()})
    return sqlite_config


def kinds() -> dict[str, type[BaseModel]]:
    """Return all models of the product by name."""
    found: dict[str, type[BaseModel]] = {}
    waiting: list[type[BaseModel]] = [BaseModel]
    while waiting:
        for kind in waiting.pop().__subclasses__():
            if kind.__module__.startswith(("llm_ui.api.rest", "llm_ui.api.routes", "llm_ui.contract")):
                found[kind.__name__] = kind
            waiting.append(kind)
    return found


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_what_it_is_an_example_of(name: str) -> None:
    example = EXAMPLES[name]

    assert kinds()[name].model_validate(example).model_dump(mode="json", include=set(example)).keys() == example.keys()


def test_everything_is_explained() -> None:
    app = FastAPI(title="x")
    for router in PUBLIC:
        app.include_router(router)
    describe(app)
    document = app.openapi()
    schemas = document["components"]["schemas"]

    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"][0].isupper(), (method, path)
            assert {"401", "404", "429"} <= operation["responses"].keys(), (method, path)
            assert operation["security"], (method, path)
            sent = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if sent is not None and method != "put":
                assert schemas[sent["schema"]["$ref"].rpartition("/")[2]]["examples"], (method, path)


@pytest.fixture
async def principals(database: Database, a_user: Actor, another_user: Actor) -> dict[str, dict[str, str]]:
    """Return the headers of everybody there can be."""
    operator, admin = [
        await make_actor(database, name, role) for name, role in (("o", Role.OPERATOR), ("a", Role.ADMIN))
    ]
    who = {"user": a_user, "other user": another_user, "operator": operator, "admin": admin, "revoked key": a_user}
    found: dict[str, dict[str, str]] = {"anonymous": {}}
    for name, actor in who.items():
        async with database.writing() as session:
            made = await keys.create(session, actor, NewKey("script", requests_per_minute=100_000))
            if name == "revoked key":
                await keys.revoke(session, actor, made.id)
        found[name] = {"Authorization": f"Bearer {made.token}"}
    return found


@pytest.fixture
async def tickets(
    database: Database, client_of: ClientOf, a_user: Actor, another_user: Actor
) -> dict[str, dict[str, str]]:
    """Return the same people as their pages ask."""
    names = {"operator": Role.OPERATOR, "admin": Role.ADMIN, "revoked key": Role.USER}
    others = {name: await make_actor(database, f"page {name}", role) for name, role in names.items()}
    found = {"anonymous": {}, "user": client_of(a_user).headers(), "other user": client_of(another_user).headers()}
    found |= {name: client_of(actor).headers() for name, actor in others.items()}
    async with database.writing() as session:
        await revoke_all(session, others["revoked key"].user_id, "signed out")
    return found


@pytest.fixture
async def there(database: Database, a_user: Actor) -> dict[str, UUID]:
    """Return the ids of what there is of the user."""
    project = await a_project(database, a_user)
    document = await a_document(database, a_user, project, ["A grey heron."], name="heron.txt")
    return {"project_id": project, "document_id": document, "user_id": a_user.user_id}


@pytest.fixture
async def ask(api: RunningApi, database_config: Config) -> AsyncIterator[Callable[..., Any]]:
    """Return how a request is sent by everybody at once, from another thread."""
    async with httpx2.AsyncClient(base_url=database_config.llm_api_url, trust_env=False, timeout=60) as http:
        loop = asyncio.get_running_loop()

        async def one(sent: dict[str, Any], headers: dict[str, str]) -> httpx2.Response:
            if isinstance(sent.get("json"), dict) and "idempotency_key" in sent["json"]:
                sent = {**sent, "json": {**sent["json"], "idempotency_key": uuid4().hex}}
            return await http.request(**{**sent, "headers": {**sent["headers"], **headers}})

        async def all_at_once(sent: dict[str, Any], who: dict[str, dict[str, str]]) -> dict[str, httpx2.Response]:
            return dict(zip(who, await asyncio.gather(*(one(sent, headers) for headers in who.values())), strict=True))

        def send(sent: dict[str, Any], who: dict[str, dict[str, str]]) -> dict[str, httpx2.Response]:
            return asyncio.run_coroutine_threadsafe(all_at_once(sent, who), loop).result()

        yield send


@pytest.mark.timeout(3_600 if EXAMPLES_EACH > 2 else 240)
@pytest.mark.parametrize("of", ["everybody", "pages"])
async def test_nothing_that_is_sent_makes_it_crash(
    of: str,
    principals: dict[str, dict[str, str]],
    tickets: dict[str, dict[str, str]],
    there: dict[str, UUID],
    ask: Callable[..., Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    who = principals if of == "everybody" else tickets
    assert tuple(who) == PRINCIPALS
    schema = schemathesis.openapi.from_dict(described(PUBLIC if of == "everybody" else ROUTERS))
    operations = [one.ok() for one in schema.get_all_operations() if isinstance(one, Ok)]
    assert len(operations) > (40 if of == "everybody" else 15)
    statuses: dict[str, set[int]] = {name: set() for name in PRINCIPALS}

    def look(operation: Any) -> None:
        @seed(SEED)
        @settings(
            max_examples=EXAMPLES_EACH, deadline=None, database=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(operation.as_strategy(), st.booleans(), st.booleans())
        def fuzzed(case: Any, is_there: bool, is_below_api: bool) -> None:
            if is_there:
                case.path_parameters = {**(case.path_parameters or {}), **_known(case.path_parameters, there)}
            sent = _sent(case)
            if is_below_api and of == "everybody":
                sent["url"] = f"/api{sent['url']}"
            for name, response in ask(sent, who).items():
                statuses[name].add(response.status_code)
                if response.status_code >= 400:
                    error = ErrorBody.model_validate_json(response.content).error
                    assert error.code != "internal", (sent, response.text)
                    assert response.status_code < 500 or error.code in NOT_NOW, (sent, response.text)
                assert response.elapsed.total_seconds() < LIMIT_S, (sent, name, response.elapsed)

        fuzzed()

    for operation in operations:
        await asyncio.to_thread(look, operation)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
    refused = {400, 401, 404, 405, 413, *((200,) if of == "pages" else ())}
    assert statuses["anonymous"] <= refused
    assert statuses["revoked key"] <= refused | {429}
    assert {200, 404} <= statuses["user"]


def described(routers: Sequence[APIRouter]) -> dict[str, Any]:
    """Return what routers take and give, also those that the product tells nobody of."""
    app = FastAPI(title="x")
    for router in routers:
        app.include_router(router)
    return app.openapi()


def _sent(case: Any) -> dict[str, Any]:
    """Return what is sent for a case, without a key."""
    sent = case.as_transport_kwargs(base_url="")
    headers = {
        key: value
        for key, value in (sent["headers"] or {}).items()
        if key.lower() not in ("authorization", "x-api-key")
    }
    kept = {key: sent[key] for key in ("method", "url", "params", "json") if sent.get(key) is not None}
    if sent.get("data") is not None:
        kept["content"] = sent["data"]
    return {**kept, "headers": headers}


def _known(named: dict[str, Any] | None, there: dict[str, UUID]) -> dict[str, str]:
    return {name: str(there[name]) for name in named or {} if name in there}
