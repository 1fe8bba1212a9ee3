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
from llm_ui.services import account_links, departures, issuers, second_factor
from llm_ui.services import users as service
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.account_links import NewLink
from llm_ui.services.archive import archive
from llm_ui.services.departures import Fate, Goes
from llm_ui.services.import_progress import Progress
from llm_ui.services.imports import import_file
from llm_ui.services.users import NewUser, UserInfo

password_option = click.option(
    "--password-stdin", "is_password_given", is_flag=True, required=True, help="Read the password from standard input."
)
role_option = click.option(
    "--role", type=click.Choice([role.value for role in Role]), default=Role.USER.value, show_default=True
)


@click.group()
def users() -> None:
    """Create and manage accounts."""


@users.command()
@click.argument("name")
@click.option("--email", required=True)
@role_option
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
    rows = [[user.name, user.email, user.role, user.state, stamp(user.last_sign_in_at)] for user in found]
    table(rows, ["name", "e-mail", "role", "state", "last sign-in (UTC)"])


@users.command()
@click.argument("email")
@click.option("--name", default="", help="Username; else what stands before the @.")
@role_option
@data_dir
def invite(email: str, name: str, role: str, data_dir: Path | None) -> None:
    """Make an account for EMAIL and print the link with which its person chooses a password."""
    config = settings(data_dir=data_dir)

    async def work(database: Database) -> NewLink:
        async with database.writing(lock="register") as session:
            return await account_links.invite(session, SYSTEM, name, email, Role(role))

    link = run(lambda: with_database(config, work))
    click.echo(
        f"Invited {link.user.name} ({role}). Give them this link; it works once, until {stamp(link.expires_at)} UTC:"
    )
    click.echo(config.public_origin + link.path)


@users.command()
@click.argument("name")
@data_dir
def disable(name: str, data_dir: Path | None) -> None:
    """Disable the account NAME and end its sessions."""
    _set_active(name, data_dir, is_active=False)
    click.echo(f"Disabled {name}. All its sessions have ended.")


@users.command()
@click.argument("name")
@data_dir
def enable(name: str, data_dir: Path | None) -> None:
    """Let NAME sign in again."""
    _set_active(name, data_dir, is_active=True)
    click.echo(f"Enabled {name}.")


def _set_active(name: str, data_dir: Path | None, *, is_active: bool) -> None:
    async def work(database: Database) -> None:
        async with database.writing() as session:
            user = await service.find_user(session, SYSTEM, name)
            await service.set_active(session, SYSTEM, user.id, is_active=is_active)

    run(lambda: with_database(settings(data_dir=data_dir), work))


@users.command()
@click.argument("name")
@click.option(
    "--data",
    type=click.Choice([fate.value for fate in Fate]),
    default=Fate.ANONYMISE.value,
    show_default=True,
    help="erase: figures of what they used go, too; anonymise: figures stay; hand_over: projects go to another person.",
)
@click.option("--to", help="Who takes over the projects.")
@click.option("--yes", is_flag=True, help="Do not ask for the name.")
@data_dir
def delete(name: str, data: str, to: str | None, yes: bool, data_dir: Path | None) -> None:
    """Delete the account NAME with its chats.

    Its projects go to another owner of theirs; those without one are deleted, unless they are handed over.
    """
    config = settings(data_dir=data_dir)

    async def look(database: Database) -> tuple[UserInfo, Goes]:
        async with database.reading() as session:
            user = await service.find_user(session, SYSTEM, name)
            return user, await departures.weigh(session, SYSTEM, user.id)

    user, goes = run(lambda: with_database(config, look))
    if not yes:
        click.echo(f"{goes.chats} chats with {goes.messages} messages, {goes.files} files, {goes.prompts} prompts,")
        click.echo(f"{goes.projects} projects without another owner, with {goes.documents} documents.")
        if click.prompt(f"Type {user.name} to delete all this") != user.name:
            raise click.Abort

    async def work(database: Database) -> None:
        async with database.writing() as session:
            heir = None if to is None else (await service.find_user(session, SYSTEM, to)).id
            await departures.remove(session, SYSTEM, user.id, Fate(data), heir)

    run(lambda: with_database(config, work))
    click.echo(f"Deleted {user.name}.")


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


@users.command("reset-second-factor")
@click.argument("name")
@data_dir
def reset_second_factor(name: str, data_dir: Path | None) -> None:
    """Let NAME, who has lost the authenticator app, sign in without it."""

    async def work(database: Database) -> None:
        async with database.writing() as session:
            user = await service.find_user(session, SYSTEM, name)
            await second_factor.reset(session, SYSTEM, user.id)

    run(lambda: with_database(settings(data_dir=data_dir), work))
    click.echo(f"{name} signs in without a second step now.")


@users.command("allow-passwords")
@data_dir
def allow_passwords(data_dir: Path | None) -> None:
    """Let people sign in with passwords again, should an issuer keep everybody out."""

    async def work(database: Database) -> None:
        async with database.writing() as session:
            await issuers.set_passwords(session, SYSTEM, are_taken=True)

    run(lambda: with_database(settings(data_dir=data_dir), work))
    click.echo("People can sign in with passwords again.")


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
