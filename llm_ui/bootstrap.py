"""What every process does first: the data folder, the schema and the seed data."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from llm_ui import migrations
from llm_ui.backup.folder import make_before
from llm_ui.backup.rehearsal import rehearse
from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.errors import ConfigurationError, LLMUIError
from llm_ui.kit.lock import held
from llm_ui.observability.logging import get_logger
from llm_ui.services.seed import is_seeded, seed

log = get_logger(__name__)

MIGRATION_LOCK = "migrating.lock"
LOOK_S = 0.2
"""Between two looks whether another process has ended its migration."""


async def open_database(config: Config) -> Database:
    """Return the database of the settings: its folder made, its schema current, its seed data there.

    Processes that start together take turns. Raises our errors with what to do.
    """
    await asyncio.to_thread(make_folder, config.folder)
    database = Database.open(config)
    try:
        if await migrations.current(database) != migrations.head():
            await _migrate(config, database)
        async with database.reading() as session:
            is_ready = await is_seeded(session)
        if not is_ready:
            # Only then: who just reads must not wait for whoever writes, nor fail on a full disk.
            async with database.writing(lock="seed") as session:
                await seed(session)
    except BaseException:
        await database.close()
        raise
    return database


async def _migrate(config: Config, database: Database) -> None:
    """Bring the schema up to date; one that holds anything is copied, and the migration tried on the copy, first."""
    if await migrations.current(database) is None or not config.copy_before_migration:
        await migrations.upgrade(database)
        return
    await migrations.refuse_newer(database)
    async with _turn(config):
        revision = await migrations.current(database)
        if revision is None or revision == migrations.head():
            return
        copy = await _copied(config, revision)
        await _tried(config, copy, revision)
        await migrations.upgrade(database)
        way_back = way_back_to(copy)
        log.warning("database.migrated", before=revision, after=migrations.head(), copy=copy, way_back=way_back)


def way_back_to(copy: Path) -> str:
    """Return how to go back to the version before a migration."""
    return f"Stop LLM UI, install the version from before, and run: llm-ui db restore {copy}"


@contextlib.asynccontextmanager
async def _turn(config: Config) -> AsyncIterator[None]:
    """Be the only process of this data folder that migrates."""
    with contextlib.ExitStack() as stack:
        while True:
            try:
                await asyncio.to_thread(stack.enter_context, held(config.folder / MIGRATION_LOCK))
                break
            except BlockingIOError:
                await asyncio.sleep(LOOK_S)
        yield


async def _copied(config: Config, revision: str) -> Path:
    try:
        return await asyncio.to_thread(make_before, config, revision)
    except LLMUIError as error:
        raise ConfigurationError(
            f"The database has to be migrated, and no copy of it could be made: {error.message} Nothing was changed. "
            "Or make a backup of your own and start with LLM_UI_COPY_BEFORE_MIGRATION=0."
        ) from None


async def _tried(config: Config, copy: Path, revision: str) -> None:
    try:
        found = await rehearse(config, copy)
    except Exception as error:
        log.exception("migration.rehearsal_failed", before=revision, copy=copy)
        raise ConfigurationError(
            f"The migration from {revision} to {migrations.head()} failed on a copy of the database "
            f"({type(error).__name__}; the log says more). Nothing was changed: go on with the version from before."
        ) from error
    if found is None:
        log.warning("migration.not_rehearsed", reason="The role may not make databases (CREATEDB).")


def make_folder(folder: Path) -> None:
    """Make the data folder, for its owner only. Raises `ConfigurationError` when it cannot be used."""
    if folder.exists() and not folder.is_dir():
        raise ConfigurationError(f"The data folder {folder} is a file. Choose another with --data-dir.")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ConfigurationError(
            f"The data folder {folder} cannot be used: {error.strerror}. Mend that, or choose another with --data-dir."
        ) from None
