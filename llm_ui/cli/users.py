"""`llm-ui users`: accounts."""

import asyncio
import os
from pathlib import Path
from typing import BinaryIO

import click

from llm_ui.cli.command import data_dir, read_secret, run, settings, stamp, table, with_database
from llm_ui.db import Database, Session
from llm_ui.errors import InvalidInput
from llm_ui.kit.file_store import FileStore
from llm_ui.kit.passwords import Passwords
from llm_ui.models import Role
from llm_ui.services import users as service
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.archive import archive
from llm_ui.services.import_progress import Progress
from llm_ui.services.imports import import_file
from llm_ui.services.users import NewUser

password_option = click.option(
    "--password-stdin", "is_password_given", is_flag=True, required=True, help="Read the password from standard input."
)


@click.group()
def users() -> None:
    """Create and manage accounts."""


@users.command()
@click.argument("name")
@click.option("--email", required=True)
@click.option("--role", type=click.Choice([role.value for role in Role]), default=Role.USER.value, show_default=True)
@password_option
@data_dir
def create(name: str, email: str, role: str, is_password_given: bool, data_dir: Path | None) -> None:
    """Create the account NAME."""
    del is_password_given

    async def work(database: Database) -> None:
        new = NewUser(name, email, read_secret("password"))
        service.check_new(new)
        password_hash = await _hash(new.password)
        async with database.writing(lock="register") as session:
            await service.create(session, SYSTEM, new, Role(role), password_hash)

    run(lambda: with_database(settings(data_dir=data_dir), work))
    click.echo(f"Created {name} ({role}).")


@users.command("list")
@data_dir
def list_command(data_dir: Path | None) -> None:
    """List all accounts."""

    async def work(database: Database) -> tuple[service.UserInfo, ...]:
        async with database.reading() as session:
            return await service.list_users(session, SYSTEM)

    found = run(lambda: with_database(settings(data_dir=data_dir), work))
    rows = [
        [user.name, user.email, user.role, "active" if user.is_active else "disabled", stamp(user.last_sign_in_at)]
        for user in found
    ]
    table(rows, ["name", "e-mail", "role", "state", "last sign-in (UTC)"])


@users.command()
@click.argument("name")
@data_dir
def disable(name: str, data_dir: Path | None) -> None:
    """Disable the account NAME and end its sessions."""

    async def work(database: Database) -> None:
        async with database.writing() as session:
            user = await service.find_user(session, SYSTEM, name)
            await service.set_active(session, SYSTEM, user.id, is_active=False)

    run(lambda: with_database(settings(data_dir=data_dir), work))
    click.echo(f"Disabled {name}. All its sessions have ended.")


@users.command()
@click.argument("name")
@click.confirmation_option(
    prompt="Delete the account for good, with its chats and the projects that have no other owner?"
)
@data_dir
def delete(name: str, data_dir: Path | None) -> None:
    """Delete the account NAME with its chats.

    Its projects go to another owner of theirs; those without one are deleted.
    """

    async def work(database: Database) -> None:
        async with database.writing() as session:
            user = await service.find_user(session, SYSTEM, name)
            await service.delete(session, SYSTEM, user.id)

    run(lambda: with_database(settings(data_dir=data_dir), work))
    click.echo(f"Deleted {name}.")


@users.command("reset-password")
@click.argument("name")
@password_option
@data_dir
def reset_password(name: str, is_password_given: bool, data_dir: Path | None) -> None:
    """Set the password of NAME and end its sessions."""
    del is_password_given

    async def work(database: Database) -> None:
        password = read_secret("password")
        password_hash = await _hash(password)
        async with database.writing() as session:
            user = await service.find_user(session, SYSTEM, name)
            await service.reset_password(session, SYSTEM, user.id, password, password_hash)

    run(lambda: with_database(settings(data_dir=data_dir), work))
    click.echo(f"The password of {name} is changed. All its sessions have ended.")


@users.command()
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path))
@data_dir
def export(name: str, file: Path, data_dir: Path | None) -> None:
    """Write all chats and prompts of NAME to FILE, a zip archive."""

    config = settings(data_dir=data_dir)

    async def work(database: Database) -> None:
        async with database.reading() as session:
            user = await service.find_user(session, SYSTEM, name)
        pieces = archive(database, FileStore(config.files_path), Actor(user.id, user.name, user.role))
        with await asyncio.to_thread(new_file, file) as written:
            async for piece in pieces:
                await asyncio.to_thread(written.write, piece)

    run(lambda: with_database(config, work))
    click.echo(f"Wrote {file}.")


@users.command("import")
@click.argument("name")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@data_dir
def import_command(name: str, file: Path, data_dir: Path | None) -> None:
    """Bring in for NAME what LLM UI, ChatGPT, Open WebUI or LibreChat exported to FILE."""
    progress = Progress()
    config = settings(data_dir=data_dir)

    async def work(database: Database) -> None:
        async with database.reading() as session:
            user = await service.find_user(session, SYSTEM, name)
        store, actor = FileStore(config.files_path), Actor(user.id, user.name, user.role)
        most = config.max_document_mb
        await import_file(database, store, actor, file, progress, _go_on, max_document_mb=most)

    run(lambda: with_database(config, work))
    for one in progress.skipped_told:
        click.echo(f"Left out: {one['what']}: {one['why']}")
    click.echo(
        f"{progress.chats_added} new chats, {progress.chats_extended} brought up to date, "
        f"{progress.chats_same} that were here already; {progress.skipped} entries left out."
    )


async def _go_on(_session: Session, _progress: Progress, _done: int, _total: int) -> bool:
    return True


def new_file(file: Path) -> BinaryIO:
    """Return a file that only its owner may read. Raises `InvalidInput` when it is there already or cannot be."""
    try:
        return os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    except OSError as error:
        raise InvalidInput(f"{file} cannot be written: {error.strerror}. Name another file.") from None


async def _hash(password: str) -> str:
    passwords = Passwords()
    try:
        return await passwords.hash(password)
    finally:
        await asyncio.to_thread(passwords.close)
