"""One history that runs up and down on both databases, with data in them."""

import asyncio

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import func, inspect, select, text, update

from llm_ui import migrations
from llm_ui.bootstrap import open_database
from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.errors import SchemaMismatch
from llm_ui.kit.clock import now
from llm_ui.models import AiModel, AiType, Base, ChatHistory, ChatMessage, Cutting, Project, ProjectRole, Setting
from llm_ui.services import price_history, projects, search, settings
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.prices import FREE
from llm_ui.services.seed import seed
from llm_ui.services.settings import DEFAULT_MODEL


async def tables(database: Database) -> set[str]:
    async with database.reading() as session:
        connection = await session.connection()
        return set(await connection.run_sync(lambda sync: inspect(sync).get_table_names()))


async def test_up_down_up_with_data_in_it(database_config: Config) -> None:
    database = await open_database(database_config)

    await migrations.downgrade(database, "base")
    assert await tables(database) == {"alembic_version"}
    await database.close()
    database = await open_database(database_config)

    found = {name for name in await tables(database) if not name.startswith("search_")}
    assert found == {*Base.metadata.tables, "alembic_version"}
    await database.close()


async def test_each_step_down_and_up_keeps_messages_and_runs(database: Database, a_user: Actor) -> None:
    async with database.writing() as session:
        chat = ChatHistory(user_id=a_user.user_id, last_message_at=now())
        session.add(chat)
        await session.flush()
        session.add(ChatMessage(chat_id=chat.id, position=0, role="user", status="complete", text="kept"))

    revisions = [
        script.revision for script in ScriptDirectory.from_config(migrations.alembic_config()).walk_revisions()
    ]
    for revision in revisions[1:]:
        await migrations.downgrade(database, revision)
        async with database.reading() as session:
            assert await session.scalar(text("SELECT text FROM chat_messages")) == "kept"
    for revision in reversed(revisions[:-1]):
        await migrations.upgrade(database, revision)

    async with database.reading() as session:
        assert (await session.scalars(select(ChatMessage))).one().text == "kept"


async def test_whoever_had_a_project_owns_it_and_has_it_again_on_the_way_back(
    database: Database, a_user: Actor
) -> None:
    await migrations.downgrade(database, "0021")
    async with database.writing() as session:
        begun = (
            "INSERT INTO projects (id, owner_id, name, lets_memory_in, created_at, updated_at)"
            " SELECT id, id, 'Herons', :yes, created_at, updated_at FROM users"
        )
        await session.execute(text(begun), {"yes": True})

    await migrations.upgrade(database, "head")

    async with database.reading() as session:
        (found,) = await projects.list_projects(session, a_user)
    assert (found.name, found.role, found.lets_memory_in) == ("Herons", ProjectRole.OWNER, True)
    await migrations.downgrade(database, "0021")
    async with database.reading() as session:
        assert await session.scalar(text("SELECT lets_memory_in FROM projects"))


async def test_what_was_said_is_found_whichever_step_indexed_it(database: Database, a_user: Actor) -> None:
    async def found() -> int:
        async with database.reading() as session:
            return len((await search.search(session, a_user, "ke")).items)

    async with database.writing() as session:
        chat = ChatHistory(user_id=a_user.user_id, last_message_at=now())
        session.add(chat)
        await session.flush()
        session.add(ChatMessage(chat_id=chat.id, position=0, role="user", status="complete", text="kept"))
    for step in (migrations.downgrade, migrations.upgrade):
        await step(database, "0017" if step is migrations.downgrade else "head")
        assert await found() == 1
        async with database.writing() as session:
            await session.execute(update(ChatMessage).values(text="not there"))
        assert await found() == 0, "it is still told of changes"
        async with database.writing() as session:
            await session.execute(update(ChatMessage).values(text="kept"))


async def test_projects_that_are_there_are_cut_as_they_were(database: Database, a_user: Actor) -> None:
    async with database.writing() as session:
        session.add(Project(owner_id=a_user.user_id, name="Kept", cutting=Cutting.PAGES, passage_tokens=90))

    for revision in ("0021", "head"):
        await (migrations.downgrade if revision == "0021" else migrations.upgrade)(database, revision)

    async with database.reading() as session:
        kept = (await session.scalars(select(Project))).one()
    assert (kept.name, kept.cutting, kept.passage_tokens, kept.overlap_tokens) == ("Kept", Cutting.STRUCTURE, 350, 50)


async def test_processes_that_start_together_agree(database_config: Config) -> None:
    found = await asyncio.gather(*(open_database(database_config) for _ in range(5)))

    async with found[0].reading() as session:
        assert await session.scalar(select(func.count()).select_from(AiType)) == 5
        assert await session.scalar(select(func.count()).select_from(AiModel)) == 1
        assert await settings.get(session, DEFAULT_MODEL) is not None
    for database in found:
        await database.close()


async def test_a_newer_database_is_refused_with_what_to_do(database_config: Config) -> None:
    database = await open_database(database_config)
    async with database.writing() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await database.close()

    with pytest.raises(SchemaMismatch, match="newer version"):
        await open_database(database_config)


async def test_an_older_database_is_named_with_the_command_to_run(database: Database) -> None:
    await migrations.downgrade(database, "base")

    with pytest.raises(SchemaMismatch, match="llm-ui db upgrade"):
        await migrations.require_current(database)


async def test_a_failed_migration_leaves_everything_as_it_was(database: Database) -> None:
    async with database.writing() as session:
        session.add(Setting(name="kept", value={"value": 1}))

    with pytest.raises(Exception, match="nowhere"):
        await migrations.upgrade(database, "nowhere")

    async with database.reading() as session:
        assert await session.get(Setting, "kept") is not None


async def test_what_models_cost_before_is_where_their_prices_begin(database: Database) -> None:
    async with database.writing() as session:
        await seed(session)
    await migrations.downgrade(database, "0040")

    await migrations.upgrade(database, "head")

    async with database.reading() as session:
        model = (await session.scalars(select(AiModel))).one()
        (found,) = await price_history.history(session, SYSTEM, model.id)
    assert (found.valid_from, found.changed_by, found.prices) == (model.updated_at, "", FREE)


def test_what_is_read_of_the_files_is_what_alembic_reads_in_them() -> None:
    scripts = ScriptDirectory.from_config(migrations.alembic_config())

    assert migrations.head() == scripts.get_current_head()
    assert migrations.known() == {script.revision for script in scripts.walk_revisions()}
