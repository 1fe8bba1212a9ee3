"""`llm-ui serve`, `ui`, `api` and `worker`: running the product, all of it or one process."""

import asyncio
import errno
import fcntl
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from llm_ui.bootstrap import make_folder
from llm_ui.cli.command import data_dir, run, settings, with_database
from llm_ui.config import ENV_PREFIX, Config
from llm_ui.errors import ConfigurationError
from llm_ui.kit.process import run_until_told
from llm_ui.services.secrets import load_secrets
from llm_ui.supervisor import Supervisor

port_option = click.option("--port", type=int, help="Port of the pages; default 5006.")
api_port_option = click.option("--api-port", type=int, help="Port of the LLM API; default 8000.")
host_option = click.option("--host", help="Address the pages are served on; 0.0.0.0 for every interface.")


@click.command()
@host_option
@port_option
@api_port_option
@data_dir
def serve(host: str | None, port: int | None, api_port: int | None, data_dir: Path | None) -> None:
    """Run everything: pages, LLM API and worker."""
    run(lambda: _serve(settings(host=host, port=port, api_port=api_port, data_dir=data_dir)))


@click.command()
@host_option
@port_option
@data_dir
def ui(host: str | None, port: int | None, data_dir: Path | None) -> None:
    """Run only the pages."""
    run(lambda: _become("llm_ui.app", settings(host=host, port=port, data_dir=data_dir)))


@click.command()
@click.option("--host", help="Address the LLM API listens on.")
@click.option("--port", type=int, help="Port of the LLM API; default 8000.")
@data_dir
def api(host: str | None, port: int | None, data_dir: Path | None) -> None:
    """Run only the LLM API."""
    run(lambda: _become("llm_ui.api", settings(api_host=host, api_port=port, data_dir=data_dir)))


@click.command()
@data_dir
def worker(data_dir: Path | None) -> None:
    """Run only the worker."""
    run(lambda: _become("llm_ui.worker", settings(data_dir=data_dir)))


def _serve(config: Config) -> None:
    make_folder(config.folder)
    with _only_one(config):
        require_free(config.host, config.port, "pages", "--port")
        require_free(config.api_host, config.api_port, "LLM API", "--api-port")
        load_secrets(config)
        # Once, before three processes want to.
        with_database(config, lambda _: asyncio.sleep(0))
        supervisor = Supervisor(config, environment_of(config))
        asyncio.run(run_until_told(supervisor.run))


def _become(module: str, config: Config) -> None:
    """Go on as the module's process, so that signals reach it and nothing else stays in memory."""
    os.execve(sys.executable, [sys.executable, "-m", module], environment_of(config))  # noqa: S606 - our own module


def environment_of(config: Config) -> dict[str, str]:
    """Return the environment that gives a process these settings."""
    given = {
        "data_dir": str(config.folder),
        "host": config.host,
        "port": str(config.port),
        "api_host": config.api_host,
        "api_port": str(config.api_port),
    }
    return {**os.environ, **{ENV_PREFIX + name.upper(): value for name, value in given.items()}}


def require_free(host: str, port: int, what: str, option: str) -> None:
    """Raise `ConfigurationError` unless the port can be listened on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
            raise ConfigurationError(
                f"Port {port} on {host}, for the {what}, {reason}. Choose another one with {option}."
            ) from None


@contextmanager
def _only_one(config: Config) -> Iterator[None]:
    """Hold the data folder for this process; the lock goes with it, however it ends."""
    descriptor = os.open(config.folder / "serve.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigurationError(
                f"LLM UI runs already on {config.folder}. Stop it first, or choose another folder with --data-dir."
            ) from None
        yield
    finally:
        os.close(descriptor)


def is_running(config: Config) -> bool:
    """Return whether `serve` holds the data folder."""
    try:
        with _only_one(config):
            return False
    except ConfigurationError:
        return True
