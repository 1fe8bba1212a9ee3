"""`llm-ui keys`: keys with which scripts ask the API."""

from decimal import Decimal, InvalidOperation
from pathlib import Path

import click

from llm_ui.cli.command import data_dir, run, settings, stamp, table, with_database
from llm_ui.db import Database, ReadSession
from llm_ui.errors import InvalidInput
from llm_ui.kit.ids import ModelId
from llm_ui.models import KeyScope
from llm_ui.services import keys as service
from llm_ui.services import offered, service_accounts
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.keys import KeyInfo, Made, NewKey
from llm_ui.services.users import find_user


@click.group()
def keys() -> None:
    """Create and manage keys of the API."""


@keys.command()
@click.argument("name")
@click.option("--user", help="Whose key it is: name or e-mail address.")
@click.option("--service-account", "account", help="The service account whose key it is: TEAM/NAME.")
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
    user: str | None,
    account: str | None,
    scopes: tuple[str, ...],
    models: tuple[str, ...],
    budget: str | None,
    data_dir: Path | None,
    **limits: object,
) -> None:
    """Create a key named NAME and print it; it is shown only this once."""

    async def work(database: Database) -> Made:
        async with database.writing() as session:
            owner = await _holder(session, user, account)
            allowed = [await offered.named(session, owner, one, None) for one in models]
            new = NewKey(
                name,
                frozenset(map(KeyScope, scopes)) or frozenset(KeyScope),
                frozenset(ModelId(one.model_id) for one in allowed) or None,
                budget_usd=_dollars(budget),
                **limits,  # type: ignore[arg-type]  # click has read them
            )
            return await service.create(session, owner if account is None else SYSTEM, new, owner)

    click.echo(run(lambda: with_database(settings(data_dir=data_dir), work)).token)


@keys.command("list")
@click.option("--user", help="Only those of this account.")
@click.option("--service-account", "account", help="Only those of this service account: TEAM/NAME.")
@data_dir
def list_command(user: str | None, account: str | None, data_dir: Path | None) -> None:
    """List all keys that work."""

    async def work(database: Database) -> tuple[KeyInfo, ...]:
        async with database.reading() as session:
            owner = (await _holder(session, user, account)).user_id if user or account else None
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


async def _holder(session: ReadSession, user: str | None, account: str | None) -> Actor:
    if (user is None) == (account is None):
        raise InvalidInput("Say whose key it is: --user NAME for a person, or --service-account TEAM/NAME for a team.")
    if account is not None:
        found = await service_accounts.find(session, SYSTEM, account)
        return await service_accounts.holder(session, SYSTEM, found.id)
    person = await find_user(session, SYSTEM, str(user))
    return Actor(person.id, person.name, person.role)


def _dollars(text: str | None) -> Decimal | None:
    if text is None:
        return None
    try:
        return Decimal(text.removeprefix("$"))
    except InvalidOperation:
        raise InvalidInput("The budget is an amount of dollars, such as 25 or 9.50.") from None
