"""What all commands share: settings from options, our errors as one sentence, tables."""

import asyncio
import os
import secrets
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import NoReturn, TypeVar

import click
from tabulate import tabulate

from llm_ui.bootstrap import open_database
from llm_ui.config import ENV_PREFIX, Config, load_config
from llm_ui.db import Database
from llm_ui.errors import InvalidInput, LLMUIError
from llm_ui.observability.logging import configure, get_logger

T = TypeVar("T")

log = get_logger(__name__)

data_dir = click.option(
    "--data-dir", type=click.Path(path_type=Path), help="Folder for everything; default ~/.llm-ui or LLM_UI_DATA_DIR."
)


def run(work: Callable[[], T]) -> T:
    """Do a command's work; what fails becomes one sentence on standard error and exit code 1."""
    try:
        return work()
    except LLMUIError as error:
        fail(error.message)
    except KeyboardInterrupt:
        fail("Interrupted.")
    except Exception:
        error_id = secrets.token_hex(4)
        if os.environ.get(f"{ENV_PREFIX}LOG_LEVEL") == "debug":
            raise
        log.exception("command.crashed", error_id=error_id)
        fail(f"Something went wrong here (error {error_id}); the lines above tell more.")


def fail(message: str) -> NoReturn:
    """Say why on standard error and end with exit code 1."""
    click.echo(f"llm-ui: {message}", err=True)
    sys.exit(1)


def with_database(config: Config, work: Callable[[Database], Awaitable[T]]) -> T:
    """Run `work` on the database of the settings, created and migrated first."""

    async def whole() -> T:
        database = await open_database(config)
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(whole())


def settings(**options: object) -> Config:
    """Return the settings; options that were given win over the environment."""
    config = load_config(**options)
    configure("cli", config.log_level)
    return config


def read_secret(what: str) -> str:
    """Return the first line of standard input. Raises `InvalidInput` when there is none."""
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise InvalidInput(f"Standard input is empty. Pipe the {what} into the command.")
    return line


def table(rows: Sequence[Sequence[object]], headers: Sequence[str]) -> None:
    """Print a table."""
    click.echo(tabulate(rows, headers=headers, disable_numparse=True))


def stamp(instant: object) -> str:
    """Return an instant for a table."""
    return "" if instant is None else f"{instant:%Y-%m-%d %H:%M}"
