"""Trying a model out through the LLM API: real HTTP, real databases, a scripted provider."""

import json
from collections.abc import Callable
from decimal import Decimal

import pytest

from llm_ui.contract import CompleteEvent
from llm_ui.contract.trials import TrialRequest
from llm_ui.db import Database
from llm_ui.errors import BudgetSpent, Forbidden
from llm_ui.kit.ids import ModelId
from llm_ui.llm_client import UserClient
from llm_ui.models import LimitAction, LimitKind, LimitScope, UsagePurpose
from llm_ui.services import ai_models, limits, prompts, settings
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.ai_models import ModelChange
from llm_ui.services.prices import Prices
from llm_ui.services.settings import TEMPORARY_CHATS
from tests.api.conftest import AddModel, RunningApi
from tests.api.test_answers import everything, text_of
from tests.api.test_temporary import wait_for_booking
from tests.fakes.embeddings import DIMENSIONS, embeddings_reply
from tests.fakes.provider import FakeProvider, answer, reply

ClientOf = Callable[[Actor], UserClient]


def trying(model_id: ModelId, **fields: object) -> TrialRequest:
    return TrialRequest(**{"idempotency_key": "a-key-of-a-try", "text": "hi there", "model_id": model_id, **fields})


async def test_a_model_is_told_what_is_written_and_nothing_else(
    api: RunningApi, database: Database, client_of: ClientOf, an_admin: Actor, a_user: Actor, add_model: AddModel
) -> None:
    async with database.writing() as session:
        await prompts.save_personal(session, an_admin, "Speak like a pirate.")
        # It is no chat of anybody's.
        await settings.change(session, SYSTEM, TEMPORARY_CHATS, value=False)
    async with FakeProvider(reply("openai", answer("openai", ["All ", "well"]))) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        with pytest.raises(Forbidden):
            await everything(client_of(a_user), trying(model_id))
        asked = trying(model_id, system="Be brief.", temperature=0.5, max_tokens=77)
        events = await everything(client_of(an_admin), asked)
        (request,) = [one for one in fake.requests if one.method == "POST"]

    assert text_of(events) == "All well"
    assert isinstance(events[-1].event, CompleteEvent)
    body = json.loads(request.body)
    assert [one["content"] for one in body["messages"]] == ["Be brief.", "hi there"]
    assert (body["temperature"], "tools" in body) == (0.5, False)
    booked = await wait_for_booking(database)
    assert (booked.user_id, booked.model_id, booked.purpose) == (an_admin.user_id, model_id, UsagePurpose.ANSWER)


async def test_limits_hold_for_what_is_tried(
    api: RunningApi, database: Database, client_of: ClientOf, an_admin: Actor, add_model: AddModel
) -> None:
    async with FakeProvider(reply("openai", answer("openai", ["no"]))) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        new = limits.NewLimit(LimitScope.MODEL, model_id, LimitKind.DAY_USD, 1, LimitAction.STOP)
        async with database.writing() as session:
            model = await ai_models.get_model(session, SYSTEM, model_id)
            change = ModelChange(model.display_name, None, None, Prices(Decimal(100_000), None, Decimal(100_000)))
            await ai_models.change_model(session, SYSTEM, model_id, change, seen=model.updated_at)
            await limits.save(session, SYSTEM, None, new)

        with pytest.raises(BudgetSpent):
            await everything(client_of(an_admin), trying(model_id))
        assert [one for one in fake.requests if one.method == "POST"] == []


async def test_an_embedding_model_tells_its_vector(
    api: RunningApi, database: Database, client_of: ClientOf, an_admin: Actor, add_model: AddModel
) -> None:
    async with FakeProvider(embeddings_reply) as fake:
        model_id = await add_model(fake.base_url("openai"), "things-embed")
        made = await client_of(an_admin).test_embedding(model_id, "a heron in a boat")

    assert (made.is_ok, made.dimensions, made.first) == (True, DIMENSIONS, (1.0, 1.0, 0.0, 0.0, 0.0))
    assert made.usage is not None
    assert (made.usage.input_tokens, made.usage.source) == (3, "provider")
    booked = await wait_for_booking(database)
    assert (booked.user_id, booked.purpose) == (an_admin.user_id, UsagePurpose.EMBEDDING)
