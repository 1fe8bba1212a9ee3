"""`llm-ui config`: the workspace's configuration as a file."""

from pathlib import Path

import click

from llm_ui.cli.command import data_dir, run, settings, with_database
from llm_ui.cli.failure import fail
from llm_ui.cli.users import new_file
from llm_ui.db import Database
from llm_ui.errors import InvalidInput
from llm_ui.services import configuration, configuration_import
from llm_ui.services.access import SYSTEM
from llm_ui.services.configuration import Configuration
from llm_ui.services.configuration_import import Becomes, Step
from llm_ui.services.secrets import load_secrets


@click.group("config")
def config_command() -> None:
    """Write the configuration to a file, and take one in."""


@config_command.command()
@click.argument("file", type=click.Path(path_type=Path))
@data_dir
def export(file: Path, data_dir: Path | None) -> None:
    """Write providers, models, prices, instructions, agents, teams, limits, filters, issuers and settings to FILE."""

    async def work(database: Database) -> Configuration:
        async with database.writing() as session:
            await configuration.note_export(session, SYSTEM)
            return await configuration.read(session, SYSTEM)

    config = run(lambda: settings(data_dir=data_dir))
    found = run(lambda: with_database(config, work))
    with run(lambda: new_file(file)) as written:
        written.write(found.model_dump_json(indent=2).encode() + b"\n")
    click.echo(f"Wrote {file}. Keys and secrets are not in it.")


@config_command.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only print what would be changed.")
@data_dir
def import_command(file: Path, dry_run: bool, data_dir: Path | None) -> None:
    """Take in FILE: what it holds is added or changed, what it leaves out stays. All of it or nothing."""

    def read() -> Configuration:
        try:
            return configuration.parsed(file.read_bytes())
        except OSError as error:
            raise InvalidInput(f"{file} cannot be read: {error.strerror}. Name another file.") from None

    config = run(lambda: settings(data_dir=data_dir))
    wanted = run(read)

    async def work(database: Database) -> tuple[Step, ...]:
        sealer = load_secrets(config).sealer
        if dry_run:
            return await configuration_import.rehearse(database, SYSTEM, sealer, wanted)
        async with database.writing() as session:
            return await configuration_import.take_in(session, SYSTEM, sealer, wanted)

    found = run(lambda: with_database(config, work))
    steps = [step for step in found if step.becomes is not Becomes.SAME]
    for step in steps:
        _say(step)
    count = "1 thing" if len(steps) == 1 else f"{len(steps)} things"
    done = "would be changed. Nothing is yet." if dry_run else "changed."
    click.echo(f"{count} {done}" if steps else "Everything is so already.")
    if any(step.becomes is Becomes.NEW and step.what == "provider" for step in steps) and not dry_run:
        click.echo("New providers have no key yet: type them in on Admin → Providers.")
    if any(step.becomes is Becomes.REFUSED for step in steps):
        fail("As long as anything is refused, nothing can be taken in.")


def _say(step: Step) -> None:
    if step.becomes is Becomes.REFUSED:
        click.echo(f"! {step.what} {step.name}: {step.reason}")
        return
    is_new = step.becomes is Becomes.NEW
    click.echo(f"{'+' if is_new else '~'} {step.what} {step.name}")
    for name, (before, after) in step.changes.items():
        click.echo(f"    {name}: {after}" if is_new else f"    {name}: {before} -> {after}")
    if step.hint:
        click.echo(f"    {step.hint}")
