"""`llm-ui doctor`: what the settings are, what is wrong, and what to do."""

import asyncio
import contextlib
import os
import platform
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click
import httpx2
from pydantic import SecretStr

from llm_ui import migrations
from llm_ui.cli.command import data_dir, run, settings, table
from llm_ui.cli.failure import fail
from llm_ui.cli.serve import is_serving, require_free
from llm_ui.config import ENV_PREFIX, Config
from llm_ui.db import Database, ReadSession
from llm_ui.embedder.files import HOST, require_files
from llm_ui.errors import ConfigurationError, LLMUIError
from llm_ui.kit.encryption import Sealer
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
    failed = sum(finding.state == "fail" for finding in findings)
    if failed:
        fail(f"{failed} of these checks failed. Do what stands beside them, then run llm-ui doctor again.")


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
    # Without a folder there is nothing in it to look at, and looking should not make one.
    if config.folder.is_dir():
        keys = _attempt("Keys that sign and seal", lambda: load_secrets(config))
        yield keys
        yield from asyncio.run(_database(config, load_secrets(config).sealer if keys.state == "ok" else None))
    yield _server("Pages", config, f"{local_url(config)}/healthz")
    yield _server("LLM API", config, f"{config.llm_api_url}/readyz")
    if config.embedding_folder is not None:
        yield _embedder(config, config.embedding_folder.expanduser())
    yield _origin(config)


def _server(what: str, config: Config, url: str) -> Finding:
    """Return whether one of our servers answers or, while none should, could be started."""
    address = url.rsplit("/", 1)[0]
    try:
        if httpx2.get(url, timeout=3, trust_env=False).status_code == 200:
            return Finding("ok", f"{what}: running at {address}")
    except httpx2.HTTPError as error:
        reason = type(error).__name__
    else:
        reason = "it answers, but is not ready"
    if config.folder.is_dir() and is_serving(config):
        advice = f"LLM UI runs, but this part is not ready ({reason}): look into its log, check the port."
        return Finding("fail", f"{what}: not at {address}", advice)
    if what == "LLM API" and config.api_url:
        return Finding("fail", f"{what}: not at {address}", "Start it there, or correct LLM_UI_API_URL.")
    host, port, option = (
        (config.host, config.port, "--port") if what == "Pages" else (config.api_host, config.api_port, "--api-port")
    )
    return _attempt(f"{what}: can be served at {address}", lambda: require_free(host, port, what, option))


def _embedder(config: Config, folder: Path) -> Finding:
    """Return whether the embedding model answers or, while nothing runs, could be started."""
    what, address = f"Embedding model {folder.name}", f"http://{HOST}:{config.embedding_port}/v1"
    try:
        require_files(folder)
    except ConfigurationError as error:
        return Finding("fail", f"{what}: cannot be read", error.message)
    with contextlib.suppress(httpx2.HTTPError):
        if httpx2.get(f"{address}/models", timeout=3, trust_env=False).status_code == 200:
            return Finding("ok", f"{what}: running at {address}")
    if is_serving(config):
        return Finding("fail", f"{what}: not at {address}", "Look into the log for what `embedder` says.")
    take = partial(require_free, HOST, config.embedding_port, "embedding model", "LLM_UI_EMBEDDING_PORT")
    return _attempt(f"{what}: can be served at {address}", take)


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


async def _database(config: Config, sealer: Sealer | None) -> list[Finding]:
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
            sealed = await _unopened(session, sealer, found)
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
    return findings + sealed + [_provider(provider) for provider in found if provider.is_enabled]


async def _unopened(
    session: ReadSession, sealer: Sealer | None, found: Sequence[providers.ProviderInfo]
) -> list[Finding]:
    """Return a finding for each provider whose key this server's encryption key does not open."""
    findings: list[Finding] = []
    if sealer is None:
        return findings
    for provider in found:
        target = await providers.provider_target(session, SYSTEM, provider.id)
        try:
            if target.sealed_key is not None:
                sealer.open(target.sealed_key, str(target.id))
        except LLMUIError as error:
            findings.append(Finding("fail", f"Key of provider {provider.name}", error.message))
    return findings


def _provider(provider: providers.ProviderInfo) -> Finding:
    name = f"Provider {provider.name}"
    if provider.is_key_refused:
        return Finding("fail", name, "It refused its key. Enter a valid one under Admin, Providers.")
    if provider.needs_key and not provider.has_key:
        return Finding("warn", name, "It has no key. Enter one under Admin, Providers.")
    if provider.last_test_error:
        return Finding("warn", name, provider.last_test_error)
    return Finding("ok", f"{name}, models: {provider.model_count}")


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
