import asyncio

import pytest
from sqlalchemy import select

from llm_ui.db import Database
from llm_ui.errors import Forbidden
from llm_ui.models import AuditLog
from llm_ui.services import settings
from llm_ui.services.access import Actor
from llm_ui.services.settings import REGISTRATION_OPEN, REGISTRY, SETUP_TOKEN


async def test_a_setting_has_its_default_until_it_is_changed(database: Database) -> None:
    async with database.reading() as session:
        assert await settings.get(session, REGISTRATION_OPEN) is True


async def test_a_changed_setting_is_read_back(database: Database, an_admin: Actor) -> None:
    async with database.writing() as session:
        await settings.change(session, an_admin, REGISTRATION_OPEN, value=False)
        assert await settings.get(session, REGISTRATION_OPEN) is False

    async with database.reading() as session:
        assert await settings.get(session, REGISTRATION_OPEN) is False


async def test_the_first_writes_of_a_setting_may_meet(database: Database) -> None:
    async def write(value: str) -> None:
        async with database.writing() as session:
            await settings.store(session, SETUP_TOKEN, value)

    values = [f"value {number}" for number in range(8)]
    await asyncio.gather(*map(write, values))

    async with database.reading() as session:
        assert await settings.get(session, SETUP_TOKEN) in values


async def test_a_setting_can_be_emptied_again(database: Database) -> None:
    for value in ("hash", None):
        async with database.writing() as session:
            await settings.store(session, SETUP_TOKEN, value)

    async with database.reading() as session:
        assert await settings.get(session, SETUP_TOKEN) is None


async def test_a_change_is_audited(database: Database, an_admin: Actor) -> None:
    async with database.writing() as session:
        await settings.change(session, an_admin, REGISTRATION_OPEN, value=False)

    async with database.reading() as session:
        entry = (await session.scalars(select(AuditLog))).one()
    assert (entry.action, entry.target) == ("setting.changed", "registration_open")
    assert entry.changes == {"value": [True, False]}
    assert entry.actor_id == an_admin.user_id


async def test_a_person_may_not_change_a_setting(database: Database, a_user: Actor) -> None:
    with pytest.raises(Forbidden):
        async with database.writing() as session:
            await settings.change(session, a_user, REGISTRATION_OPEN, value=False)

    async with database.reading() as session:
        assert await settings.get(session, REGISTRATION_OPEN) is True


def test_every_setting_says_what_it_means() -> None:
    assert len({setting.name for setting in REGISTRY}) == len(REGISTRY)
    assert all(setting.meaning.endswith(".") for setting in REGISTRY)
