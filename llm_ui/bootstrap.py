"""What every process does first: the data folder, the schema and the seed data."""

import asyncio
import tempfile
from pathlib import Path

from llm_ui import migrations
from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.errors import ConfigurationError
from llm_ui.services.seed import is_seeded, seed


async def open_database(config: Config) -> Database:
    """Return the database of the settings: its folder made, its schema current, its seed data there.

    Processes that start together take turns. Raises our errors with what to do.
    """
    await asyncio.to_thread(make_folder, config.folder)
    database = Database.open(config)
    try:
        if await migrations.current(database) != migrations.head():
            await migrations.upgrade(database)
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
