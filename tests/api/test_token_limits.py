"""A person's tokens hold for chats, temporary chats and scripts alike, over real HTTP."""

import openai
import pytest

from llm_ui.config import Config
from llm_ui.contract import TemporaryRequest
from llm_ui.db import Database
from llm_ui.errors import LLMUIError
from llm_ui.models import QuotaKind, QuotaScope
from llm_ui.services import keys, quotas
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.keys import NewKey
from tests.api.conftest import AddModel, RunningApi
from tests.api.test_answers import ClientOf, asking, everything
from tests.api.test_clients import HI
from tests.fakes.provider import FakeProvider, answer, reply


@pytest.fixture
def database_config(sqlite_config: Config) -> Config:
    """SQLite only: what depends on the database is tried with the limits themselves."""
    return sqlite_config


async def test_nobody_gets_past_their_tokens_by_asking_elsewhere(
    api: RunningApi, database: Database, database_config: Config, client_of: ClientOf, a_user: Actor,
    add_model: AddModel,
) -> None:  # fmt: skip
    client, told = client_of(a_user), "tokens for today"
    async with database.writing() as session:
        limits = {QuotaKind.DAY_TOKENS: 1}
        await quotas.set_quotas(session, SYSTEM, QuotaScope.USER, str(a_user.user_id), "bob", limits)
        token = (await keys.create(session, a_user, NewKey("script"))).token
    async with (
        FakeProvider(reply("openai", answer("openai", ["Hello"]))) as fake,
        openai.AsyncOpenAI(base_url=f"{database_config.llm_api_url}/v1", api_key=token, max_retries=0) as script,
    ):
        model_id = await add_model(fake.base_url("openai"), "fake")
        await everything(client, asking("the-first-question", model_id=model_id))
        asked = len(fake.requests)

        with pytest.raises(LLMUIError, match=told):
            await everything(client, asking("the-second-question", model_id=model_id))
        with pytest.raises(LLMUIError, match=told):
            await everything(
                client, TemporaryRequest(idempotency_key="the-third-question", text="hi", model_id=model_id)
            )
        with pytest.raises(openai.APIStatusError, match=told) as refused:
            await script.chat.completions.create(model="fake", messages=HI)

        assert (refused.value.status_code, refused.value.code) == (402, "insufficient_quota")
        assert len(fake.requests) == asked, "no model was asked"
