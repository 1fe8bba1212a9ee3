"""Putting copies of the database and the attached files back."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from llm_ui import migrations
from llm_ui.backup import erased, files
from llm_ui.backup.copies import postgresql, take_in, tool, workshop, write
from llm_ui.cli.command import with_database
from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.errors import ConfigurationError, Conflict, InvalidInput, SchemaMismatch
from llm_ui.kit.clock import now
from llm_ui.kit.file_store import sync
from llm_ui.kit.ids import UserId
from llm_ui.services import erasures
from llm_ui.services.erasures import Erased
from llm_ui.services.sign_in import end_every_session
from llm_ui.services.soundness import count_other_connections

SIDE_FILES = ("-wal", "-shm")
"""What SQLite keeps beside a database that is open or was not closed in good order."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What became of it."""

    kept: Path | None
    """Where the database that was there is now, if there was one."""
    erased_again: int
    """Deleted accounts that the copy still had."""


def restore(config: Config, file: Path) -> Restored:
    """Put the copy in the database's place; accounts that were deleted since it was made are deleted in it again.

    The copy is checked and made ready aside: until it is, nothing changes. Nothing else may use the data folder
    meanwhile. Raises our errors with what to do.
    """
    if not file.is_file():
        raise InvalidInput(f"There is no file {file}. Name one that llm-ui db backup wrote.")
    try:
        # Files first: without the rows that name them they change nothing.
        files.take_in(config, file)
        if config.sqlite_path is None:
            return _restore_postgresql(config, file)
        return _restore_sqlite(config, config.sqlite_path, file)
    except OSError as error:
        raise ConfigurationError(f"The copy could not be restored: {error}. Make room and try again.") from None


def _restore_sqlite(config: Config, path: Path, file: Path) -> Restored:
    known = erased.note(config, _erased_in(path))
    with workshop(config) as apart:
        ready = apart.sqlite_path
        assert ready is not None  # noqa: S101 - a copy of settings that say SQLite
        take_in(file, ready)
        _require_known(file, _sqlite_revision(ready))
        again = with_database(apart, _made_fit(known))
        kept = _put_aside(config)
        ready.rename(config.folder / ready.name)
    sync(config.folder)
    return Restored(kept, again)


def _erased_in(path: Path) -> list[Erased]:
    """Return who was erased from the database that is there; nobody when it cannot be read, or is not there."""
    if not path.exists():
        return []
    asked = "SELECT subject_id, data, heir_id, erased_at FROM erasures"
    try:
        with closing(sqlite3.connect(path)) as connection:
            rows = connection.execute(asked).fetchall()
    except sqlite3.DatabaseError:
        return []
    return [_erased(*row) for row in rows]


def _erased(user_id: str, data: str, heir_id: str | None, at: str) -> Erased:
    heir = UserId(UUID(heir_id)) if heir_id else None
    return Erased(UserId(UUID(user_id)), data, heir, datetime.fromisoformat(at).replace(tzinfo=UTC))


def _sqlite_revision(path: Path) -> str | None:
    with closing(sqlite3.connect(path)) as connection:
        try:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.OperationalError:
            return None
    return None if row is None else str(row[0])


def _require_known(file: Path, revision: str | None) -> None:
    if revision is None:
        raise InvalidInput(f"{file} is not a database of LLM UI. Use a file that llm-ui db backup wrote.")
    if revision not in migrations.known():
        raise SchemaMismatch(f"{file} was made by a newer version (revision {revision}). Install that version first.")


def _put_aside(config: Config) -> Path | None:
    """Rename the database that is there, with what is beside it; return its new path."""
    path = config.sqlite_path
    if path is None or not path.exists():
        return None
    # A database that was not closed in good order takes in its log first, unless it is damaged.
    with suppress(sqlite3.DatabaseError), closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    kept = path.with_name(f"{path.name}.before-{now():%Y%m%d-%H%M%S-%f}")
    for suffix in ("", *SIDE_FILES):
        side = path.with_name(path.name + suffix)
        if side.exists():
            side.rename(kept.with_name(kept.name + suffix))
    return kept


def _made_fit(known: Sequence[Erased]) -> Callable[[Database], Awaitable[int]]:
    async def work(database: Database) -> int:
        async with database.writing() as session:
            await end_every_session(session, "restored")
        return await erased.erase_again(database, known)

    return work


def _restore_postgresql(config: Config, file: Path) -> Restored:
    _require_known(file, _dumped_revision(file))
    kept = None
    is_filled, there = asyncio.run(_look_at(config))
    known = erased.note(config, there)
    if is_filled:
        kept = config.folder / f"llm-ui.before-{now():%Y%m%d-%H%M%S-%f}.dump"
        write(config, kept)
        # All of it goes, also what the copy does not know; `--clean` would leave that.
        asyncio.run(_empty(config))
    try:
        postgresql("pg_restore", config, "--clean", "--if-exists", "--no-owner", "--single-transaction", str(file))
    except ConfigurationError as error:
        hint = "" if kept is None else f" What was there is in {kept}: restore that."
        raise ConfigurationError(error.message + hint) from None
    # What was restored is its own copy.
    again = with_database(config.model_copy(update={"copy_before_migration": False}), _made_fit(known))
    return Restored(kept, again)


def _dumped_revision(file: Path) -> str | None:
    """Return the revision of a copy, or None when it is of something else. Raises when it cannot be read."""
    script = tool("pg_restore", "--data-only", "--table=alembic_version", "--file=-", str(file))
    lines = iter(script.splitlines())
    has_table = any(line.startswith("COPY") and "alembic_version" in line for line in lines)
    return next(lines, "").strip() or None if has_table else None


async def _look_at(config: Config) -> tuple[bool, Sequence[Erased]]:
    """Return whether there are tables, and who was erased. Raises `Conflict` when somebody else uses the database."""
    database = Database.open(config)
    try:
        async with database.reading() as session:
            others = await count_other_connections(session)
        if others:
            raise Conflict(f"The database is in use ({others} other connections). Stop every LLM UI process first.")
        await migrations.refuse_newer(database)
        revision = await migrations.current(database)
        if revision != migrations.head():
            return revision is not None, ()
        async with database.reading() as session:
            return True, await erasures.all_erased(session)
    finally:
        await database.close()


async def _empty(config: Config) -> None:
    database = Database.open(config)
    try:
        await migrations.downgrade(database, "base")
    finally:
        await database.close()
