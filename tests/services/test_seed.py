import asyncio

from sqlalchemy import func, select

from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.models import AiModel, AiProvider, AiType, ProviderKind, SystemPrompt
from llm_ui.services import ai_models, prompts, providers, targets
from llm_ui.services.access import Actor
from llm_ui.services.seed import seed


async def seed_again(database: Database) -> None:
    async with database.writing(lock="seed") as session:
        await seed(session)


async def counts(database: Database) -> list[int | None]:
    async with database.reading() as session:
        tables = (AiType, AiProvider, AiModel, SystemPrompt)
        return [await session.scalar(select(func.count()).select_from(table)) for table in tables]


async def test_a_first_chat_is_possible_at_once(seeded: Database, a_user: Actor) -> None:
    async with seeded.reading() as session:
        models = await ai_models.list_models(session, a_user)
        target = await targets.target(session, a_user, None)
        instructions = await prompts.instructions(session, a_user, None)

    assert [(model.display_name, model.is_default) for model in models] == [("Demo (no language model)", True)]
    assert (target.kind, target.name) == (ProviderKind.DEMO, "demo")
    assert instructions is not None
    assert instructions.is_default


async def test_every_kind_of_provider_has_its_type(seeded: Database) -> None:
    async with seeded.reading() as session:
        types = await providers.list_types(session)

    assert {ai_type.kind for ai_type in types} == set(ProviderKind) - {ProviderKind.AUTO}


async def test_seeding_again_changes_nothing(seeded: Database) -> None:
    before = await counts(seeded)

    await seed_again(seeded)

    assert await counts(seeded) == before == [5, 1, 1, 4]


async def test_seeding_again_keeps_what_an_administrator_changed(seeded: Database, an_admin: Actor) -> None:
    async with seeded.writing() as session:
        (demo,) = await providers.list_providers(session, an_admin)
        shared = await prompts.list_shared(session, an_admin)
        await providers.set_enabled(session, an_admin, demo.id, is_enabled=False)
        await prompts.change_text(session, an_admin, shared[0].id, "Be kind.")
        await prompts.set_default(session, an_admin, None)

    await seed_again(seeded)

    async with seeded.reading() as session:
        (demo,) = await providers.list_providers(session, an_admin)
        assert not demo.is_enabled
        assert (await prompts.list_shared(session, an_admin))[0].text == "Be kind."
        assert await prompts.instructions(session, an_admin, None) is None


async def test_seeding_again_does_not_bring_back_what_was_deleted(seeded: Database, an_admin: Actor) -> None:
    async with seeded.writing() as session:
        (demo,) = await providers.list_providers(session, an_admin)
        await providers.delete(session, an_admin, demo.id)

    await seed_again(seeded)

    async with seeded.reading() as session:
        assert await providers.list_providers(session, an_admin) == ()
        assert await ai_models.list_models(session, an_admin) == ()


async def test_processes_that_start_together_seed_once(database: Database, database_config: Config) -> None:
    others = [Database.open(database_config) for _ in range(3)]
    try:
        await asyncio.gather(*(seed_again(each) for each in others))
    finally:
        for each in others:
            await each.close()

    assert await counts(database) == [5, 1, 1, 4]
