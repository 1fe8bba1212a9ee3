"""Turns and runs in a real database, made by the product's own services."""

from collections.abc import Awaitable, Callable
from decimal import Decimal

import pytest

from llm_ui.contract import ChatRequest
from llm_ui.db import Database
from llm_ui.kit.ids import ModelId, uuid7
from llm_ui.runs import context
from llm_ui.runs.live_run import LiveRun
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.agents import AgentInfo
from llm_ui.services.ai_models import ModelChange, NewModel, add_models, change_model
from llm_ui.services.prices import Prices
from llm_ui.services.providers import NewProvider, add
from llm_ui.services.secrets import Secrets
from llm_ui.services.seed import seed
from llm_ui.services.targets import ModelTarget, target
from llm_ui.services.turns import Answerer, NewRun, add_run, append_turn, open_turn_chat

OWNER = "this process"

Ask = Callable[..., Awaitable[LiveRun]]


@pytest.fixture
async def model_id(database: Database, secrets: Secrets) -> ModelId:
    """A model with prices and a window of 4,000 tokens."""
    async with database.writing(lock="seed") as session:
        await seed(session)
        new = NewProvider(name="Acme", kind="openai", base_url="http://127.0.0.1:9/v1", key="sk-some-test-key")
        provider = await add(session, SYSTEM, secrets.sealer, new)
        (model_id,) = await add_models(session, SYSTEM, provider.id, [NewModel("m-1", "Model One")])
        change = ModelChange("Model One", 4_000, 1_000, Prices(Decimal(1), Decimal(1), Decimal(2)))
        await change_model(session, SYSTEM, model_id, change)
    return model_id


@pytest.fixture
def ask(database: Database, a_user: Actor, model_id: ModelId) -> Ask:
    """Store a turn and its run, as the engine does; the answer is not made."""

    async def make(
        text: str = "hi there", *, model: ModelId | None = None, agent: AgentInfo | None = None, **fields: object
    ) -> LiveRun:
        request = ChatRequest(**{"idempotency_key": str(uuid7()), "text": text, **fields})
        async with database.writing() as session:
            chat = await open_turn_chat(session, a_user, request)
            asked: ModelTarget = await target(session, a_user, model or model_id)
            turn = await append_turn(session, a_user, chat, request, Answerer(asked, agent))
            wanted = context.Wanted(request.max_tokens, without=request.without)
            sent = await context.build(session, a_user, turn, asked, wanted)
            await add_run(session, a_user, request, turn, asked, NewRun(sent.manifest, OWNER, "request-1"))
        return LiveRun(
            turn=turn,
            target=asked,
            context=sent,
            actor=a_user,
            temperature=None,
            max_tokens=request.max_tokens,
            request_id="request-1",
            received_at=0.0,
        )

    return make
