"""Our own REST as scripts use it: a key, its scopes, its project, pages, versions, and answers that are cut off."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from sqlalchemy import select, update

from llm_ui.api.edge import MAX_BODY_BYTES
from llm_ui.api.main import PUBLIC
from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.kit.ids import KeyId
from llm_ui.models import AiModel, BudgetReservation, ChatHistory, KeyScope, RunStatus, UsageLog
from llm_ui.services import keys
from llm_ui.services.access import Actor
from llm_ui.services.keys import NewKey
from tests.api.conftest import AddModel, RunningApi
from tests.api.test_edge import body_of, filled
from tests.documents.ready import a_document, a_project
from tests.fakes.provider import FakeProvider, answer, reply

WELL = reply("openai", answer("openai", ["Hello ", "wörld"]))
Script = Callable[..., Any]


@pytest.fixture
def database_config(sqlite_config: Config) -> Config:
    """SQLite only: what depends on the database is tried with the services."""
    return sqlite_config


@pytest.fixture
def script(api: RunningApi, database: Database, database_config: Config) -> Script:
    """Make a key for an actor and return a client that asks with it."""

    @asynccontextmanager
    async def make(actor: Actor, **wanted: Any) -> AsyncIterator[httpx2.AsyncClient]:
        async with database.writing() as session:
            made = await keys.create(session, actor, NewKey("script", **wanted))
        async with httpx2.AsyncClient(
            base_url=f"{database_config.llm_api_url}/api/v1", trust_env=False, timeout=30,
            headers={"Authorization": f"Bearer {made.token}", "X-Key-Id": str(made.id)},
        ) as client:  # fmt: skip
            yield client

    return make


def key_of(client: httpx2.AsyncClient) -> KeyId:
    return KeyId(UUID(client.headers["x-key-id"]))


def asking(text: str = "hi", **fields: object) -> dict[str, object]:
    return {"idempotency_key": uuid4().hex, "text": text, **fields}


def code_of(response: httpx2.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


async def test_a_script_keeps_a_conversation(
    script: Script, database: Database, a_user: Actor, add_model: AddModel
) -> None:
    async with FakeProvider(WELL) as fake, script(a_user) as client:
        model_id = str(await add_model(fake.base_url("openai"), "fake"))
        made = (await client.post("/conversations", json={"title": "Herons"})).json()
        path = f"/conversations/{made['conversation_id']}"

        said = (await client.post(f"{path}/messages", json=asking("Which bird?", model_id=model_id))).json()
        again = (await client.post("/chat", json=asking("And now?", chat_id=made["conversation_id"]))).json()
        newest = (await client.get(f"{path}/messages", params={"limit": 3})).json()
        older = (await client.get(f"{path}/messages", params={"limit": 3, "after": newest["next"]})).json()
        runs = (await client.get("/runs", params={"conversation_id": made["conversation_id"], "limit": 1})).json()
        more = (await client.get("/runs", params={"after": runs["next"]})).json()
        rewritten = await client.patch(f"{path}/messages/{again['answer_id']}", json={"text": "Better."})
        gone = await client.delete(f"{path}/messages/{rewritten.json()['message_id']}")
        elsewhere = await client.get(f"/conversations/{uuid4()}/messages/{again['answer_id']}")
        usage = (await client.get("/usage")).json()

    assert (said["status"], said["text"], again["chat_id"]) == ("completed", "Hello wörld", made["conversation_id"])
    assert [one["role"] for one in newest["items"]] == ["assistant", "user", "assistant"]
    assert [one["text"] for one in older["items"]] == ["Which bird?"]
    assert older["next"] is None
    assert [one["run_id"] for one in (*runs["items"], *more["items"])] == [again["run_id"], said["run_id"]]
    assert (rewritten.json()["text"], gone.status_code, elsewhere.status_code) == ("Better.", 204, 404)
    assert usage["total"]["requests"] == 2
    async with database.reading() as session:
        assert {row.key_id for row in await session.scalars(select(UsageLog))} == {key_of(client)}
        assert (await session.scalars(select(ChatHistory.title))).all() == ["Herons"]


async def test_a_stream_goes_on_after_the_number_that_was_read_last(
    script: Script, a_user: Actor, add_model: AddModel
) -> None:
    async with FakeProvider(WELL) as fake, script(a_user) as client:
        model_id = str(await add_model(fake.base_url("openai"), "fake"))
        streamed = (await client.post("/chat/stream", json=asking(model_id=model_id))).text
        run_id = streamed.split('"run_id":"')[1][:36]
        rest = (await client.get(f"/runs/{run_id}/events", params={"after": 2})).text
        view = (await client.get(f"/runs/{run_id}")).json()

    assert streamed.startswith("id: 1\nevent: start\n")
    assert streamed.endswith(rest)
    assert rest.startswith("id: 3\n")
    assert view["status"] == RunStatus.COMPLETED


async def test_what_a_revoked_key_began_ends_and_what_it_follows_is_told_no_more(
    script: Script, database: Database, a_user: Actor, add_model: AddModel
) -> None:
    endless = reply("openai", answer("openai", [f"{number} " for number in range(5_000)]), delay_s=0.05)
    async with FakeProvider(endless) as fake, script(a_user) as client:
        model_id = str(await add_model(fake.base_url("openai"), "fake"))
        async with client.stream("POST", "/chat/stream", json=asking(model_id=model_id)) as stream:
            pieces = stream.aiter_text()
            first = await anext(pieces)
            async with database.writing() as session:
                await keys.revoke(session, a_user, key_of(client))
            async with asyncio.timeout(20):
                async for _ in pieces:
                    pass
        refused = await client.get(f"/runs/{first.split(chr(34) + 'run_id' + chr(34) + ':' + chr(34))[1][:36]}")
        while True:
            async with database.reading() as session:
                rows = (await session.scalars(select(UsageLog.status))).all()
            if rows:
                break
            await asyncio.sleep(0.05)

    assert code_of(refused) == (401, "invalid_api_key")
    assert rows == [RunStatus.STOPPED]


async def test_the_budget_and_the_models_of_a_key_hold_for_conversations_too(
    script: Script, database: Database, a_user: Actor, add_model: AddModel
) -> None:
    async with FakeProvider(WELL) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        other_id = await add_model(fake.base_url("anthropic"), "other", "anthropic")
        async with database.writing() as session:
            await session.execute(
                update(AiModel).values(input_usd_per_mtok=Decimal(9_000), output_usd_per_mtok=Decimal(1))
            )
        only = {"models": frozenset([model_id])}
        async with script(a_user, **only, budget_usd=Decimal("0.01")) as poor, script(a_user, **only) as rich:
            spent = await poor.post("/chat", json=asking(model_id=str(model_id), max_tokens=50))
            barred = await rich.post("/chat", json=asking(model_id=str(other_id)))
            well = await rich.post("/chat", json=asking(model_id=str(model_id)))

    assert code_of(spent) == (402, "budget_spent")
    assert code_of(barred) == (404, "model_not_found")
    assert well.json()["status"] == "completed"
    async with database.reading() as session:
        assert (await session.scalars(select(BudgetReservation))).all() == []


async def test_documents_come_in_are_found_renamed_and_deleted(
    script: Script, database: Database, a_user: Actor
) -> None:
    async with script(a_user) as client:
        project = (await client.post("/projects", json={"name": "Herons"})).json()["project_id"]
        path = f"/projects/{project}/documents"
        empty = await client.post(path, params={"name": "nothing.txt"}, content=b"")
        first = await client.post(path, params={"name": "grey.txt"}, content=b"A grey heron.")
        same = await client.post(path, params={"name": "copy.txt"}, content=b"A grey heron.")
        await client.post(path, params={"name": "white.txt"}, content=b"A white heron. " * (MAX_BODY_BYTES // 14))
        document = f"/documents/{first.json()['document_id']}"
        file = await client.get(f"{document}/file")
        unchanged = await client.get(f"{document}/file", headers={"If-None-Match": file.headers["etag"]})
        renamed = await client.patch(document, json={"name": "purple.txt"})
        page = (await client.get(path, params={"limit": 1})).json()
        second = (await client.get(path, params={"limit": 1, "after": page["next"]})).json()
        gone = await client.delete(document)
        missing = await client.get(document)
        found = await client.post("/retrieve", json={"project_id": project, "query": "heron"})

    assert code_of(empty) == (400, "invalid_input")
    assert (first.status_code, same.status_code, same.json()["name"]) == (201, 200, "grey.txt")
    assert (first.json()["stage"], first.json()["size_bytes"]) == ("received", 13)
    assert (file.content, unchanged.status_code, unchanged.content) == (b"A grey heron.", 304, b"")
    assert file.headers["content-disposition"] == "attachment; filename*=UTF-8''grey.txt"
    assert renamed.json()["name"] == "purple.txt"
    assert [one["name"] for one in (*page["items"], *second["items"])] == ["purple.txt", "white.txt"]
    assert (second["next"], gone.status_code, missing.status_code) == (None, 204, 404)
    assert found.json()["passages"] == []


CREATED = [
    ("conversations", {"title": "Herons"}, {"title": "Storks"}, "conversation_id"),
    ("projects", {"name": "Herons"}, {"name": "Storks"}, "project_id"),
    ("agents", {"name": "Birder"}, {"name": "Twitcher"}, "agent_id"),
    ("prompts", {"name": "greet", "text": "Hi"}, {"text": "Hello"}, "prompt_id"),
]


@pytest.mark.parametrize(("what", "new", "change", "name"), CREATED, ids=[one[0] for one in CREATED])
async def test_what_is_created_is_there_once_and_changed_only_as_it_was_read(
    script: Script,
    a_user: Actor,
    another_user: Actor,
    what: str,
    new: dict[str, str],
    change: dict[str, str],
    name: str,
) -> None:
    once = {"Idempotency-Key": "the-same-key"}
    async with script(a_user) as client, script(another_user) as other:
        first = await client.post(f"/{what}", json=new, headers=once)
        again = await client.post(f"/{what}", json=new, headers=once)
        path, tag = f"/{what}/{first.json()[name]}", {"If-Match": first.headers["etag"]}
        unchanged = await client.get(path, headers={"If-None-Match": first.headers["etag"]})
        changed = await client.patch(path, json=change, headers=tag)
        late = [await client.patch(path, json=change, headers=tag), await client.delete(path, headers=tag)]
        foreign = [await other.get(path), await other.patch(path, json=change), await other.delete(path)]
        listed = (await client.get(f"/{what}")).json()
        gone = await client.delete(path, headers={"If-Match": changed.headers["etag"]})
        after = await client.get(path)

    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert change.items() <= changed.json().items()
    assert [code_of(one) for one in late] == [(412, "outdated")] * 2
    assert [code_of(one) for one in foreign] == [(404, "not_found")] * 3
    assert [one[name] for one in listed["items"] if one.get("is_mine", True)] == [first.json()[name]]
    assert (gone.status_code, after.status_code) == (204, 404)


@pytest.mark.parametrize("what", ["conversations", "projects", "agents", "prompts"])
async def test_pages_hold_everything_once(script: Script, a_user: Actor, what: str) -> None:
    word = "title" if what == "conversations" else "name"
    async with script(a_user) as client:
        for number in range(5):
            await client.post(
                f"/{what}", json={word: f"heron-{number}", **({"text": "x"} if what == "prompts" else {})}
            )
        found, after = [], ""
        while after is not None:
            page = (await client.get(f"/{what}", params={"limit": 2, "after": after})).json()
            assert len(page["items"]) <= 2
            found += [one[word] for one in page["items"]]
            after = page["next"]
        junk = await client.get(f"/{what}", params={"after": "bm90IGpzb24"})

    assert sorted(one for one in found if one.startswith("heron-")) == [f"heron-{number}" for number in range(5)]
    assert len(found) == len(set(found))
    assert code_of(junk) == (400, "invalid_input")


def routes() -> list[tuple[str, str]]:
    """Return method and path of every address that is open to keys."""
    return sorted((method, route.path) for router in PUBLIC for route in router.routes for method in route.methods)  # type: ignore[attr-defined]


async def test_a_key_without_the_scope_reaches_no_address(script: Script, a_user: Actor) -> None:
    async with script(a_user, scopes=frozenset({KeyScope.MODELS})) as client:
        for method, path in routes():
            response = await client.request(method, filled(path, uuid4()).removeprefix("/v1"), json=body_of(path))
            assert code_of(response) == (403, "forbidden"), path
            assert "scope" in response.json()["error"]["message"], path


async def test_with_a_key_of_a_project_what_is_outside_is_not_there(
    script: Script, database: Database, a_user: Actor, add_model: AddModel
) -> None:
    inside, outside = await a_project(database, a_user, "Inside"), await a_project(database, a_user, "Outside")
    document = await a_document(database, a_user, outside, ["The code is heron-71."], name="secret.txt")
    async with FakeProvider(WELL) as fake, script(a_user) as free, script(a_user, project_id=inside) as walled:
        model_id = str(await add_model(fake.base_url("openai"), "fake"))
        said = (await free.post("/chat", json=asking("The code is heron-71.", model_id=model_id))).json()
        agent = (await free.post("/agents", json={"name": "heron-71", "project_id": str(outside)})).json()["agent_id"]
        prompt = (await free.post("/prompts", json={"name": "heron-71", "text": "heron-71"})).json()["prompt_id"]
        ids = {
            "{conversation_id}": said["chat_id"], "{message_id}": said["answer_id"], "{run_id}": said["run_id"],
            "{project_id}": outside, "{document_id}": document, "{agent_id}": agent, "{prompt_id}": prompt,
            "{user_id}": a_user.user_id,
        }  # fmt: skip
        for method, path in routes():
            there = path.removeprefix("/v1")
            for name, value in ids.items():
                there = there.replace(name, str(value))
            if "{" in path:
                response = await walled.request(method, there, json=body_of(path), params={"name": "a.txt"})
                assert code_of(response) == (404, "not_found"), path
            elif method == "GET":
                assert "heron-71" not in (await walled.get(there)).text, path
                assert said["chat_id"] not in (await walled.get(there)).text, path
        named = {"project_id": str(outside)}
        for there, body in {
            "/retrieve": {**named, "query": "code"},
            "/chat": asking(**named),
            "/chat/stream": asking(chat_id=said["chat_id"]),
            "/conversations": {"title": "x", **named},
        }.items():
            response = await walled.post(there, json=body)
            assert response.status_code in (403, 404), there
        for there, body in {
            "/projects": {"name": "New"},
            "/agents": {"name": "x"},
            "/prompts": {"name": "x", "text": "x"},
        }.items():
            assert code_of(await walled.post(there, json=body)) == (403, "forbidden"), there
        kept = (await walled.post("/chat", json=asking(model_id=model_id))).json()["chat_id"]
        mine = (await walled.get(f"/conversations/{kept}")).json()
        out = await walled.patch(f"/conversations/{kept}", json={"project_id": None})
        usage = (await walled.get("/usage")).json()["total"]["requests"]

    assert mine["project_id"] == str(inside)
    assert code_of(out) == (403, "forbidden")
    assert usage == 1


async def test_requests_are_limited_and_told_what_is_left(script: Script, a_user: Actor) -> None:
    async with script(a_user, requests_per_minute=2) as client:
        answers = [await client.get("/projects") for _ in range(3)]

    assert [one.status_code for one in answers] == [200, 200, 429]
    assert [one.headers.get("x-ratelimit-remaining-requests") for one in answers[:2]] == ["1", "0"]
    assert int(answers[2].headers["retry-after"]) > 0
    assert answers[2].json()["error"]["request_id"] == answers[2].headers["x-request-id"]


async def test_a_key_of_an_administrator_administers_nothing(script: Script, an_admin: Actor) -> None:
    async with script(an_admin) as client:
        shared = await client.post("/agents", json={"name": "Birder", "is_shared": True})
        tests = [await client.post("/providers/local"), await client.get("/models/offered")]

    assert code_of(shared) == (403, "forbidden")
    assert [one.status_code for one in tests] == [404, 404]
