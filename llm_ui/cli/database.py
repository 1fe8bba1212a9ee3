"""`llm-ui db`: the database's schema, copies and soundness."""

import asyncio
import contextlib
import os
import shutil
import sqlite3
import subprocess
from pathlib import Path

import click
from sqlalchemy.engine import make_url

from llm_ui import migrations
from llm_ui.bootstrap import make_folder
from llm_ui.cli.command import data_dir, fail, run, settings, with_database
from llm_ui.cli.serve import is_running
from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.errors import ConfigurationError, InvalidInput, SchemaMismatch
from llm_ui.kit.clock import now
from llm_ui.services.sign_in import end_every_session
from llm_ui.services.soundness import find_problems


@click.group("db")
def database() -> None:
    """Upgrade, copy, restore and check the database."""


@database.command()
@data_dir
def upgrade(data_dir: Path | None) -> None:
    """Bring the schema up to date."""
    config = run(lambda: settings(data_dir=data_dir))
    run(lambda: with_database(config, lambda _: asyncio.sleep(0)))
    click.echo(f"The database is at revision {migrations.head()}.")


@database.command()
@data_dir
def current(data_dir: Path | None) -> None:
    """Print the schema's revision."""

    async def work(config: Config) -> str | None:
        make_folder(config.folder)
        found = Database.open(config)
        try:
            return await migrations.current(found)
        finally:
            await found.close()

    revision = run(lambda: asyncio.run(work(settings(data_dir=data_dir))))
    click.echo(revision or "none: the database is empty")


@database.command()
@click.argument("file", type=click.Path(path_type=Path))
@data_dir
def backup(file: Path, data_dir: Path | None) -> None:
    """Write a copy of the database to FILE while everything runs."""
    config = run(lambda: settings(data_dir=data_dir))
    run(lambda: _backup(config, file))
    click.echo(f"Wrote {file}. Keep {config.folder / 'keys'} as well, apart from it: without it no stored key opens.")


@database.command()
@click.argument("file", type=click.Path(path_type=Path))
@data_dir
def restore(file: Path, data_dir: Path | None) -> None:
    """Put the copy in FILE in the database's place; the database that was there is kept beside it."""
    config = run(lambda: settings(data_dir=data_dir))
    kept = run(lambda: _restore(config, file))
    click.echo(f"Restored {file}. Everybody has to sign in again.")
    if kept is not None:
        click.echo(f"The database that was there is now {kept}.")


@database.command()
@data_dir
def check(data_dir: Path | None) -> None:
    """Check that the database is whole and consistent."""

    async def work(found: Database) -> list[str]:
        async with found.reading() as session:
            return await find_problems(session, found.dialect)

    problems = run(lambda: with_database(settings(data_dir=data_dir), work))
    for problem in problems:
        click.echo(problem)
    if problems:
        fail(f"{len(problems)} problems found. Restore a backup with: llm-ui db restore FILE")
    click.echo("The database is sound.")


def _backup(config: Config, file: Path) -> None:
    if file.exists():
        raise InvalidInput(f"{file} exists already and is left as it is. Name another file.")
    if config.sqlite_path is None:
        _pg("pg_dump", config, "--format=custom", f"--file={file}")
        return
    if not config.sqlite_path.exists():
        raise InvalidInput(f"There is no database at {config.sqlite_path}.")
    partial = file.with_name(f"{file.name}.partial")
    try:
        with (
            contextlib.closing(sqlite3.connect(config.sqlite_path)) as source,
            contextlib.closing(sqlite3.connect(partial)) as target,
        ):
            # SQLite's online backup: a consistent copy, also while others write.
            source.backup(target)
        _require_sound(partial)
        partial.replace(file)
    except (OSError, sqlite3.Error) as error:
        raise ConfigurationError(f"The backup could not be written: {error}. Nothing was changed.") from None
    finally:
        partial.unlink(missing_ok=True)


def _restore(config: Config, file: Path) -> Path | None:
    if not file.is_file():
        raise InvalidInput(f"There is no file {file}.")
    make_folder(config.folder)
    if is_running(config):
        raise ConfigurationError("LLM UI is running on this data folder. Stop it, then restore.")
    if config.sqlite_path is None:
        _pg("pg_restore", config, "--clean", "--if-exists", "--single-transaction", str(file))
        with_database(config, _end_sessions)
        return None
    _require_sound(file)
    _require_known(file)
    path, kept = config.sqlite_path, None
    fresh = path.with_name("llm-ui.db.restoring")
    shutil.copyfile(file, fresh)
    os.chmod(fresh, 0o600)
    if path.exists():
        kept = path.with_name(f"llm-ui.db.before-{now():%Y%m%d-%H%M%S}")
        for suffix in ("", "-wal", "-shm"):
            side = path.with_name(path.name + suffix)
            if side.exists():
                side.rename(kept.with_name(kept.name + suffix))
    fresh.rename(path)
    with_database(config, _end_sessions)
    return kept


async def _end_sessions(database: Database) -> None:
    async with database.writing() as session:
        await end_every_session(session, "restored")


def _require_sound(file: Path) -> None:
    try:
        with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
            (found,) = connection.execute("PRAGMA quick_check").fetchone()
    except sqlite3.Error as error:
        found = str(error)
    if found != "ok":
        raise InvalidInput(f"{file} is not a sound copy of the database ({found}). Use another one.")


def _require_known(file: Path) -> None:
    try:
        with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error:
        row = None
    if row is None:
        raise InvalidInput(f"{file} is not a database of LLM UI.")
    if row[0] not in migrations.known():
        raise SchemaMismatch(f"{file} was made by a newer version (revision {row[0]}). Install that version first.")


def _pg(program: str, config: Config, *arguments: str) -> None:
    """Run PostgreSQL's own tool; the password goes by environment, never on the command line."""
    url = make_url(config.sqlalchemy_url)
    path = shutil.which(program)
    if path is None:
        raise ConfigurationError(f"{program} is not installed. Install PostgreSQL's client programs.")
    named = {"PGHOST": url.host, "PGPORT": url.port, "PGUSER": url.username, "PGPASSWORD": url.password}
    environment = {**os.environ, **{name: str(value) for name, value in named.items() if value is not None}}
    done = subprocess.run(  # noqa: S603 - the program's path and our own arguments
        [path, f"--dbname={url.database}", *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ConfigurationError(f"{program} failed: {(done.stderr.strip().splitlines() or ['no reason given'])[-1]}")
