"""`llm-ui providers`: model providers."""

import shlex
from pathlib import Path

import click

from llm_ui.cli.command import data_dir, read_secret, run, settings, stamp, table, with_database
from llm_ui.cli.failure import fail
from llm_ui.config import Config
from llm_ui.contract.probes import ProviderTest
from llm_ui.db import Database
from llm_ui.kit.http import new_client
from llm_ui.models import ProviderKind
from llm_ui.runs.provider_test import test_provider
from llm_ui.services import providers as service
from llm_ui.services.access import SYSTEM
from llm_ui.services.ai_models import NewModel, add_models
from llm_ui.services.providers import NewProvider, ProviderInfo
from llm_ui.services.secrets import load_secrets


@click.group()
def providers() -> None:
    """Connect model providers."""


@providers.command()
@click.argument("name")
@click.option(
    "--type",
    "kind",
    type=click.Choice([kind.value for kind in ProviderKind if kind is not ProviderKind.AUTO]),
    required=True,
)
@click.option("--url", default="", help="Address; empty for the type's usual one.")
@click.option("--key-stdin", "is_key_given", is_flag=True, help="Read the key from standard input.")
@click.option("--model", "models", multiple=True, help="A model to add, as the provider names it; may be repeated.")
@data_dir
def add(name: str, kind: str, url: str, is_key_given: bool, models: tuple[str, ...], data_dir: Path | None) -> None:
    """Add the provider NAME."""
    config = run(lambda: settings(data_dir=data_dir))

    async def work(database: Database) -> None:
        new = NewProvider(name, kind, url, read_secret("key") if is_key_given else "")
        sealer = load_secrets(config).sealer
        async with database.writing() as session:
            provider = await service.add(session, SYSTEM, sealer, new)
            await add_models(session, SYSTEM, provider.id, [NewModel(model) for model in models])

    run(lambda: with_database(config, work))
    click.echo(f"Added {name}. Test it with: llm-ui providers test {shlex.quote(name)}")


@providers.command("list")
@data_dir
def list_command(data_dir: Path | None) -> None:
    """List all providers."""

    async def work(database: Database) -> tuple[ProviderInfo, ...]:
        async with database.reading() as session:
            return await service.list_providers(session, SYSTEM)

    found = run(lambda: with_database(settings(data_dir=data_dir), work))
    rows = [
        [
            provider.name,
            provider.kind,
            provider.base_url,
            f"…{provider.key_hint}" if provider.has_key else "",
            provider.model_count,
            "on" if provider.is_enabled else "off",
            stamp(provider.last_tested_at),
            provider.last_test_error or "",
        ]
        for provider in found
    ]
    table(rows, ["name", "type", "address", "key", "models", "state", "tested (UTC)", "problem"])


@providers.command()
@click.argument("name")
@data_dir
def test(name: str, data_dir: Path | None) -> None:
    """Test the address and key of NAME and list what it serves."""
    config = run(lambda: settings(data_dir=data_dir))
    tested = run(lambda: with_database(config, lambda database: _test(config, database, name)))
    click.echo(tested.message)
    for model in tested.models:
        click.echo(f"  {model.name}")
    if not tested.is_ok:
        fail("The test failed.")


async def _test(config: Config, database: Database, name: str) -> ProviderTest:
    async with database.reading() as session:
        provider = await service.find_by_name(session, SYSTEM, name)
    async with new_client() as http:
        return await test_provider(database, load_secrets(config).sealer, http, SYSTEM, provider.id)
