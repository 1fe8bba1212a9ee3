"""What tests of the chat page share."""

from collections.abc import AsyncIterator

import pytest

from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.llm_client import LLMClient
from llm_ui.models import Role
from llm_ui.services.secrets import Secrets
from llm_ui.services.seed import seed
from llm_ui.ui.page import Backend, PageContext
from tests.conftest import make_actor
from tests.open_pages import page_of


@pytest.fixture
async def context(sqlite_config: Config, sqlite_database: Database, secrets: Secrets) -> AsyncIterator[PageContext]:
    """A page that a person has open."""
    async with sqlite_database.writing(lock="seed") as session:
        await seed(session)
    person = await make_actor(sqlite_database, "bob", Role.USER)
    llm = LLMClient(sqlite_config.llm_api_url, secrets.signer)
    yield page_of(Backend(sqlite_config, sqlite_database, llm, secrets), person)
    await llm.aclose()
