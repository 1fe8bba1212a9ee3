"""`llm-ui audit`: whether the audit log is whole."""

import json
from pathlib import Path
from typing import Any

import click

from llm_ui.cli.command import data_dir, run, settings, with_database
from llm_ui.cli.failure import fail
from llm_ui.db import Database
from llm_ui.services.access import SYSTEM
from llm_ui.services.audit_chain import Verified, note_verified
from llm_ui.services.audit_chain import verify as verify_chain


@click.group()
def audit() -> None:
    """Verify the audit log."""


@audit.command()
@click.option("--head", default="", help="Hash that an earlier verification printed and that was kept elsewhere.")
@click.option("--count", type=click.IntRange(min=0), help="Number of entries that it printed with it.")
@click.option("--json", "is_json", is_flag=True, help="Print JSON.")
@data_dir
def verify(head: str, count: int | None, is_json: bool, data_dir: Path | None) -> None:
    """Check that no entry was changed, removed or put between.

    Keep the head and the count that are printed outside of this computer: given back with --head and --count they
    show whether the end was cut off since. The exit code is 1 when the chain is broken.
    """

    async def work(database: Database) -> Verified:
        found = await verify_chain(database, SYSTEM, head=head, count=count)
        async with database.writing() as session:
            await note_verified(session, SYSTEM, found)
        return found

    config = run(lambda: settings(data_dir=data_dir))
    found = run(lambda: with_database(config, work))
    told: dict[str, Any] = {
        "is_whole": found.problem is None, "count": found.count, "head": found.head, "broken": found.broken,
        "problem": found.problem,
    }  # fmt: skip
    if is_json:
        click.echo(json.dumps(told))
    elif found.problem is None:
        click.echo(f"The audit log is whole: {found.count} entries.")
        click.echo(f"To be kept elsewhere: --head {found.head} --count {found.count}")
    if found.problem is not None:
        fail(f"The audit log is broken. {found.problem}")
