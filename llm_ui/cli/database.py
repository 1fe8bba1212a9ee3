"""`llm-ui db`: the database's schema, copies and soundness."""

import asyncio
from pathlib import Path

import click

from llm_ui import migrations
from llm_ui.backup import copies, erased, files, folder
from llm_ui.backup.rehearsal import rehearse
from llm_ui.bootstrap import make_folder, way_back_to
from llm_ui.cli import restoring
from llm_ui.cli.command import data_dir, run, settings, with_database
from llm_ui.cli.failure import fail
from llm_ui.cli.restoring import Restored
from llm_ui.cli.serve import not_in_use
from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.errors import LLMUIError
from llm_ui.kit.file_store import FileStore
from llm_ui.services import attachments, documents, erasures
from llm_ui.services.soundness import find_problems
from llm_ui.services.usage import rollups


@click.group("db")
def database() -> None:
    """Upgrade, copy, restore and check the database."""


@database.command()
@data_dir
def upgrade(data_dir: Path | None) -> None:
    """Bring the schema up to date; what was there before is copied first, and the way back printed."""
    config = run(lambda: settings(data_dir=data_dir))
    before = folder.newest_before(config)
    run(lambda: with_database(config, lambda _: asyncio.sleep(0)))
    click.echo(f"The database is at revision {migrations.head()}.")
    copy = folder.newest_before(config)
    if copy is not None and copy != before:
        click.echo(f"The way back: {way_back_to(copy)}")


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
    """Write a copy of the database to FILE, and of attached files beside it, while everything runs."""
    config = run(lambda: settings(data_dir=data_dir))
    run(lambda: copies.write(config, file, files.write))
    archive = files.archive_of(file)
    beside = f" and {archive.name} beside it, with the attached files" if archive.exists() else ""
    click.echo(
        f"Wrote {file}{beside}. Keep {config.folder / 'keys'} as well, apart from it: without it no stored key opens."
    )


@database.command()
@click.argument("file", type=click.Path(path_type=Path))
@data_dir
def restore(file: Path, data_dir: Path | None) -> None:
    """Put the copy in FILE, and the files beside it, in their place; the database that was there is kept beside it."""

    def work(config: Config) -> Restored:
        make_folder(config.folder)
        with not_in_use(config):
            return restoring.restore(config, file)

    done = run(lambda: work(settings(data_dir=data_dir)))
    click.echo(f"Restored {file}. Everybody has to sign in again.")
    if done.erased_again:
        click.echo(f"{done.erased_again} accounts that were deleted since then are deleted in it again.")
    if done.kept is not None:
        click.echo(f"The database that was there is now {done.kept}.")


@database.command("rollups")
@data_dir
def make_rollups(data_dir: Path | None) -> None:
    """Add up what was used anew, from each booked call."""

    async def work(found: Database) -> int:
        async with found.writing(lock=rollups.LOCK) as session:
            await rollups.forget(session)
        return await rollups.roll_up(found, at_once=rollups.WEEK)

    config = run(lambda: settings(data_dir=data_dir))
    added = run(lambda: with_database(config, work))
    click.echo(f"Added up {added:,} calls.")


@database.command()
@data_dir
def check(data_dir: Path | None) -> None:
    """Check that the database is whole and consistent, and that the newest backup could be restored."""

    async def work(found: Database) -> list[str]:
        async with found.reading() as session:
            return await find_problems(session, found.dialect)

    async def check_files(found: Database) -> list[str]:
        async with found.reading() as session:
            needed = await attachments.stored_names(session) | await documents.stored_names(session)
        store = FileStore(config.files_path)
        missing = sum(not store.has(name) for name in needed)
        return [f"{missing} attached files are not in {store.folder}."] if missing else []

    async def check_erased(found: Database) -> list[str]:
        known = erased.read(config)
        async with found.reading() as session:
            back = await erasures.returned(session, known)
        return [f"{len(back)} deleted accounts are back. A running worker deletes them again."] if back else []

    def checked() -> list[str]:
        found = [problem for check in (work, check_files, check_erased) for problem in with_database(config, check)]
        return found + _rehearsed(config)

    config = run(lambda: settings(data_dir=data_dir))
    problems = run(checked)
    for problem in problems:
        click.echo(problem)
    if problems:
        fail(f"{len(problems)} problems found. Restore a backup with: llm-ui db restore FILE")
    click.echo("The database is sound.")


def _rehearsed(config: Config) -> list[str]:
    """Restore the newest backup aside, tell what is in it, and return what is wrong with it."""
    file = folder.newest(config)
    if file is None:
        click.echo("There is no backup yet.")
        return []
    try:
        found = asyncio.run(rehearse(config, file))
    except LLMUIError as error:
        return [f"The newest backup {file} cannot be restored: {error.message}"]
    missing = folder.missing(file)
    problems = [f"{missing} files of the newest backup {file} are not there."] if missing else []
    if found is None:
        click.echo(f"The newest backup {file} can be read. To open it, too, the role needs the right CREATEDB.")
        return problems
    click.echo(
        f"The newest backup {file} opens: revision {found.revision}, {found.people:,} people, {found.chats:,} chats, "
        f"{found.messages:,} messages, {found.documents:,} documents."
    )
    return problems + [f"The newest backup: {problem}" for problem in found.problems]
