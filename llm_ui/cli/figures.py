"""Figures that a command has measured, kept for the administrators' page on quality."""

import getpass
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from llm_ui.cli.command import settings, with_database
from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.errors import LLMUIError
from llm_ui.services import evaluations
from llm_ui.services.access import SYSTEM
from llm_ui.services.evaluations import Exam, Measured

store = click.option(
    "--store/--no-store", "is_stored", default=True,
    help="Keep the figures in the workspace's database, if there is one, for Admin, Quality. It does by default.",
)  # fmt: skip


def ways(found: Mapping[str, Mapping[str, float]]) -> list[Measured]:
    """Return the figures of each strategy as they are kept."""
    return [Measured(strategy, figures) for strategy, figures in found.items()]


def keep(exam: Exam, measured: Sequence[Measured], data_dir: Path | None) -> None:
    """Keep figures where there is a database. Where that fails it is told, and what was measured is still printed."""
    try:
        config = settings(data_dir=data_dir)
        if not _has_database(config):
            return

        async def work(database: Database) -> None:
            async with database.writing() as session:
                await evaluations.keep(session, SYSTEM, exam, measured)

        with_database(config, work)
    except LLMUIError as error:
        click.echo(f"llm-ui: The figures are not kept: {error.message}", err=True)


def who() -> str:
    """Return the account of the computer, empty where it has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return ""


def _has_database(config: Config) -> bool:
    # Every workspace has a folder, wherever its rows are; a command that only measures makes none.
    return config.folder.is_dir() if config.sqlite_path is None else config.sqlite_path.exists()
