"""What the tests of the services share."""

import pytest

from llm_ui.db import Database
from llm_ui.services.seed import seed


@pytest.fixture
async def seeded(database: Database) -> Database:
    """A database with its seed data."""
    async with database.writing(lock="seed") as session:
        await seed(session)
    return database
