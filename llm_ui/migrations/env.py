"""Alembic's environment: runs on the connection it is given, or on the database of the settings."""

import asyncio
from typing import Literal

from alembic import context
from sqlalchemy import Connection, Enum

from llm_ui.config import load_config
from llm_ui.db import Database
from llm_ui.models import Base
from llm_ui.models.base import Usd, UtcDateTime


def render_plain_type(kind: str, item: object, _context: object) -> str | Literal[False]:
    """Write column types of ours as what the database stores, so that old revisions never import today's code."""
    if kind != "type":
        return False
    match item:
        case UtcDateTime():
            return "sa.DateTime(timezone=True)"
        case Usd():
            return "sa.BigInteger()"
        case Enum():
            return f"sa.String(length={item.length})"
        case _:
            return False


def run(connection: Connection) -> None:
    """Run the asked-for migrations on the connection, inside its transaction."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_type=True,
        render_item=render_plain_type,
        # SQLite cannot alter columns: Alembic copies the table instead.
        render_as_batch=connection.dialect.name == "sqlite",
    )
    context.run_migrations()


async def run_on_configured_database() -> None:
    """Open the database of the settings, for the `alembic` command."""
    config = load_config()
    config.folder.mkdir(parents=True, exist_ok=True)
    database = Database.open(config)
    async with database.writing() as session:
        await (await session.connection()).run_sync(run)
    await database.close()


given = context.config.attributes.get("connection")
if given is None:
    asyncio.run(run_on_configured_database())
else:
    run(given)
