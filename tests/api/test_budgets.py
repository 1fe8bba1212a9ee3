"""A project's budget, asked over real HTTP: what is refused, and what every end of an answer leaves of it."""

import asyncio
from decimal import Decimal

import httpx2
import pytest
from sqlalchemy import func, select, update

from llm_ui.config import Config
from llm_ui.contract import PreviewRequest
from llm_ui.db import Database
from llm_ui.errors import LLMUIError
from llm_ui.kit.ids import ModelId, ProjectId
from llm_ui.models import AiModel, BudgetReservation, ChatHistory, UsageLog
from llm_ui.services import budgets
from llm_ui.services.access import Actor
from llm_ui.services.budgets import BudgetState
from tests.api.conftest import AddModel, RunningApi
from tests.api.test_answers import ClientOf, asking, everything, started
from tests.documents.ready import a_project
from tests.fakes.provider import FakeProvider, answer, reply

USD_PER_MTOK = Decimal(1_000)
"""4,096 tokens of an answer are reckoned with: four dollars and ten cents."""
AT_ONCE = 8
WORDS = [f"word{number} " for number in range(600)]
"""Half a minute: longer than anybody here lets it be written."""


async def priced(database: Database, model_id: ModelId) -> ModelId:
    async with database.writing() as session:
        prices = {"input_usd_per_mtok": USD_PER_MTOK, "output_usd_per_mtok": USD_PER_MTOK}
        await session.execute(update(AiModel).where(AiModel.id == model_id).values(**prices))
    return model_id


async def with_budget(database: Database, actor: Actor, amount: str) -> ProjectId:
    project_id = await a_project(database, actor)
    async with database.writing() as session:
        await budgets.set_amount(session, actor, project_id, Decimal(amount))
    return project_id


async def state(database: Database, actor: Actor, project_id: ProjectId) -> BudgetState:
    async with database.reading() as session:
        found = await budgets.read(session, actor, project_id)
    assert found is not None
    return found


async def booked(database: Database, project_id: ProjectId) -> Decimal:
    async with database.reading() as session:
        cost = select(func.sum(UsageLog.cost_usd)).where(UsageLog.project_id == project_id)
        return await session.scalar(cost) or Decimal(0)


async def test_of_questions_at_once_those_are_refused_for_which_there_is_nothing_left(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    project_id = await with_budget(database, a_user, "5.00")
    client = client_of(a_user)
    async with FakeProvider(reply("openai", answer("openai", WORDS), delay_s=0.05)) as fake:
        model_id = await priced(database, await add_model(fake.base_url("openai"), "fake"))
        keys = [f"key-number-{number}" for number in range(AT_ONCE)]
        asked = [asking(key, model_id=model_id, project_id=project_id, idempotency_key=key) for key in keys]
        streams = [client.chat_stream(one) for one in asked]
        ends = await asyncio.gather(*(anext(stream) for stream in streams), return_exceptions=True)
        for stream, end in zip(streams, ends, strict=True):
            if not isinstance(end, BaseException):
                await client.stop(started([end]).run_id)
                async for _ in stream:
                    pass

    refused = [end for end in ends if isinstance(end, LLMUIError)]
    assert len(refused) == AT_ONCE - 1
    assert all("Herons has $0." in end.message and "On 20" in end.message for end in refused)
    found = await state(database, a_user, project_id)
    assert (found.spent_usd, found.reserved_usd) == (await booked(database, project_id), 0)
    assert 0 < found.spent_usd < 5
    async with database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(ChatHistory)) == 1, (
            "nothing is stored of the others"
        )
        assert await session.scalar(select(func.count()).select_from(BudgetReservation)) == 0
    preview = await client.preview(PreviewRequest(model_id=model_id, project_id=project_id))
    assert (preview.budget_usd, Decimal(preview.budget_left_usd or 0)) == ("5", found.left_usd)


async def test_an_answer_that_fails_or_is_stopped_leaves_nothing_set_aside(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    project_id = await with_budget(database, a_user, "20.00")
    client = client_of(a_user)
    async with FakeProvider(reply("openai", [b"nonsense"], status=401)) as fake:
        model_id = await priced(database, await add_model(fake.base_url("openai"), "refuses"))
        await everything(client, asking("fails", model_id=model_id, project_id=project_id))
    assert (await state(database, a_user, project_id)).reserved_usd == 0

    async with FakeProvider(reply("openai", answer("openai", WORDS), delay_s=0.05)) as fake:
        model_id = await priced(database, await add_model(fake.base_url("openai"), "slow"))
        stream = client.chat_stream(asking("stopped", model_id=model_id, project_id=project_id))
        begun = started([await anext(stream)])
        assert (await state(database, a_user, project_id)).reserved_usd > 4
        await anext(stream)
        await client.stop(begun.run_id)
        async for _ in stream:
            pass

    found = await state(database, a_user, project_id)
    assert (found.spent_usd, found.reserved_usd) == (await booked(database, project_id), 0)


@pytest.mark.parametrize("database_config", ["sqlite"], indirect=True)
async def test_limits_are_set_by_owners_over_http(
    api: RunningApi, database_config: Config, client_of: ClientOf, database: Database, a_user: Actor,
    another_user: Actor,
) -> None:  # fmt: skip
    url = f"{database_config.llm_api_url}/v1/projects/{await a_project(database, a_user)}/limits"
    owner, stranger = client_of(a_user).headers(), client_of(another_user).headers()
    async with httpx2.AsyncClient(trust_env=False, timeout=30) as http:
        assert (await http.get(url, headers=owner)).json()["budget_usd"] is None
        told = (await http.put(url, headers=owner, json={"keep_days": 90, "budget_usd": "2.50"})).json()
        assert (told["keep_days"], told["budget_usd"], told["left_usd"]) == (90, "2.5", "2.5")
        for wrong in ({"keep_days": 0, "budget_usd": None}, {"keep_days": None, "budget_usd": "0.001"}):
            assert (await http.put(url, headers=owner, json=wrong)).status_code == 400
        assert (await http.put(url, headers=stranger, json={"keep_days": None, "budget_usd": None})).status_code == 404
        assert (await http.get(url, headers=owner)).json() == told
