"""Several keys of a provider, extra headers and time-outs of its own, over real HTTP."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select, update

from llm_ui.config import Config
from llm_ui.contract import CompleteEvent, ErrorEvent
from llm_ui.db import Database
from llm_ui.kit.ids import ModelId, ProviderId
from llm_ui.models import AiModel, AiProvider
from llm_ui.runs import resilience
from llm_ui.services import reach
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.reach import MAIN, Limits
from llm_ui.services.secrets import Secrets
from tests.api.conftest import AddModel, RunningApi
from tests.api.test_answers import ClientOf, asking, everything
from tests.api.test_stand_ins import GOOD, refusing
from tests.fakes.provider import FakeProvider, Received, Reply

FIRST, SECOND = "sk-test-key-of-some-length", "sk-another-key-0123456789"


@pytest.fixture
def database_config(sqlite_config: Config) -> Config:
    """SQLite only: nothing here depends on the database."""
    return sqlite_config


class Picky:
    """A provider that refuses one of its keys, so many times."""

    def __init__(self) -> None:
        self.refuses, self.refusal = "", refusing(401)
        self.keys: list[str] = []

    def __call__(self, request: Received) -> Reply:
        key = request.headers["authorization"].removeprefix("Bearer ")
        self.keys.append(key)
        return self.refusal if key == self.refuses else GOOD


@pytest.fixture
def picky() -> Picky:
    return Picky()


@pytest.fixture
async def fake(picky: Picky) -> AsyncIterator[FakeProvider]:
    async with FakeProvider(picky) as fake:
        yield fake


@pytest.fixture
async def model(api: RunningApi, add_model: AddModel, fake: FakeProvider) -> ModelId:
    return await add_model(fake.base_url("openai"), "fake")


@pytest.fixture
async def provider(model: ModelId, database: Database) -> ProviderId:
    async with database.reading() as session:
        found = await session.scalar(select(AiModel.provider_id).where(AiModel.id == model))
        assert found is not None
        return found


@pytest.mark.parametrize("status", [401, 402, 429])
async def test_a_key_that_is_refused_rests_and_another_goes_on(
    model: ModelId, provider: ProviderId, database: Database, secrets: Secrets, picky: Picky, client_of: ClientOf,
    a_user: Actor, status: int,
) -> None:  # fmt: skip
    picky.refuses, picky.refusal = FIRST, refusing(status, **{"Retry-After": "20"})
    async with database.writing() as session:
        await reach.add_key(session, SYSTEM, secrets.sealer, provider, SECOND, 1)
        await reach.weigh_key(session, SYSTEM, provider, MAIN, 100)

    for number in range(6):
        events = await everything(client_of(a_user), asking(f"question {number}", model_id=model))
        assert isinstance(events[-1].event, CompleteEvent)

    assert picky.keys.count(SECOND) == 6
    assert picky.keys.count(FIRST) <= 1
    async with database.reading() as session:
        refused = await session.scalar(select(AiProvider.key_refused_at).where(AiProvider.id == provider))
    assert (refused is not None) == (status == 401 and FIRST in picky.keys)


async def test_a_key_is_replaced_without_anybody_noticing(
    model: ModelId, provider: ProviderId, database: Database, secrets: Secrets, picky: Picky, client_of: ClientOf,
    a_user: Actor,
) -> None:  # fmt: skip
    async with database.writing() as session:
        await reach.add_key(session, SYSTEM, secrets.sealer, provider, SECOND, 1)
    async with database.writing() as session:
        await reach.retire_key(session, SYSTEM, provider, MAIN)

    events = await everything(client_of(a_user), asking(model_id=model))

    assert isinstance(events[-1].event, CompleteEvent)
    assert picky.keys == [SECOND]
    async with database.reading() as session:
        (left,) = await reach.list_keys(session, SYSTEM, provider)
    assert (left.id, left.hint) == (MAIN, SECOND[-4:])


async def test_extra_headers_and_time_outs_are_the_providers_own(
    model: ModelId, provider: ProviderId, database: Database, secrets: Secrets, fake: FakeProvider,
    client_of: ClientOf, a_user: Actor, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(resilience, "RETRIES", 0)
    client = client_of(a_user)
    async with database.writing() as session:
        limits = Limits("X-Team: herons; X-Secret: tell-nobody-of-this", {"total_s": 60.0})
        await reach.set_limits(session, SYSTEM, secrets.sealer, provider, limits)
    await everything(client, asking("one", model_id=model))
    assert fake.requests[-1].headers["x-team"] == "herons"
    async with database.writing() as session:
        row = await session.get_one(AiProvider, provider)
        assert "tell-nobody" not in str(row.sealed_headers)
        await session.execute(update(AiModel).where(AiModel.id == model).values(timeouts={"first_byte_s": 0.2}))

    fake._reply = Reply(first_delay_s=30)
    stalled = await everything(client, asking("two", model_id=model))

    end = stalled[-1].event
    assert isinstance(end, ErrorEvent)
    assert end.error.code == "timed_out"
    fake._reply = refusing(400, "tell-nobody-of-this was sent")
    said = (await everything(client, asking("three", model_id=model)))[-1].event
    assert isinstance(said, ErrorEvent)
    assert "tell-nobody" not in said.error.message
