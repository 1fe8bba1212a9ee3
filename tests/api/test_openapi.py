"""The API as it describes itself: true examples, and no request that it allows, or does not, makes it crash."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from schemathesis.core.result import Ok

from llm_ui.api.main import PUBLIC
from llm_ui.api.rest.examples import EXAMPLES
from llm_ui.api.rest.openapi import describe
from llm_ui.config import Config
from llm_ui.contract import ErrorBody
from llm_ui.db import Database
from llm_ui.models import Role
from llm_ui.services import keys
from llm_ui.services.access import Actor
from llm_ui.services.keys import NewKey
from tests.api.conftest import RunningApi
from tests.conftest import make_actor
from tests.documents.ready import a_document, a_project

EXAMPLES_EACH = int(os.environ.get("LLM_UI_FUZZ", "2"))
"""Requests of each principal at each address; `LLM_UI_FUZZ=200` for a long look."""
PRINCIPALS = ("anonymous", "user", "other user", "operator", "admin", "revoked key")


@pytest.fixture
def database_config(sqlite_config: Config) -> Config:
    """SQLite only: nothing here depends on the database."""
    return sqlite_config


@pytest.fixture
async def document(api: RunningApi, database_config: Config) -> dict[str, Any]:
    async with httpx2.AsyncClient(base_url=database_config.llm_api_url, trust_env=False) as http:
        return dict((await http.get("/v1/openapi.json")).json())


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
async def there(database: Database, a_user: Actor) -> dict[str, UUID]:
    """Return the ids of what there is of the user."""
    project = await a_project(database, a_user)
    document = await a_document(database, a_user, project, ["A grey heron."], name="heron.txt")
    return {"project_id": project, "document_id": document, "user_id": a_user.user_id}


@pytest.fixture
async def ask(database_config: Config) -> AsyncIterator[Callable[..., Any]]:
    async with httpx2.AsyncClient(base_url=database_config.llm_api_url, trust_env=False, timeout=60) as http:
        loop = asyncio.get_running_loop()

        def send(**request: Any) -> httpx2.Response:
            return asyncio.run_coroutine_threadsafe(http.request(**request), loop).result()

        yield send


@pytest.mark.timeout(3_600 if EXAMPLES_EACH > 2 else 240)
async def test_nothing_that_is_sent_makes_it_crash(
    document: dict[str, Any],
    principals: dict[str, dict[str, str]],
    there: dict[str, UUID],
    ask: Callable[..., Any],
) -> None:
    assert tuple(principals) == PRINCIPALS
    schema = schemathesis.openapi.from_dict(document)
    operations = [one.ok() for one in schema.get_all_operations() if isinstance(one, Ok)]
    assert len(operations) > 40
    statuses: dict[str, set[int]] = {name: set() for name in PRINCIPALS}

    def look(operation: Any) -> None:
        @seed(1)
        @settings(
            max_examples=EXAMPLES_EACH, deadline=None, database=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(operation.as_strategy(), st.booleans())
        def fuzzed(case: Any, is_there: bool) -> None:
            for name, headers in principals.items():
                if is_there:
                    case.path_parameters = {**(case.path_parameters or {}), **_known(case.path_parameters, there)}
                sent = case.as_transport_kwargs(base_url="")
                own = {
                    key: value
                    for key, value in (sent["headers"] or {}).items()
                    if key.lower() not in ("authorization", "x-api-key")
                }
                sent = {
                    key: sent[key] for key in ("method", "url", "params", "json", "data") if sent.get(key) is not None
                }
                if isinstance(sent.get("json"), dict) and "idempotency_key" in sent["json"]:
                    sent["json"]["idempotency_key"] = uuid4().hex
                if "data" in sent:
                    sent["content"] = sent.pop("data")
                response = ask(**sent, headers={**own, **headers})
                statuses[name].add(response.status_code)
                if response.status_code >= 400:
                    error = ErrorBody.model_validate_json(response.content).error
                    assert error.code != "internal", (sent, response.text)

        fuzzed()

    for operation in operations:
        await asyncio.to_thread(look, operation)
    assert statuses["anonymous"] <= {400, 401, 404, 405, 413}
    assert statuses["revoked key"] <= {400, 401, 404, 405, 413, 429}
    assert {200, 404} <= statuses["user"]


def _known(named: dict[str, Any] | None, there: dict[str, UUID]) -> dict[str, str]:
    return {name: str(there[name]) for name in named or {} if name in there}
