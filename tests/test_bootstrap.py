"""What every process does first."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from llm_ui import migrations
from llm_ui.bootstrap import make_folder, open_database
from llm_ui.config import Config
from llm_ui.errors import ConfigurationError, DatabaseBusy
from llm_ui.services.access import SYSTEM
from llm_ui.services.providers import list_providers


@contextmanager
def locked(config: Config) -> Iterator[None]:
    """Hold SQLite's write lock, as another process does that writes for long."""
    holder = sqlite3.connect(str(config.sqlite_path), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    yield
    holder.execute("ROLLBACK")
    holder.close()


async def test_an_empty_folder_is_filled(config: Config) -> None:
    database = await open_database(config)

    assert await migrations.current(database) == migrations.head()
    async with database.reading() as session:
        assert [provider.name for provider in await list_providers(session, SYSTEM)] == ["Demo"]
    await database.close()


async def test_processes_that_start_together_fill_it_once(database_config: Config) -> None:
    databases = await asyncio.gather(*(open_database(database_config) for _ in range(3)))

    async with databases[0].reading() as session:
        assert [provider.name for provider in await list_providers(session, SYSTEM)] == ["Demo"]
    for database in databases:
        await database.close()


async def test_who_opens_what_is_filled_does_not_wait_for_whoever_writes(config: Config) -> None:
    await (await open_database(config)).close()

    with locked(config):
        database = await open_database(config)

    await database.close()


async def test_what_cannot_be_filled_is_said(sqlite_config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llm_ui.db.SQLITE_BUSY_TIMEOUT_MS", 50)

    with locked(sqlite_config), pytest.raises(DatabaseBusy):
        await open_database(sqlite_config)


def test_the_folder_is_its_owners_alone(tmp_path: Path) -> None:
    make_folder(tmp_path / "not" / "there")

    assert (tmp_path / "not" / "there").stat().st_mode & 0o077 == 0
    assert list((tmp_path / "not" / "there").iterdir()) == []


@pytest.mark.parametrize(("path", "said"), [("file", "is a file"), ("file/below", "Not a directory")])
def test_a_folder_that_cannot_be_one_is_said(tmp_path: Path, path: str, said: str) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigurationError, match=rf"{said}.*--data-dir"):
        make_folder(tmp_path / path)
