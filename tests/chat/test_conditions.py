"""What open pages are told of models that do not answer."""

import asyncio
from datetime import timedelta

from llm_ui.chat.conditions import condition
from llm_ui.db import POOL_SIZE
from llm_ui.kit.clock import now
from llm_ui.models import ProviderHealth
from llm_ui.services.access import SYSTEM
from llm_ui.services.ai_models import NewModel, add_models
from llm_ui.services.providers import NewProvider, add
from llm_ui.services.secrets import Secrets
from llm_ui.ui.page import PageContext


async def test_more_pages_than_there_are_connections_are_told_at_the_same_moment(
    context: PageContext, secrets: Secrets
) -> None:
    async with context.backend.database.writing() as session:
        new = NewProvider("Slow", "openai", "http://127.0.0.1:9/v1", "sk-test-key-of-some-length")
        provider = await add(session, SYSTEM, secrets.sealer, new)
        await add_models(session, SYSTEM, provider.id, [NewModel("words")])
        instant = now()
        session.add(ProviderHealth(provider_id=provider.id, due_at=instant, down_since=instant - timedelta(hours=1)))

    # Each waited for a second connection while it had one, until the time for that was over.
    async with asyncio.timeout(10):
        found = await asyncio.gather(*(condition(context) for _ in range(4 * POOL_SIZE)))

    assert len({str(op) for _, op in found}) == 1
    assert "No model can answer" in str(found[0])
