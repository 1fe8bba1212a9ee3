"""How projects look and what their chats begin with, on both databases."""

from dataclasses import replace

import pytest

from llm_ui.db import Database
from llm_ui.errors import NotFound
from llm_ui.kit.ids import ModelId, ProjectId, uuid7
from llm_ui.models import AiModel, ProjectColor, ProjectIcon
from llm_ui.services import ai_models, projects
from llm_ui.services.access import Actor
from llm_ui.services.projects import AS_NEW, ProjectInfo, ProjectSettings

GREEN = ProjectSettings(
    ProjectColor.GREEN, ProjectIcon.LEAF, temperature=0.25, max_tokens=900, is_template=True
)  # fmt: skip


async def save(
    database: Database, actor: Actor, settings: ProjectSettings, project_id: ProjectId | None = None
) -> ProjectId:
    async with database.writing() as session:
        return await projects.save(session, actor, project_id, "Garden", settings)


async def read(database: Database, actor: Actor, project_id: ProjectId) -> ProjectInfo:
    async with database.reading() as session:
        return await projects.read(session, actor, project_id)


async def a_model(database: Database, actor: Actor) -> ModelId:
    async with database.reading() as session:
        return (await ai_models.list_models(session, actor))[0].id


async def test_settings_are_kept_and_a_new_project_looks_as_any(seeded: Database, a_user: Actor) -> None:
    project_id = await save(seeded, a_user, GREEN)
    async with seeded.writing() as session:
        plain = await projects.save(session, a_user, None, "Plain")
        await projects.save(session, a_user, project_id, "Orchard")

    found = await read(seeded, a_user, project_id)
    assert (found.name, found.settings) == ("Orchard", GREEN)
    assert (await read(seeded, a_user, plain)).settings == AS_NEW


async def test_a_model_is_known_by_its_name_even_when_it_is_gone(seeded: Database, a_user: Actor) -> None:
    model_id = await a_model(seeded, a_user)
    project_id = await save(seeded, a_user, replace(GREEN, model_id=model_id))
    name = (await read(seeded, a_user, project_id)).settings.model_name
    assert name == "Demo (no language model)"
    async with seeded.writing() as session:
        (await session.get_one(AiModel, model_id)).is_enabled = False

    # Whatever else is changed, the model stays; but no other one that is gone comes in its place.
    await save(seeded, a_user, replace(AS_NEW, model_id=model_id), project_id)
    with pytest.raises(NotFound, match="Pick another"):
        await save(seeded, a_user, replace(AS_NEW, model_id=ModelId(uuid7())), project_id)

    assert (await read(seeded, a_user, project_id)).settings == replace(AS_NEW, model_id=model_id, model_name=name)


async def test_settings_of_others_are_neither_read_nor_changed(
    seeded: Database, a_user: Actor, another_user: Actor, an_admin: Actor
) -> None:
    project_id = await save(seeded, a_user, GREEN)

    for stranger in (another_user, an_admin):
        with pytest.raises(NotFound):
            await read(seeded, stranger, project_id)
        with pytest.raises(NotFound):
            await save(seeded, stranger, AS_NEW, project_id)

    assert (await read(seeded, a_user, project_id)).settings == GREEN
