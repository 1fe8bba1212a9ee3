"""The admin pages' states over a real database and a real LLM API."""

from collections.abc import AsyncIterator, Callable
from functools import partial

import pytest

from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.llm_client import LLMClient
from llm_ui.services.access import Actor
from llm_ui.services.secrets import Secrets
from llm_ui.ui.page import Backend, PageContext
from tests.api.conftest import RunningApi
from tests.open_pages import page_of

ContextOf = Callable[[Actor], PageContext]


@pytest.fixture
def database_config(sqlite_config: Config) -> Config:
    """SQLite only: what differs between the databases is below the pages, and tested there on both."""
    return sqlite_config


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """The database of `database_config`, for the fixtures that make people."""
    return sqlite_database


@pytest.fixture
async def api(database_config: Config, database: Database, secrets: Secrets) -> AsyncIterator[RunningApi]:
    """The LLM API, running."""
    api = RunningApi(database_config.model_copy(update={"drain_s": 0.1}))
    await api.start()
    yield api
    await api.stop()


@pytest.fixture
async def backend(
    database_config: Config, database: Database, secrets: Secrets, api: RunningApi
) -> AsyncIterator[Backend]:
    """What the pages share."""
    llm = LLMClient(database_config.llm_api_url, secrets.signer)
    yield Backend(database_config, database, llm, secrets)
    await llm.aclose()


@pytest.fixture
def context_of(backend: Backend) -> ContextOf:
    """Return the context of a page that a person has open."""

    return partial(page_of, backend)
