"""Copies of the database and the attached files: written while everything runs, and put back.

SQLite's go through its own online backup, PostgreSQL's through pg_dump and pg_restore. A copy holds password hashes and
sealed keys, so only its owner may read it.
"""

import asyncio
import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

from llm_ui import migrations
from llm_ui.cli import copied_files
from llm_ui.cli.command import with_database
from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.errors import ConfigurationError, Conflict, InvalidInput, SchemaMismatch
from llm_ui.kit.clock import now
from llm_ui.kit.file_store import sync
from llm_ui.services.sign_in import end_every_session
from llm_ui.services.soundness import count_other_connections

SIDE_FILES = ("-wal", "-shm")
"""What SQLite keeps beside a database that is open or was not closed in good order."""


def write(config: Config, file: Path, *, has_files: bool = True) -> None:
    """Write a sound copy to the file, with the attached files beside it, or nothing. Raises our errors."""
    folder = file.absolute().parent
    if file.exists():
        raise InvalidInput(f"{file} exists already and is left as it is. Name another file.")
    if not folder.is_dir():
        raise InvalidInput(f"There is no folder {folder}. Make it first, or name another file.")
    partial = file.with_name(f"{file.name}.{os.getpid()}.partial")
    try:
        os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        _dump(config, partial)
        # After the database: what it names is there.
        if has_files:
            copied_files.write(config, file)
        partial.replace(file)
        sync(folder)
    except (OSError, sqlite3.Error) as error:
        raise ConfigurationError(f"The copy could not be written: {error}. Make room, or name another place.") from None
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def restore(config: Config, file: Path) -> Path | None:
    """Put the copy in the database's place; return where the database that was there is now, if there was one.

    The copy is checked and made ready aside: until it is, nothing changes. Nothing else may use the data folder
    meanwhile. Raises our errors with what to do.
    """
    if not file.is_file():
        raise InvalidInput(f"There is no file {file}. Name one that llm-ui db backup wrote.")
    try:
        # Files first: without the rows that name them they change nothing.
        copied_files.take_in(config, file)
        return _restore_postgresql(config, file) if config.sqlite_path is None else _restore_sqlite(config, file)
    except OSError as error:
        raise ConfigurationError(f"The copy could not be restored: {error}. Make room and try again.") from None


def _dump(config: Config, file: Path) -> None:
    if config.sqlite_path is None:
        _postgresql("pg_dump", config, "--format=custom", "--no-owner", "--no-privileges", f"--file={file}")
        return
    if not config.sqlite_path.exists():
        raise InvalidInput(f"There is no database at {config.sqlite_path} yet. Start LLM UI first.")
    with closing(sqlite3.connect(config.sqlite_path)) as source:
        problem = _copy(source, file)
    if problem is not None:
        raise ConfigurationError(f"The database is damaged ({problem}). Run: llm-ui db check")


def _copy(source: sqlite3.Connection, file: Path) -> str | None:
    """Copy a database to a file, consistent also while others write; return what is wrong with it, None if nothing."""
    with closing(sqlite3.connect(file)) as target:
        source.backup(target)
        # One file, which needs no others beside it to be read.
        target.execute("PRAGMA journal_mode = DELETE")
        (found,) = target.execute("PRAGMA quick_check(1)").fetchone()
    return None if found == "ok" else str(found)


def _restore_sqlite(config: Config, file: Path) -> Path | None:
    with _workshop(config) as apart:
        ready = apart.sqlite_path
        assert ready is not None  # noqa: S101 - a copy of settings that say SQLite
        _take_in(file, ready)
        _require_known(file, _sqlite_revision(ready))
        with_database(apart, _end_sessions)
        kept = _put_aside(config)
        ready.rename(config.folder / ready.name)
    sync(config.folder)
    return kept


@contextmanager
def _workshop(config: Config) -> Iterator[Config]:
    """Yield the same settings with an empty data folder on the same disk, which is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="restoring-", dir=config.folder))
    try:
        yield config.model_copy(update={"data_dir": folder})
    finally:
        shutil.rmtree(folder)


def _take_in(file: Path, ready: Path) -> None:
    """Copy what somebody brings to a file of ours. Raises `InvalidInput` unless it is a sound database."""
    has_side_file = file.with_name(f"{file.name}-wal").exists()
    # Without side files nothing may be made beside it: it may lie on a disk that is only for reading.
    address = f"{file.absolute().as_uri()}?{'mode=ro' if has_side_file else 'immutable=1'}"
    try:
        with closing(sqlite3.connect(address, uri=True)) as source:
            problem = _copy(source, ready)
    except sqlite3.OperationalError as error:
        raise ConfigurationError(f"The copy could not be restored: {error}. Make room and try again.") from None
    except sqlite3.DatabaseError as error:
        problem = str(error)
    if problem is not None:
        raise InvalidInput(f"{file} is not a sound copy of the database ({problem}). Use another one.")


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


async def _end_sessions(database: Database) -> None:
    async with database.writing() as session:
        await end_every_session(session, "restored")


def _restore_postgresql(config: Config, file: Path) -> Path | None:
    _require_known(file, _dumped_revision(file))
    kept = None
    if asyncio.run(_is_filled(config)):
        kept = config.folder / f"llm-ui.before-{now():%Y%m%d-%H%M%S-%f}.dump"
        write(config, kept, has_files=False)
        # All of it goes, also what the copy does not know; `--clean` would leave that.
        asyncio.run(_empty(config))
    try:
        _postgresql("pg_restore", config, "--clean", "--if-exists", "--no-owner", "--single-transaction", str(file))
    except ConfigurationError as error:
        hint = "" if kept is None else f" What was there is in {kept}: restore that."
        raise ConfigurationError(error.message + hint) from None
    with_database(config, _end_sessions)
    return kept


def _dumped_revision(file: Path) -> str | None:
    """Return the revision of a copy, or None when it is of something else. Raises when it cannot be read."""
    script = _tool("pg_restore", "--data-only", "--table=alembic_version", "--file=-", str(file))
    lines = iter(script.splitlines())
    has_table = any(line.startswith("COPY") and "alembic_version" in line for line in lines)
    return next(lines, "").strip() or None if has_table else None


async def _is_filled(config: Config) -> bool:
    """Return whether there are tables. Raises `Conflict` when somebody else uses the database."""
    database = Database.open(config)
    try:
        async with database.reading() as session:
            others = await count_other_connections(session)
        if others:
            raise Conflict(f"The database is in use ({others} other connections). Stop every LLM UI process first.")
        await migrations.refuse_newer(database)
        return await migrations.current(database) is not None
    finally:
        await database.close()


async def _empty(config: Config) -> None:
    database = Database.open(config)
    try:
        await migrations.downgrade(database, "base")
    finally:
        await database.close()


def _postgresql(program: str, config: Config, *arguments: str) -> None:
    """Run one of PostgreSQL's own tools on the database; the password is not on the command line."""
    parts = urlsplit(config.sqlalchemy_url)
    address = parts._replace(scheme="postgresql", netloc=_without_password(parts.netloc)).geturl()
    password = {} if parts.password is None else {"PGPASSWORD": unquote(parts.password)}
    _tool(program, f"--dbname={address}", *arguments, **password)


def _without_password(netloc: str) -> str:
    login, at, host = netloc.rpartition("@")
    return login.partition(":")[0] + at + host


def _tool(program: str, *arguments: str, **environment: str) -> str:
    """Run a program; return its output. Raises `ConfigurationError` with the last thing it said when it fails."""
    path = shutil.which(program)
    if path is None:
        raise ConfigurationError(f"{program} is not installed. Install PostgreSQL's client programs.")
    done = subprocess.run(  # noqa: S603 - the program's path and our own arguments
        [path, *arguments], env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise ConfigurationError(f"{program} failed: {reason.rstrip('.')}. Correct that and try again.")
    return done.stdout
