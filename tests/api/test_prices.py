"""What an answer costs is fixed when it is made."""

from decimal import Decimal

import httpx2
import pytest
from sqlalchemy import select

from llm_ui.models import AiModel, UsageLog
from llm_ui.services import ai_models
from llm_ui.services.access import SYSTEM
from llm_ui.services.ai_models import ModelChange
from llm_ui.services.prices import Prices, Tier, cost
from tests.api.stage import Stage, played, stage

__all__ = ["played", "stage"]
pytestmark = pytest.mark.asyncio(loop_scope="module")


async def priced(stage: Stage, prices: Prices) -> None:
    async with stage.database.writing() as session:
        row = (await session.scalars(select(AiModel).where(AiModel.name == "anthropic"))).one()
        change = ModelChange(row.display_name, None, None, prices)
        await ai_models.change_model(session, SYSTEM, row.id, change)


async def test_an_answer_keeps_the_price_of_its_moment_and_a_long_prompt_has_its_tiers(stage: Stage) -> None:
    tier = Tier(Decimal(100), Decimal(100), Decimal(200), None, 1)
    each = Prices(Decimal(1), None, Decimal(2)), Prices(Decimal(10), None, Decimal(20), None, (tier,))
    asked = {"model": "anthropic/anthropic", "messages": [{"role": "user", "content": "What is a heron?"}]}

    async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {stage.key}"}) as client:
        for prices in each:
            await priced(stage, prices)
            assert (await client.post(f"{stage.url}/v1/chat/completions", json=asked)).status_code == 200
    async with stage.database.reading() as session:
        rows = (await session.scalars(select(UsageLog).order_by(UsageLog.created_at))).all()

    first, second = (row.cost_usd for row in rows)
    assert rows[0].input_tokens > 1
    assert first == cost(
        each[0], input_tokens=rows[0].input_tokens, cached_tokens=0, output_tokens=rows[0].output_tokens
    )
    assert second == first * 100
