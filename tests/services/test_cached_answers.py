"""Kept answers: their bounds, and what throws them away."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from llm_ui.db import Database
from llm_ui.errors import Forbidden
from llm_ui.kit.clock import now
from llm_ui.kit.ids import ChatId, ModelId, uuid7
from llm_ui.models import AuditLog, CachedAnswer, CacheMode, ChatHistory
from llm_ui.services import ai_models, cached_answers, providers, settings
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.ai_models import NewModel
from llm_ui.services.providers import NewProvider
from llm_ui.services.secrets import Secrets
from llm_ui.services.settings import CACHE_MB


@pytest.fixture
async def model_id(seeded: Database, secrets: Secrets) -> ModelId:
    async with seeded.writing() as session:
        new = NewProvider(name="far", kind="openai", base_url="http://127.0.0.1:9/v1", key="sk-test-key-of-some-length")
        far = await providers.add(session, SYSTEM, secrets.sealer, new)
        _, model_id = await ai_models.add_models(session, SYSTEM, far.id, [NewModel("default"), NewModel("kept")])
        await cached_answers.set_mode(session, SYSTEM, model_id, CacheMode.OWN)
    return model_id


async def keep(database: Database, actor: Actor, model_id: ModelId, key: str, **more: Any) -> bool:
    row = {"pieces": [[0, "text", key]], "size_bytes": 20, "created_at": now(), **more}
    async with database.writing() as session:
        return await cached_answers.keep(
            session, CachedAnswer(key=key, user_id=actor.user_id, model_id=model_id, **row)
        )


async def keys(database: Database) -> set[str]:
    async with database.reading() as session:
        return set(await session.scalars(select(CachedAnswer.key)))


async def test_the_oldest_make_room_and_what_is_too_old_or_too_long_is_gone(
    database: Database, a_user: Actor, model_id: ModelId
) -> None:
    async with database.writing() as session:
        await settings.store(session, CACHE_MB, 1)
    for hours in (30, 5, 4, 3, 2):
        made_at = now() - timedelta(hours=hours)
        assert await keep(database, a_user, model_id, f"{hours} h", size_bytes=50_000, created_at=made_at)

    async with database.writing() as session:
        await session.execute(update(CachedAnswer).values(size_bytes=300_000))
    assert await keep(database, a_user, model_id, "now", size_bytes=50_000)

    assert await keys(database) == {"4 h", "3 h", "2 h", "now"}
    assert not await keep(database, a_user, model_id, "long", size_bytes=50_001)
    async with database.writing() as session:
        await session.execute(
            update(CachedAnswer).where(CachedAnswer.key == "2 h").values(created_at=now() - timedelta(days=2))
        )
    async with database.writing() as session:
        assert await cached_answers.find(session, "2 h") is None
        assert await cached_answers.purge(session) == 1


async def test_the_same_key_has_the_newest_answer_and_a_chat_in_the_bin_has_none(
    database: Database, a_user: Actor, model_id: ModelId
) -> None:
    chat_id = ChatId(uuid7())
    async with database.writing() as session:
        session.add(ChatHistory(id=chat_id, user_id=a_user.user_id, last_message_at=now()))
    await keep(database, a_user, model_id, "one")

    await keep(database, a_user, model_id, "one", pieces=[[0, "text", "newer"]], chat_id=chat_id)

    async with database.writing() as session:
        found = await cached_answers.find(session, "one")
        assert found is not None
        assert found.pieces == [[0, "text", "newer"]]
        await session.execute(update(ChatHistory).values(deleted_at=now()))
        assert await cached_answers.find(session, "one") is None


@pytest.mark.parametrize("change", ["mode", "model", "provider", "gone", "cleared"])
async def test_what_an_answer_came_from_takes_it_along(
    database: Database, secrets: Secrets, an_admin: Actor, model_id: ModelId, change: str
) -> None:
    await keep(database, an_admin, model_id, "one")

    async with database.writing() as session:
        model = await ai_models.get_model(session, an_admin, model_id)
        match change:
            case "mode":
                await cached_answers.set_mode(session, an_admin, model_id, CacheMode.SHARED)
            case "model":
                told = ai_models.ModelChange("other", None, None, model.prices)
                await ai_models.change_model(session, an_admin, model_id, told)
            case "provider":
                new = NewProvider(name="near", kind="openai", base_url="http://127.0.0.1:9/v1", key="")
                await providers.change(session, an_admin, secrets.sealer, model.provider_id, new)
            case "gone":
                await ai_models.delete_model(session, an_admin, model_id)
            case _:
                assert await cached_answers.clear(session, an_admin, model_id) == 1

    assert await keys(database) == set()
    async with database.reading() as session:
        assert await session.scalar(select(AuditLog).where(AuditLog.actor_id == an_admin.user_id)) is not None


async def test_only_administrators_say_what_is_kept(database: Database, a_user: Actor, model_id: ModelId) -> None:
    async with database.writing() as session:
        with pytest.raises(Forbidden):
            await cached_answers.set_mode(session, a_user, model_id, CacheMode.SHARED)
        with pytest.raises(Forbidden):
            await cached_answers.clear(session, a_user, model_id)
        with pytest.raises(Forbidden):
            await cached_answers.kept(session, a_user, model_id)


async def test_questions_of_a_group_are_found_until_they_are_taken_apart(
    database: Database, an_admin: Actor, model_id: ModelId
) -> None:
    meaning: dict[str, Any] = {"group_key": "all", "vector": b"\0<"}
    await keep(database, an_admin, model_id, "one", question="How big?", **meaning)
    await keep(database, an_admin, model_id, "two", question="How tall?", **meaning)
    await keep(database, an_admin, model_id, "old", question="?", created_at=now() - timedelta(days=2), **meaning)
    await keep(database, an_admin, model_id, "exact")

    async with database.writing() as session:
        before = await cached_answers.alike(session, "all")
        await cached_answers.unpair(session, "one")
        after = await cached_answers.alike(session, "all")
        gained = await cached_answers.gained(session, an_admin, model_id)

    assert [(one.key, one.question, one.vector) for one in before] == [
        ("two", "How tall?", b"\0<"),
        ("one", "How big?", b"\0<"),
    ]
    assert [one.key for one in after] == ["two"]
    assert await keys(database) >= {"one", "two", "exact"}
    assert (gained.hits, gained.false) == (0, 0)
