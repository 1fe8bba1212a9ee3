"""Agents, whose they are and what they may read, on both databases."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import update

from llm_ui.db import Database
from llm_ui.errors import Forbidden, InvalidInput, NotFound, TooLarge
from llm_ui.kit.clock import now
from llm_ui.kit.ids import AgentId, DocumentId, ModelId, uuid7
from llm_ui.models import Agent, Role, User
from llm_ui.services import agents, ai_models, projects, retention
from llm_ui.services.access import Actor
from llm_ui.services.agents import AgentInfo, AgentSettings

TUTOR = AgentSettings("Tutor", "Explains", "Ask before you tell.", starters=("What is a heron?",))


async def save(database: Database, actor: Actor, settings: AgentSettings, agent_id: AgentId | None = None) -> AgentId:
    async with database.writing() as session:
        return await agents.save(session, actor, agent_id, settings)


async def listed(database: Database, actor: Actor) -> dict[str, AgentInfo]:
    async with database.reading() as session:
        return {one.name: one for one in await agents.list_agents(session, actor)}


async def test_an_agent_is_its_makers_alone_until_it_is_shared(
    seeded: Database, an_admin: Actor, a_user: Actor
) -> None:
    agent_id = await save(seeded, an_admin, TUTOR)

    assert (await listed(seeded, an_admin))["Tutor"].settings == TUTOR
    assert await listed(seeded, a_user) == {}

    await save(seeded, an_admin, replace(TUTOR, is_shared=True), agent_id)

    found = (await listed(seeded, a_user))["Tutor"]
    assert (found.is_mine, found.owner_name) == (False, an_admin.name)


async def test_only_administrators_share(seeded: Database, a_user: Actor) -> None:
    with pytest.raises(Forbidden):
        await save(seeded, a_user, replace(TUTOR, is_shared=True))
    await save(seeded, a_user, TUTOR)


@pytest.mark.parametrize("lost", [{"role": Role.USER}, {"is_active": False}])
async def test_what_is_shared_lapses_with_the_right_to_share(
    seeded: Database, an_admin: Actor, a_user: Actor, lost: dict[str, Any]
) -> None:
    await save(seeded, an_admin, replace(TUTOR, is_shared=True))
    assert list(await listed(seeded, a_user)) == ["Tutor"]

    async with seeded.writing() as session:
        await session.execute(update(User).where(User.id == an_admin.user_id).values(**lost))

    assert await listed(seeded, a_user) == {}


async def test_a_shared_agent_is_changed_and_deleted_by_its_maker_alone(
    seeded: Database, an_admin: Actor, a_user: Actor
) -> None:
    agent_id = await save(seeded, an_admin, replace(TUTOR, is_shared=True))

    with pytest.raises(NotFound):
        await save(seeded, a_user, replace(TUTOR, name="Mine now"), agent_id)
    async with seeded.writing() as session:
        await agents.remove(session, a_user, agent_id)
    assert list(await listed(seeded, an_admin)) == ["Tutor"]
    with pytest.raises(NotFound):
        async with seeded.writing() as session:
            await agents.restore(session, a_user, agent_id)


async def test_a_deleted_agent_can_be_taken_back(seeded: Database, a_user: Actor) -> None:
    agent_id = await save(seeded, a_user, TUTOR)
    async with seeded.writing() as session:
        await agents.remove(session, a_user, agent_id)
    assert await listed(seeded, a_user) == {}

    async with seeded.writing() as session:
        await agents.restore(session, a_user, agent_id)

    assert list(await listed(seeded, a_user)) == ["Tutor"]


async def test_a_month_after_it_was_deleted_an_agent_is_gone_for_good(seeded: Database, a_user: Actor) -> None:
    agent_id = await save(seeded, a_user, TUTOR)
    kept = await save(seeded, a_user, replace(TUTOR, name="Kept"))
    async with seeded.writing() as session:
        await agents.remove(session, a_user, agent_id)
        assert await retention.purge_agents(session) == 0
        await session.execute(update(Agent).values(deleted_at=now() - retention.KEEP).where(Agent.id == agent_id))
        assert await retention.purge_agents(session) == 1
        with pytest.raises(NotFound):
            await agents.restore(session, a_user, agent_id)
        assert (await agents.read(session, a_user, kept)).name == "Kept"


@pytest.mark.parametrize(
    ("settings", "refusal"),
    [
        (AgentSettings(" "), InvalidInput),
        (AgentSettings("TUTOR"), InvalidInput),
        (AgentSettings("Long", instructions="x" * 20_001), TooLarge),
        (AgentSettings("Many", starters=tuple("abcdefg")), InvalidInput),
        (AgentSettings("Nowhere", documents=(DocumentId(uuid7()),)), InvalidInput),
        (AgentSettings("Gone", model_id=ModelId(uuid7())), NotFound),
    ],
)
async def test_what_cannot_be_is_refused(
    seeded: Database, a_user: Actor, settings: AgentSettings, refusal: type[Exception]
) -> None:
    await save(seeded, a_user, TUTOR)

    with pytest.raises(refusal):
        await save(seeded, a_user, settings)

    assert list(await listed(seeded, a_user)) == ["Tutor"]


async def test_an_agent_knows_only_what_is_its_makers(seeded: Database, a_user: Actor, another_user: Actor) -> None:
    async with seeded.writing() as session:
        theirs = await projects.save(session, another_user, None, "Theirs")

    with pytest.raises(NotFound):
        await save(seeded, a_user, replace(TUTOR, project_id=theirs))


async def test_its_model_keeps_its_name_when_it_is_gone(seeded: Database, a_user: Actor) -> None:
    async with seeded.reading() as session:
        model = (await ai_models.list_models(session, a_user))[0]
    agent_id = await save(seeded, a_user, replace(TUTOR, model_id=model.id))

    await save(seeded, a_user, replace(TUTOR, model_id=model.id, description="Other"), agent_id)

    assert (await listed(seeded, a_user))["Tutor"].settings.model_name == model.display_name


async def test_others_are_told_that_it_knows_something_but_not_what(
    seeded: Database, an_admin: Actor, a_user: Actor
) -> None:
    async with seeded.writing() as session:
        library = await projects.save(session, an_admin, None, "Library")
    agent_id = await save(seeded, an_admin, replace(TUTOR, project_id=library, is_shared=True))

    found = (await listed(seeded, a_user))["Tutor"]

    assert found.has_knowledge
    assert found.settings.project_id is None
    async with seeded.reading() as session:
        known = await agents.knowledge(session, a_user, None, found)
        assert known is not None
        assert (known.project_id, known.reader.user_id) == (library, an_admin.user_id)
        with pytest.raises(NotFound):
            await projects.read(session, a_user, library)
        mine = await agents.knowledge(session, a_user, library, found)
        assert mine is not None
        assert mine.reader == a_user, "in a project it knows that alone, as whoever asks may read it"
    await save(seeded, an_admin, TUTOR, agent_id)
    async with seeded.reading() as session:
        assert await agents.knowledge(session, a_user, None, found) is None
