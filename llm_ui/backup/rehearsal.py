"""Trying a copy: it is opened as a database of its own, migrated, checked and counted, and nothing else is touched."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr
from sqlalchemy import func, select, text
from sqlalchemy.exc import ProgrammingError

from llm_ui import migrations
from llm_ui.backup.copies import postgresql, take_in, tool, workshop
from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.models import ChatHistory, ChatMessage, Document, User
from llm_ui.services.soundness import find_problems


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What came of trying a copy."""

    revision: str | None
    """What it was at before it was migrated."""
    people: int
    chats: int
    messages: int
    documents: int
    problems: tuple[str, ...]


async def rehearse(config: Config, file: Path) -> Rehearsed | None:
    """Open a copy as a database of its own and bring it up to date; return what is in it.

    None: on PostgreSQL, where no database may be made for it; then it was only read from its beginning to its end.
    Raises our errors, and whatever a migration raises.
    """
    async with _opened(config, file) as database:
        if database is None:
            return None
        revision = await migrations.current(database)
        await migrations.upgrade(database)
        async with database.reading() as session:
            problems = await find_problems(session, database.dialect)
            # rights: counts only, for whoever runs the server
            people, chats, messages, documents = [
                await session.scalar(select(func.count()).select_from(model)) or 0
                for model in (User, ChatHistory, ChatMessage, Document)
            ]
        return Rehearsed(revision, people, chats, messages, documents, tuple(problems))


@contextlib.asynccontextmanager
async def _opened(config: Config, file: Path) -> AsyncIterator[Database | None]:
    async with _on_sqlite(config, file) if config.sqlite_path else _on_postgresql(config, file) as apart:
        if apart is None:
            yield None
            return
        database = Database.open(apart)
        try:
            yield database
        finally:
            await database.close()


@contextlib.asynccontextmanager
async def _on_sqlite(config: Config, file: Path) -> AsyncIterator[Config]:
    with contextlib.ExitStack() as stack:
        apart = await asyncio.to_thread(stack.enter_context, workshop(config))
        try:
            ready = apart.sqlite_path
            assert ready is not None  # noqa: S101 - a copy of settings that say SQLite
            await asyncio.to_thread(take_in, file, ready)
            yield apart
        finally:
            await asyncio.to_thread(stack.close)


@contextlib.asynccontextmanager
async def _on_postgresql(config: Config, file: Path) -> AsyncIterator[Config | None]:
    """Yield settings of a database beside the real one, which holds the copy and is gone afterwards."""
    name = f"llm_ui_rehearsal_{secrets.token_hex(4)}"
    server = Database.open(config)
    try:
        # Every line of it, so that a torn copy is found also where no database may be made.
        await asyncio.to_thread(tool, "pg_restore", "--file=/dev/null", str(file))
        if not await _make(server, name):
            yield None
            return
        try:
            address = urlsplit(config.sqlalchemy_url)._replace(path=f"/{name}").geturl()
            apart = config.model_copy(update={"database_url": SecretStr(address)})
            await asyncio.to_thread(postgresql, "pg_restore", apart, "--no-owner", "--single-transaction", str(file))
            yield apart
        finally:
            await _run(server, f"DROP DATABASE {name}")
    finally:
        await server.close()


async def _make(server: Database, name: str) -> bool:
    """Make an empty database; return False where that is not allowed."""
    try:
        await _run(server, f"CREATE DATABASE {name} TEMPLATE template0")
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", "") == "42501":
            return False
        raise
    return True


async def _run(server: Database, statement: str) -> None:
    """Run what PostgreSQL does in no transaction."""
    alone = server.engine.execution_options(isolation_level="AUTOCOMMIT")
    async with alone.connect() as connection:
        await connection.execute(text(statement))
