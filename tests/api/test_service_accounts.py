"""A key of a team's service account, over real HTTP: it answers, is limited, is booked, and ends in mid-answer."""

from datetime import timedelta

import openai
import pytest

from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.kit.clock import now
from llm_ui.kit.ids import UserId
from llm_ui.models import LimitAction, LimitKind, LimitScope
from llm_ui.services import limits, service_accounts, teams
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.limits import NewLimit
from llm_ui.services.usage import figures, rollups
from llm_ui.services.usage.names import names
from llm_ui.services.usage.slots import Period
from llm_ui.services.usage.statements import By, Filters
from tests.api.conftest import AddModel, RunningApi
from tests.api.stage import booked
from tests.api.test_clients import until
from tests.fakes.provider import FakeProvider, answer, reply
from tests.services.test_service_accounts import a_key, an_account
from tests.services.test_teams import OWNER, a_team

HI = [{"role": "user", "content": "Hi"}]
ENDLESS = reply("openai", answer("openai", ["word "] * 5_000), delay_s=0.02)


@pytest.fixture
def database_config(sqlite_config: Config) -> Config:
    """SQLite only: who may is tried on both."""
    return sqlite_config


def speaking(config: Config, token: str) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"{config.llm_api_url}/v1", api_key=token, max_retries=0)


async def test_it_answers_is_booked_to_its_team_by_name_and_is_limited(
    api: RunningApi, database: Database, database_config: Config, add_model: AddModel, a_user: Actor
) -> None:
    team_id = await a_team(database, bob=OWNER)
    account_id = await an_account(database, team_id)
    token = (await a_key(database, a_user, account_id)).token
    begun = now()
    async with FakeProvider(reply("openai", answer("openai", ["A heron."]))) as fake:
        await add_model(fake.base_url("openai"), "fake")
        async with speaking(database_config, token) as script:
            found = await script.chat.completions.create(model="fake", messages=HI)  # type: ignore[arg-type]
            assert found.choices[0].message.content == "A heron."
            async with database.writing() as session:
                per_minute = LimitKind.REQUESTS_MINUTE
                new = NewLimit(LimitScope.TEAM, team_id, per_minute, 1, LimitAction.STOP)
                await limits.save(session, SYSTEM, None, new)
            await script.chat.completions.create(model="fake", messages=HI)  # type: ignore[arg-type]
            with pytest.raises(openai.RateLimitError, match="Ornithology"):
                await script.chat.completions.create(model="fake", messages=HI)  # type: ignore[arg-type]

    assert {(row.user_id, row.team_id) for row in await booked(database)} == {(account_id, team_id)}
    await rollups.roll_up(database)
    period = Period(begun - timedelta(hours=1), begun + timedelta(hours=1))
    async with database.reading() as session:
        ranked = await figures.ranking(session, SYSTEM, Filters(), period, By.USER)
        assert await names(session, By.USER, list(ranked)) == {account_id: "Ornithology/report"}
        assert await figures.active_people(session, SYSTEM, period) == 0


@pytest.mark.parametrize("end", ["switched off", "team deleted"])
async def test_what_it_is_being_answered_ends_with_it(
    api: RunningApi, database: Database, database_config: Config, add_model: AddModel, a_user: Actor, end: str
) -> None:
    team_id = await a_team(database, bob=OWNER)
    account_id = await an_account(database, team_id)
    token = (await a_key(database, a_user, account_id)).token
    async with FakeProvider(ENDLESS) as fake:
        await add_model(fake.base_url("openai"), "fake")
        async with speaking(database_config, token) as script:
            stream = await script.chat.completions.create(model="fake", messages=HI, stream=True)  # type: ignore[arg-type]
            with pytest.raises(openai.APIError) as caught:
                async for chunk in stream:
                    if chunk.choices and chunk.choices[0].delta.content == "word ":
                        await ended(database, a_user, account_id, end)
                        break
                async for _ in stream:
                    pass
            await until(lambda: fake.open_connections == 0)
            with pytest.raises(openai.AuthenticationError):
                await script.models.list()

    assert caught.value.code == "invalid_api_key"


async def ended(database: Database, owner: Actor, account_id: UserId, end: str) -> None:
    async with database.writing() as session:
        if end == "team deleted":
            account = await service_accounts.read(session, owner, account_id)
            await teams.remove(session, SYSTEM, account.team_id)
        else:
            await service_accounts.set_active(session, owner, account_id, is_active=False)
