"""`llm-ui demo-data`: many made-up rows, to try the product on."""

from pathlib import Path

import click

from llm_ui.cli.command import data_dir, run, settings, with_database
from llm_ui.db import Database
from llm_ui.services import demo_data as made_up
from llm_ui.services.demo_data import Made


@click.command("demo-data")
@click.option(
    "--scale",
    type=click.IntRange(1, 100_000),
    default=1,
    show_default=True,
    help="10,000 calls, 1,000 chats and 100 people each.",
)
@click.option("--yes", is_flag=True, help="Also into a database that people use.")
@data_dir
def demo_data(scale: int, yes: bool, data_dir: Path | None) -> None:
    """Put in made-up people, chats and calls, so that figures and lists can be tried."""

    async def work(found: Database) -> Made:
        if not yes:
            async with found.reading() as session:
                await made_up.refuse_if_used(session)
        made = await made_up.make(found, scale)
        await found.optimize()
        return made

    config = run(lambda: settings(data_dir=data_dir))
    made = run(lambda: with_database(config, work))
    click.echo(f"Made up {made.people:,} people, {made.chats:,} chats and {made.calls:,} calls.")
