"""Testing a provider through the LLM API."""

import json
from uuid import UUID

import pytest

from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.errors import Forbidden, NotFound
from llm_ui.kit.ids import ModelId
from llm_ui.models import AiModel, AiProvider
from llm_ui.services.access import Actor
from tests.api.conftest import AddModel, RunningApi
from tests.api.test_answers import ClientOf
from tests.fakes.provider import FakeProvider, Reply, models

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def database_config(sqlite_config: Config) -> Config:
    """SQLite only: nothing here depends on the database."""
    return sqlite_config


async def provider_of(database: Database, model_id: ModelId) -> AiProvider:
    async with database.reading() as session:
        model = await session.get_one(AiModel, model_id)
        return await session.get_one(AiProvider, model.provider_id)


async def test_a_good_provider_tells_its_models_and_that_is_noted(
    api: RunningApi, database: Database, client_of: ClientOf, an_admin: Actor, add_model: AddModel
) -> None:
    async with FakeProvider(models) as fake:
        model_id = await add_model(fake.base_url("openai"), "Acme")
        provider = await provider_of(database, model_id)

        result = await client_of(an_admin).test_provider(provider.id)

    assert result.is_ok
    assert result.message == "Acme answers and serves 2 models."
    assert [model.name for model in result.models] == ["fake-small", "fake-large"]
    assert result.latency_ms is not None
    noted = await provider_of(database, model_id)
    assert noted.last_tested_at is not None
    assert noted.last_test_error is None


async def test_a_bad_key_is_said_in_one_sentence_and_noted(
    api: RunningApi, database: Database, client_of: ClientOf, an_admin: Actor, add_model: AddModel
) -> None:
    body = json.dumps({"error": {"message": "Incorrect API key\0 provided: sk-test-key-of-some-length"}}).encode()
    async with FakeProvider(Reply([body], status=401, headers=JSON)) as fake:
        model_id = await add_model(fake.base_url("openai"), "Acme")

        result = await client_of(an_admin).test_provider((await provider_of(database, model_id)).id)

    assert not result.is_ok
    assert result.message.startswith("The provider refused the key. An administrator has to enter a valid one.")
    assert "sk-test" not in result.message
    assert (await provider_of(database, model_id)).last_test_error == result.message


async def test_names_that_no_database_holds_are_mended(
    api: RunningApi, database: Database, client_of: ClientOf, an_admin: Actor, add_model: AddModel
) -> None:
    body = b'{"data": [{"id": "m\\u0000-\\ud800"}]}'
    async with FakeProvider(Reply([body], headers=JSON)) as fake:
        model_id = await add_model(fake.base_url("openai"), "Acme")
        result = await client_of(an_admin).test_provider((await provider_of(database, model_id)).id)

    assert [model.name for model in result.models] == ["m-\ufffd"]


async def test_only_administrators_test_providers(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor, an_admin: Actor, add_model: AddModel
) -> None:
    async with FakeProvider(models) as fake:
        model_id = await add_model(fake.base_url("openai"), "Acme")
        provider = await provider_of(database, model_id)

        with pytest.raises(Forbidden):
            await client_of(a_user).test_provider(provider.id)
        with pytest.raises(NotFound):
            await client_of(an_admin).test_provider(UUID(int=1))

        assert fake.requests == []


async def test_models_that_may_be_asked_are_listed(
    api: RunningApi, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    model_id = await add_model("http://127.0.0.1:9/v1", "gpt-4o-mini")

    default, added = await client_of(a_user).models()

    assert (default.kind, default.is_default, default.input_usd_per_mtok) == ("demo", True, "0")
    assert (added.model_id, added.name, added.provider_name) == (model_id, "gpt-4o-mini", "gpt-4o-mini")
    assert not added.is_default
