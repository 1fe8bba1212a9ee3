"""`llm-ui keys`: keys with which scripts ask the API."""

from decimal import Decimal, InvalidOperation
from pathlib import Path

import click

from llm_ui.cli.command import data_dir, run, settings, stamp, table, with_database
from llm_ui.db import Database
from llm_ui.errors import InvalidInput
from llm_ui.kit.ids import ModelId
from llm_ui.models import KeyScope
from llm_ui.services import keys as service
from llm_ui.services import offered
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.keys import KeyInfo, Made, NewKey
from llm_ui.services.users import find_user


@click.group()
def keys() -> None:
    """Create and manage keys of the API."""


@keys.command()
@click.argument("name")
@click.option("--user", required=True, help="Whose key it is: name or e-mail address.")
@click.option(
    "--scope", "scopes", multiple=True, type=click.Choice([scope.value for scope in KeyScope]),
    help="What it is for; may be given several times. Default: everything.",
)  # fmt: skip
@click.option("--model", "models", multiple=True, help="A model that it may ask; may be given several times.")
@click.option("--days", type=int, help="Days after which it ends.")
@click.option("--budget", help="Dollars that may be spent with it each month.")
@click.option("--requests-per-minute", type=int)
@click.option("--address", "addresses", multiple=True, help="An address or network that it may be used from.")
@click.option("--keep-answers", "keeps_answers", is_flag=True, help="Keep answers for the same question.")
@click.option("--keep-similar", "keeps_similar", is_flag=True, help="And for questions that mean the same.")
@data_dir
def create(
    name: str,
    user: str,
    scopes: tuple[str, ...],
    models: tuple[str, ...],
    budget: str | None,
    data_dir: Path | None,
    **limits: object,
) -> None:
    """Create a key named NAME and print it; it is shown only this once."""

    async def work(database: Database) -> Made:
        async with database.writing() as session:
            found = await find_user(session, SYSTEM, user)
            owner = Actor(found.id, found.name, found.role)
            allowed = [await offered.named(session, owner, one, None) for one in models]
            new = NewKey(
                name,
                frozenset(map(KeyScope, scopes)) or frozenset(KeyScope),
                frozenset(ModelId(one.model_id) for one in allowed) or None,
                budget_usd=_dollars(budget),
                **limits,  # type: ignore[arg-type]  # click has read them
            )
            return await service.create(session, owner, new)

    click.echo(run(lambda: with_database(settings(data_dir=data_dir), work)).token)


@keys.command("list")
@click.option("--user", help="Only those of this account.")
@data_dir
def list_command(user: str | None, data_dir: Path | None) -> None:
    """List all keys that work."""

    async def work(database: Database) -> tuple[KeyInfo, ...]:
        async with database.reading() as session:
            owner = None if user is None else (await find_user(session, SYSTEM, user)).id
            return await service.list_keys(session, SYSTEM, owner)

    found = run(lambda: with_database(settings(data_dir=data_dir), work))
    rows = [
        [key.prefix + "…", key.name, key.owner, ", ".join(sorted(key.scopes)), stamp(key.last_used_at),
         stamp(key.expires_at)]
        for key in found
    ]  # fmt: skip
    table(rows, ["key", "name", "account", "for", "last used (UTC)", "ends (UTC)"])


@keys.command()
@click.argument("prefix")
@data_dir
def revoke(prefix: str, data_dir: Path | None) -> None:
    """End the key that begins with PREFIX, as the list shows it."""

    async def work(database: Database) -> KeyInfo:
        async with database.writing() as session:
            key = await service.find_by_prefix(session, SYSTEM, prefix.rstrip("…"))
            await service.revoke(session, SYSTEM, key.id)
            return key

    key = run(lambda: with_database(settings(data_dir=data_dir), work))
    click.echo(f"Revoked {key.prefix}… ({key.name}).")


def _dollars(text: str | None) -> Decimal | None:
    if text is None:
        return None
    try:
        return Decimal(text.removeprefix("$"))
    except InvalidOperation:
        raise InvalidInput("The budget is an amount of dollars, such as 25 or 9.50.") from None
