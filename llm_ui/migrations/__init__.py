"""Alembic migrations: one history that runs up and down on SQLite and PostgreSQL.

Use the functions here; the `alembic` command works too, with `LLM_UI_*` variables as usual.
"""

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from llm_ui.db import Database
from llm_ui.errors import SchemaMismatch


def alembic_config() -> AlembicConfig:
    """Return Alembic's configuration; works from a checkout and from an installed wheel."""
    config = AlembicConfig()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config


def head() -> str:
    """Return the newest revision this program knows."""
    revision = ScriptDirectory.from_config(alembic_config()).get_current_head()
    if revision is None:
        raise SchemaMismatch("This installation holds no migrations. Install it again.")
    return revision


def known() -> frozenset[str]:
    """Return every revision this program knows."""
    return frozenset(script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions())


async def current(database: Database) -> str | None:
    """Return the database's revision, or None when it is empty."""
    async with database.reading() as session:
        connection = await session.connection()
        return await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())


async def upgrade(database: Database, revision: str = "head") -> None:
    """Bring the schema up to the revision; all of it or nothing. Processes that start together take turns.

    Raises `SchemaMismatch` when the database is newer than this program.
    """
    await refuse_newer(database)
    await _run(database, lambda config: command.upgrade(config, revision))


async def downgrade(database: Database, revision: str) -> None:
    """Bring the schema down to the revision (`base` for none)."""
    await _run(database, lambda config: command.downgrade(config, revision))


async def refuse_newer(database: Database) -> None:
    """Raise `SchemaMismatch` when the database was migrated by a newer program."""
    found = await current(database)
    if found is not None and found not in known():
        raise SchemaMismatch(
            f"The database is at revision {found}, which this version of LLM UI does not know. "
            "Install the newer version that wrote it, or restore a backup."
        )


async def require_current(database: Database) -> None:
    """Raise `SchemaMismatch` with the command to run unless the schema is exactly this program's."""
    await refuse_newer(database)
    if await current(database) != head():
        raise SchemaMismatch("The database is older than this version of LLM UI. Run: llm-ui db upgrade")


async def _run(database: Database, step: Callable[[AlembicConfig], None]) -> None:
    def work(connection: Connection) -> None:
        config = alembic_config()
        config.attributes["connection"] = connection
        step(config)

    async with database.writing(lock="migrate") as session:
        connection = await session.connection()
        await connection.run_sync(work)
