import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.errors import Forbidden, InvalidInput, NotSignedIn
from llm_ui.kit.clock import now
from llm_ui.kit.ids import ProjectId, uuid7
from llm_ui.models import AuditLog, UserSession
from llm_ui.services import agents, fetches, memories, setting_list, settings, sign_in, users
from llm_ui.services.access import Actor
from llm_ui.services.appearance import appearance
from llm_ui.services.setting_list import SettingInfo
from llm_ui.services.settings import (
    BANNER,
    BANNER_FROM,
    BANNER_UNTIL,
    FEATURES,
    GROUPS,
    MEMORY,
    PASSWORD_MIN_CHARS,
    PERSON_DOCUMENTS_MB,
    REGISTRATION_OPEN,
    REGISTRY,
    SESSION_HOURS,
    SESSION_IDLE_HOURS,
    SETUP_TOKEN,
    SHARING,
    WORKSPACE_NAME,
    WorkspaceSetting,
)
from llm_ui.services.sign_in import TimeOuts


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


async def test_a_setting_says_where_its_value_comes_from_and_who_changed_it(
    database: Database, an_admin: Actor
) -> None:
    config = Config(session_idle_s=7_200)

    async def of(setting: WorkspaceSetting[Any]) -> SettingInfo:
        async with database.reading() as session:
            listed = await setting_list.list_settings(session, an_admin, config)
        return next(info for info in listed if info.setting is setting)

    idle = await of(SESSION_IDLE_HOURS)
    assert (idle.value, idle.source, idle.changed_by) == (2, "environment", None)
    assert ((await of(MEMORY)).value, (await of(MEMORY)).source) == (True, "default")
    async with database.writing() as session:
        await settings.change(session, an_admin, SESSION_IDLE_HOURS, 5)
    idle = await of(SESSION_IDLE_HOURS)
    assert (idle.value, idle.default, idle.source, idle.changed_by) == (5, 2, "here", an_admin.name)
    assert idle.changed_at is not None
    for _ in range(2):
        async with database.writing() as session:
            await settings.reset(session, an_admin, SESSION_IDLE_HOURS)
    assert (await of(SESSION_IDLE_HOURS)).source == "environment"
    async with database.reading() as session:
        actions = await session.scalars(select(AuditLog.action).order_by(AuditLog.number))
        assert list(actions) == ["setting.changed", "setting.reset"]


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        (SHARING, "everyone"),
        (PASSWORD_MIN_CHARS, 8),
        (PASSWORD_MIN_CHARS, 65),
        (WORKSPACE_NAME, "x" * 41),
        (BANNER_UNTIL, "tomorrow"),
        (PERSON_DOCUMENTS_MB, -1),
    ],
)
async def test_a_value_that_a_setting_cannot_have_is_refused(
    database: Database, an_admin: Actor, setting: WorkspaceSetting[Any], value: Any
) -> None:
    with pytest.raises(InvalidInput):
        async with database.writing() as session:
            await settings.change(session, an_admin, setting, value)


async def test_only_administrators_see_and_reset_settings(database: Database, a_user: Actor) -> None:
    async with database.writing() as session:
        for refused in (setting_list.list_settings(session, a_user, Config()), settings.reset(session, a_user, MEMORY)):
            with pytest.raises(Forbidden):
                await refused


@pytest.mark.parametrize("text", ["", "on", "1 000", "-1", "١"])
def test_what_is_no_value_of_its_type_is_refused(text: str) -> None:
    for setting in (MEMORY, SESSION_HOURS):
        with pytest.raises(InvalidInput):
            setting_list.read(setting, text)


def test_every_setting_has_its_limits_and_its_group() -> None:
    for one in REGISTRY:
        assert not one.group or one.group in GROUPS
        assert isinstance(one.default, bool) or not isinstance(one.default, int) or one.most
        assert not one.environment or one.environment in Config.model_fields


async def test_a_banner_is_shown_for_its_time_only(database: Database, an_admin: Actor) -> None:
    async def shown(begins: str, ends: str) -> str:
        async with database.writing() as session:
            for setting, value in ((BANNER, "Down at six"), (BANNER_FROM, begins), (BANNER_UNTIL, ends)):
                await settings.change(session, an_admin, setting, value)
            return (await appearance(session)).banner

    assert await shown("", "") == await shown("2020-01-01 00:00", "2120-01-01 00:00") == "Down at six"
    assert await shown("2120-01-01 00:00", "") == await shown("", "2020-01-01 00:00") == ""


async def test_what_is_switched_off_is_refused_and_told_to_pages(
    database: Database, an_admin: Actor, a_user: Actor
) -> None:
    async with database.writing() as session:
        await memories.save(session, a_user, None, "I keep bees.")
        for feature in FEATURES:
            await settings.change(session, an_admin, feature, value=False)
    async with database.writing() as session:
        assert await memories.facts(session, a_user) == ()
        for refused in (
            memories.save(session, a_user, None, "I keep wasps."),
            agents.save(session, a_user, None, agents.AgentSettings("Bee")),
            fetches.begin(session, a_user, ProjectId(uuid7()), "https://example.org"),
        ):
            with pytest.raises(Forbidden, match="switched off"):
                await refused
        assert await agents.list_agents(session, a_user) == ()
        assert set((await appearance(session)).off) == {feature.name for feature in FEATURES}


async def test_passwords_are_as_long_as_the_workspace_wants(database: Database, an_admin: Actor) -> None:
    async with database.writing() as session:
        await settings.change(session, an_admin, PASSWORD_MIN_CHARS, 30)
        with pytest.raises(InvalidInput, match="at least 30"):
            await users.reset_password(session, an_admin, an_admin.user_id, "a long walk by the river", "hash")


async def test_sessions_end_as_the_workspace_says(database: Database, an_admin: Actor) -> None:
    usual = TimeOuts(timedelta(days=14), timedelta(days=60))
    async with database.writing() as session:
        started = await sign_in.start_session(session, an_admin.user_id, usual, user_agent="", address="")
        row = (await session.scalars(select(UserSession).where(UserSession.id == started.actor.session_id))).one()
        row.created_at = now() - timedelta(hours=5)
        row.last_seen_at = now() - timedelta(hours=2)
    for setting, hours, is_live in (
        (SESSION_IDLE_HOURS, 3, True), (SESSION_IDLE_HOURS, 1, False), (SESSION_IDLE_HOURS, 9, True),
        (SESSION_HOURS, 4, False), (SESSION_HOURS, 6, True),
    ):  # fmt: skip
        async with database.writing() as session:
            await settings.change(session, an_admin, setting, hours)
        async with database.reading() as session:
            if is_live:
                assert (await sign_in.actor_of_token(session, started.token, usual)).user_id == an_admin.user_id
            else:
                with pytest.raises(NotSignedIn):
                    await sign_in.actor_of_token(session, started.token, usual)
    async with database.writing() as session:
        again = await sign_in.start_session(session, an_admin.user_id, usual, user_agent="", address="")
    assert again.lifetime == timedelta(hours=6)
