"""What all commands share: settings from options, our errors as one sentence, tables."""

import asyncio
import getpass
import os
import secrets
import socket
import sys
import tempfile
import traceback
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeVar

import click
from tabulate import tabulate

from llm_ui.bootstrap import open_database
from llm_ui.cli.failure import fail
from llm_ui.config import ENV_PREFIX, Config, load_config
from llm_ui.db import Database
from llm_ui.errors import InvalidInput, LLMUIError
from llm_ui.observability import crashes
from llm_ui.observability.logging import configure
from llm_ui.observability.origin import COMMAND_LINE, Origin, come_from

T = TypeVar("T")

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
    except Exception as error:
        if os.environ.get(f"{ENV_PREFIX}LOG_LEVEL") == "debug":
            raise
        error_id, file = _write_down(traceback.format_exc())
        crashes.report(error, "command.crashed", error_id=error_id)
        fail(f"Something went wrong here (error {error_id}). {file} tells what: send it to whoever maintains LLM UI.")


def _write_down(story: str) -> tuple[str, str]:
    """Keep a traceback in a file of its own, for its owner only; return the error's id and the file's path."""
    error_id = secrets.token_hex(4)
    descriptor, path = tempfile.mkstemp(prefix=f"llm-ui-{error_id}-", suffix=".log")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(story)
    return error_id, path


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
    if config.sentry_dsn is not None:
        crashes.watch("cli", config.sentry_dsn.get_secret_value(), config.sentry_environment)
    come_from(Origin(COMMAND_LINE, user_agent=_whose()))
    return config


def _whose() -> str:
    """Return who uses the command line of which computer, as its system knows them."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = f"user {os.getuid()}"
    return f"{name} at {socket.gethostname()}"


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
