"""`llm-ui doctor`: what the settings are, what is wrong, and what to do."""

import asyncio
import os
import platform
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click
import httpx2
from pydantic import SecretStr

from llm_ui import migrations
from llm_ui.cli.command import data_dir, run, settings, table
from llm_ui.cli.serve import is_running, require_free
from llm_ui.config import ENV_PREFIX, Config
from llm_ui.db import Database
from llm_ui.errors import LLMUIError
from llm_ui.services import providers
from llm_ui.services.access import SYSTEM
from llm_ui.services.secrets import load_secrets
from llm_ui.services.users import needs_setup
from llm_ui.supervisor import local_url

LOW_DISK_BYTES = 500_000_000
MASK = "••••••"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    state: str
    """`ok`, `warn` or `fail`."""
    what: str
    advice: str = ""


@click.command()
@data_dir
def doctor(data_dir: Path | None) -> None:
    """Check database, keys, ports, providers and browser origin, and say what to do."""
    config = run(lambda: settings(data_dir=data_dir))
    table(list(_settings(config)), ["setting", "value", "from"])
    click.echo()
    findings = run(lambda: list(_findings(config)))
    table([[finding.state, finding.what, finding.advice] for finding in findings], ["", "checked", "what to do"])
    if any(finding.state == "fail" for finding in findings):
        sys.exit(1)


def _settings(config: Config) -> Iterator[tuple[str, str, str]]:
    for name in Config.model_fields:
        value = getattr(config, name)
        shown = MASK if isinstance(value, SecretStr) else ", ".join(value) if isinstance(value, tuple) else value
        variable = ENV_PREFIX + name.upper()
        source = "environment" if variable in os.environ else "option" if name in config.model_fields_set else "default"
        yield variable, "" if shown is None else str(shown), source


def _findings(config: Config) -> Iterator[Finding]:
    yield Finding("ok", f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}")
    yield _folder(config)
    if not config.folder.is_dir():
        return
    yield _attempt("Key files", lambda: load_secrets(config))
    yield from asyncio.run(_database(config))
    if is_running(config):
        yield from _answering(config)
    else:
        for host, port, what, option in (
            (config.host, config.port, "pages", "--port"),
            (config.api_host, config.api_port, "LLM API", "--api-port"),
        ):
            yield _attempt(f"Port {port} is free", partial(require_free, host, port, what, option))
    yield _origin(config)


def _folder(config: Config) -> Finding:
    if not config.folder.exists():
        return Finding("warn", f"Data folder {config.folder} is not there yet", "The first start makes it.")
    if not config.folder.is_dir() or not os.access(config.folder, os.W_OK):
        advice = "Choose another with --data-dir, or correct its owner."
        return Finding("fail", f"Data folder {config.folder} cannot be written", advice)
    free = shutil.disk_usage(config.folder).free
    if free < LOW_DISK_BYTES:
        return Finding("warn", f"Only {free // 1_000_000} MB are free on the disk", "Make room before it is full.")
    return Finding("ok", f"Data folder {config.folder}, {free / 1e9:.1f} GB free")


async def _database(config: Config) -> list[Finding]:
    kind = "PostgreSQL" if config.database_url else "SQLite"
    database = Database.open(config)
    try:
        await database.ping()
        revision = await migrations.current(database)
        if revision is None:
            return [Finding("warn", f"{kind} answers and is empty", "The first start fills it.")]
        await migrations.require_current(database)
        async with database.reading() as session:
            found = await providers.list_providers(session, SYSTEM)
            has_no_admin = await needs_setup(session)
    except LLMUIError as error:
        return [Finding("fail", f"{kind}", error.message)]
    finally:
        await database.close()
    findings = [Finding("ok", f"{kind} answers, schema {revision}")]
    if has_no_admin:
        findings.append(
            Finding("warn", "There is no administrator", "Start LLM UI and open the set-up link it prints.")
        )
    return findings + [_provider(provider) for provider in found if provider.is_enabled]


def _provider(provider: providers.ProviderInfo) -> Finding:
    name = f"Provider {provider.name}"
    if provider.is_key_refused:
        return Finding("fail", name, "It refused its key. Enter a valid one under Admin, Providers.")
    if provider.needs_key and not provider.has_key:
        return Finding("warn", name, "It has no key. Enter one under Admin, Providers.")
    if provider.last_test_error:
        return Finding("warn", name, provider.last_test_error)
    return Finding("ok", f"{name}, {provider.model_count} models")


def _answering(config: Config) -> Iterator[Finding]:
    for what, url in (("Pages", f"{local_url(config)}/healthz"), ("LLM API", f"{config.llm_api_url}/readyz")):
        try:
            is_up = httpx2.get(url, timeout=3, trust_env=False).status_code == 200
        except httpx2.TransportError:
            is_up = False
        advice = "" if is_up else "LLM UI runs, but this part does not answer here: look into its log, check the port."
        yield Finding("ok" if is_up else "fail", f"{what} at {url.rsplit('/', 1)[0]}", advice)


def _origin(config: Config) -> Finding:
    is_public = config.host not in ("127.0.0.1", "localhost", "::1")
    if is_public and not config.origins:
        advice = "Set LLM_UI_ORIGINS to the address people open, such as https://ai.example.org."
        return Finding("warn", "Other computers reach this server, but only localhost may open pages", advice)
    if any(origin.startswith("http://") for origin in config.origins):
        return Finding("warn", "An origin is without TLS", "Put a proxy with a certificate in front; use https.")
    return Finding("ok", f"Browser origin {', '.join(config.origins) or local_url(config)}")


def _attempt(what: str, check: Callable[[], object]) -> Finding:
    try:
        check()
    except LLMUIError as error:
        return Finding("fail", what, error.message)
    return Finding("ok", what)
