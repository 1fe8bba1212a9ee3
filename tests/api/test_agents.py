"""Agents over HTTP: changed by their makers, named in requests, answering from what they know."""

from dataclasses import replace
from typing import Any

import httpx2
import pytest

from llm_ui.config import Config
from llm_ui.contract import PreviewRequest
from llm_ui.db import Database
from llm_ui.errors import NotFound
from llm_ui.kit.ids import AgentId, ChatId
from llm_ui.models import MessageRole, Role
from llm_ui.services import agents
from llm_ui.services.access import Actor
from llm_ui.services.agents import AgentSettings
from llm_ui.services.messages import read_messages
from tests.api.conftest import AddModel, RunningApi
from tests.api.test_passages import ClientOf, asking, everything, started, system_of
from tests.conftest import make_actor
from tests.documents.ready import a_document, a_project
from tests.fakes.provider import FakeProvider, answer, reply

BIRDER = AgentSettings("Birder", instructions="Answer like an ornithologist.", temperature=0.2)
HERON = "A grey heron weighs about two kilograms."
WELL = reply("openai", answer("openai", ["Well."]))


async def save(database: Database, actor: Actor, settings: AgentSettings, agent_id: AgentId | None = None) -> AgentId:
    async with database.writing() as session:
        return await agents.save(session, actor, agent_id, settings)


async def test_an_agent_answers_until_another_or_none_is_asked(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    client = client_of(a_user)
    async with FakeProvider(WELL) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        agent_id = await save(database, a_user, replace(BIRDER, model_id=model_id))
        first = started(await everything(client, asking("Which bird?", agent_id=agent_id)))
        assert fake.requests[-1].json()["temperature"] == 0.2
        assert BIRDER.instructions in system_of(fake)

        await everything(client, asking("And that one?", chat_id=first.chat_id))
        assert BIRDER.instructions in system_of(fake)
        assert "earlier answers" not in system_of(fake)

        alone = started(await everything(client, asking("And you?", chat_id=first.chat_id, agent_id="none")))
        assert BIRDER.instructions not in system_of(fake)
        assert "were written by the agent “Birder”. You answer without an agent" in system_of(fake)

    assert (first.agent_id, first.agent_name, alone.agent_id) == (agent_id, "Birder", None)
    async with database.reading() as session:
        page = await read_messages(session, a_user, ChatId(first.chat_id))
    said = [one.run.agent_name for one in page.items if one.run is not None]
    assert said == ["Birder", "Birder", ""]
    notes = [one.text for one in page.items if one.role is MessageRole.NOTE]
    assert notes == ["The agent Birder answers no more from here on, but the model alone."]


async def test_a_chat_whose_agent_is_gone_goes_on_without_it(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    client = client_of(a_user)
    async with FakeProvider(WELL) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        agent_id = await save(database, a_user, BIRDER)
        first = started(await everything(client, asking("Which?", agent_id=agent_id, model_id=model_id)))
        async with database.writing() as session:
            await agents.remove(session, a_user, agent_id)

        with pytest.raises(NotFound, match="does not exist any more"):
            await everything(client, asking("Once more?", chat_id=first.chat_id, agent_id=agent_id))
        second = started(await everything(client, asking("Once more?", chat_id=first.chat_id)))

    assert second.agent_name == ""
    async with database.reading() as session:
        page = await read_messages(session, a_user, ChatId(first.chat_id))
        assert await agents.of_chat(session, a_user, ChatId(first.chat_id), agent_id) == (None, "Birder")
    assert page.items[1].run is not None
    assert page.items[1].run.agent_name == "Birder"


async def test_what_a_shared_agent_knows_is_read_while_it_is_shared_and_outside_of_projects(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor, an_admin: Actor, add_model: AddModel
) -> None:
    library = await a_project(database, an_admin, "Library")
    known = await a_document(database, an_admin, library, [HERON])
    await a_document(database, an_admin, library, ["A heron's password is mouse."], name="secret.txt")
    mine = await a_project(database, a_user, "Mine")
    shared = replace(BIRDER, project_id=library, documents=(known,), is_shared=True)
    agent_id = await save(database, an_admin, shared)
    client = client_of(a_user)
    async with FakeProvider(WELL) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        what = {"agent_id": agent_id, "model_id": model_id}

        first = started(await everything(client, asking("What does a heron weigh?", **what)))
        assert HERON in system_of(fake)
        assert "mouse" not in system_of(fake), "only what it was given"
        told = await client.preview(PreviewRequest(agent_id=agent_id, model_id=model_id, text="How heavy is a heron?"))
        assert told.passage_count == 1
        await everything(client, asking("What does a heron weigh?", project_id=mine, **what))
        assert HERON not in system_of(fake), "projects are walls"

        await save(database, an_admin, replace(shared, is_shared=False), agent_id)
        await everything(client, asking("What does a heron weigh?", chat_id=first.chat_id))
        assert HERON not in system_of(fake)
        with pytest.raises(NotFound):
            await everything(client, asking("What does a heron weigh?", **what))


async def test_agents_are_made_changed_and_deleted_by_their_makers(
    api: RunningApi, database: Database, database_config: Config, client_of: ClientOf, a_user: Actor
) -> None:
    eve = await make_actor(database, "eve", Role.USER)
    async with httpx2.AsyncClient(base_url=database_config.llm_api_url, trust_env=False) as http:

        async def ask(actor: Actor, method: str, path: str = "", **body: Any) -> httpx2.Response:
            return await http.request(
                method, f"/v1/agents{path}", json=body or None, headers=client_of(actor).headers()
            )

        made = (await ask(a_user, "POST", name="Birder", instructions="Chirp.", starters=["Which bird?"])).json()
        path = f"/{made['agent_id']}"
        changed = await ask(a_user, "PATCH", path, description="Knows birds", temperature=0.5)
        assert changed.json() == {**made, "description": "Knows birds", "temperature": 0.5}
        assert (await ask(a_user, "GET")).json() == {"items": [changed.json()], "next": None}

        assert (await ask(eve, "GET")).json()["items"] == []
        for method in ("GET", "PATCH", "DELETE"):
            refused = await ask(eve, method, path, **({"name": "Mine"} if method == "PATCH" else {}))
            assert refused.status_code == 404
        assert (await ask(a_user, "PATCH", path, is_shared=True)).status_code == 403
        for bad in ({"name": None}, {"name": " "}, {"color": "beige"}):
            assert (await ask(a_user, "PATCH", path, **bad)).status_code == 400
        assert (await http.get("/v1/agents")).status_code == 401

        assert (await ask(a_user, "DELETE", path)).status_code == 204
        assert (await ask(a_user, "GET", path)).status_code == 404
