"""Writing copies of the database: SQLite's through its own online backup, PostgreSQL's through pg_dump.

A copy holds password hashes and sealed keys, so only its owner may read it. All of it blocks: not for an event loop.
"""

import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

from llm_ui.config import Config
from llm_ui.errors import ConfigurationError
from llm_ui.kit.file_store import sync

Beside = Callable[[Config, Path], None]
"""Writes what goes beside a copy; what the copy names is there by then."""


def write(config: Config, file: Path, beside: Beside | None = None) -> None:
    """Write a sound copy to the file, with what goes beside it, or nothing. Raises our errors."""
    folder = file.absolute().parent
    if file.exists():
        raise ConfigurationError(f"{file} exists already and is left as it is. Name another file.")
    if not folder.is_dir():
        raise ConfigurationError(f"There is no folder {folder}. Make it first, or name another file.")
    partial = file.with_name(f"{file.name}.{os.getpid()}.partial")
    try:
        os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        _dump(config, partial)
        if beside is not None:
            beside(config, file)
        partial.replace(file)
        sync(folder)
    except (OSError, sqlite3.Error) as error:
        raise ConfigurationError(f"The copy could not be written: {error}. Make room, or name another place.") from None
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


@contextmanager
def workshop(config: Config) -> Iterator[Config]:
    """Yield the same settings with an empty data folder on the same disk, which is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="copy-", dir=config.folder))
    try:
        yield config.model_copy(update={"data_dir": folder, "copy_before_migration": False})
    finally:
        shutil.rmtree(folder)


def take_in(file: Path, ready: Path) -> None:
    """Copy what somebody brings to a file of ours. Raises `ConfigurationError` unless it is a sound database."""
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
        raise ConfigurationError(f"{file} is not a sound copy of the database ({problem}). Use another one.")


def _dump(config: Config, file: Path) -> None:
    if config.sqlite_path is None:
        postgresql("pg_dump", config, "--format=custom", "--no-owner", "--no-privileges", f"--file={file}")
        return
    if not config.sqlite_path.exists():
        raise ConfigurationError(f"There is no database at {config.sqlite_path} yet. Start LLM UI first.")
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


def postgresql(program: str, config: Config, *arguments: str) -> None:
    """Run one of PostgreSQL's own tools on the database; the password is not on the command line."""
    parts = urlsplit(config.sqlalchemy_url)
    address = parts._replace(scheme="postgresql", netloc=_without_password(parts.netloc)).geturl()
    password = {} if parts.password is None else {"PGPASSWORD": unquote(parts.password)}
    tool(program, f"--dbname={address}", *arguments, **password)


def _without_password(netloc: str) -> str:
    login, at, host = netloc.rpartition("@")
    return login.partition(":")[0] + at + host


def tool(program: str, *arguments: str, **environment: str) -> str:
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
