"""What scripts and watchers are told while no model can answer."""

from datetime import timedelta

import httpx2
import pytest
from sqlalchemy import select

from llm_ui.config import Config
from llm_ui.contract import ErrorEvent
from llm_ui.db import Database
from llm_ui.kit.clock import now
from llm_ui.models import AiModel, ProviderHealth
from llm_ui.services.access import Actor
from tests.api.conftest import AddModel, RunningApi
from tests.api.test_answers import ClientOf, asking, everything
from tests.api.test_limits import a_key
from tests.fakes.postgresql import free_port

HI = [{"role": "user", "content": "hi"}]
ASKED = {
    "/v1/chat/completions": {"model": "gone", "messages": HI},
    "/v1/responses": {"model": "gone", "input": "hi"},
    "/v1/messages": {"model": "gone", "max_tokens": 9, "messages": HI},
    "/v1beta/models/gone:generateContent": {"contents": [{"parts": [{"text": "hi"}]}]},
    "/api/chat": {"model": "gone", "messages": HI, "stream": False},
}
"""One of each protocol, with what is asked there."""


@pytest.fixture
def database_config(sqlite_config: Config) -> Config:
    """SQLite only: the statements are tried on both in the tests of the service."""
    return sqlite_config


async def test_every_protocol_says_that_nothing_answers_and_when_to_try_again(
    api: RunningApi,
    database: Database,
    database_config: Config,
    client_of: ClientOf,
    a_user: Actor,
    add_model: AddModel,
) -> None:
    model_id = await add_model(f"http://127.0.0.1:{free_port()}/v1", "gone")
    token, said = await a_key(database, a_user), {}
    async with httpx2.AsyncClient(base_url=database_config.llm_api_url, trust_env=False, timeout=30) as http:
        assert (await http.get("/readyz")).json()["level"] == "full"
        async with database.writing() as session:
            provider_id = (await session.scalars(select(AiModel.provider_id).where(AiModel.id == model_id))).one()
            row = await session.get(ProviderHealth, provider_id) or ProviderHealth(provider_id=provider_id)
            row.due_at = now() + timedelta(seconds=20)
            row.down_since = row.probed_at = now() - timedelta(seconds=20)
            row.fault = "connection_refused"
            session.add(row)

        for path, body in ASKED.items():
            said[path] = await http.post(path, json=body, headers={"Authorization": f"Bearer {token}"})
        ready = await http.get("/readyz")
        events = await everything(client_of(a_user), asking(model_id=model_id))

    sentence = "No model can answer at the moment. Try again in"
    assert {one.status_code for one in said.values()} == {503}
    assert all(5 <= int(one.headers["retry-after"]) <= 60 for one in said.values())
    assert all(sentence in one.text for one in said.values())
    assert said["/v1/chat/completions"].json()["error"]["code"] == "nothing_answers"
    assert said["/v1/messages"].json()["type"] == "error"
    assert said["/v1beta/models/gone:generateContent"].json()["error"]["status"] == "UNAVAILABLE"
    assert said["/api/chat"].json()["error"].startswith(sentence)
    assert (ready.status_code, ready.json()["level"]) == (200, "static"), "nothing that a restart would mend"
    end = events[-1].event
    assert isinstance(end, ErrorEvent)
    assert end.error.code == "nothing_answers"
