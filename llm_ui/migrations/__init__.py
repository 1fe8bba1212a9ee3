"""Alembic migrations: one history that runs up and down on SQLite and PostgreSQL.

Use the functions here; the `alembic` command works too, with `LLM_UI_*` variables as usual.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from llm_ui.db import Database
from llm_ui.errors import SchemaMismatch

if TYPE_CHECKING:
    from alembic.config import Config as AlembicConfig

REVISION = re.compile(r"(\d{4})_\w+\.py")
"""How the files of revisions are named: by their revision."""


def alembic_config() -> "AlembicConfig":
    """Return Alembic's configuration; works from a checkout and from an installed wheel."""
    # Each process asks whether the schema is current, and one of them migrates: only that one holds Alembic in memory.
    from alembic.config import Config as AlembicConfig  # noqa: PLC0415

    config = AlembicConfig()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config


def head() -> str:
    """Return the newest revision this program knows."""
    return max(known())


def known() -> frozenset[str]:
    """Return every revision this program knows. Raises `SchemaMismatch` where their files are missing."""
    files = (Path(__file__).parent / "versions").iterdir()
    found = frozenset(matched[1] for file in files if (matched := REVISION.fullmatch(file.name)))
    if not found:
        raise SchemaMismatch("This installation holds no migrations. Install it again.")
    return found


async def current(database: Database) -> str | None:
    """Return the database's revision, or None when it is empty."""
    async with database.reading() as session:
        connection = await session.connection()
        if not await connection.run_sync(lambda sync: inspect(sync).has_table("alembic_version")):
            return None
        found: str | None = await session.scalar(text("SELECT version_num FROM alembic_version"))
        return found


async def upgrade(database: Database, revision: str = "head") -> None:
    """Bring the schema up to the revision; all of it or nothing. Processes that start together take turns.

    Raises `SchemaMismatch` when the database is newer than this program.
    """
    await refuse_newer(database)
    from alembic import command  # noqa: PLC0415

    await _run(database, lambda config: command.upgrade(config, revision))


async def downgrade(database: Database, revision: str) -> None:
    """Bring the schema down to the revision (`base` for none)."""
    from alembic import command  # noqa: PLC0415

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


async def _run(database: Database, step: Callable[["AlembicConfig"], None]) -> None:
    def work(connection: Connection) -> None:
        config = alembic_config()
        config.attributes["connection"] = connection
        step(config)

    async with database.writing(lock="migrate") as session:
        connection = await session.connection()
        await connection.run_sync(work)
