"""`llm-ui serve`, `ui`, `api` and `worker`: running the product, all of it or one process."""

import asyncio
import errno
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import NoReturn

import click

from llm_ui.bootstrap import make_folder
from llm_ui.cli.command import data_dir, run, settings, with_database
from llm_ui.config import ENV_PREFIX, Config
from llm_ui.embedder.files import HOST, require_files
from llm_ui.errors import ConfigurationError
from llm_ui.kit.lock import held
from llm_ui.services.secrets import load_secrets

SERVE_LOCK = "serve.lock"
USE_LOCK = "in-use.lock"
"""Held shared by every server on a data folder, alone by what may not happen under one."""

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

    def work(config: Config) -> None:
        require_free(config.host, config.port, "pages", "--port")
        _run_alone("llm_ui.app", config)

    run(lambda: work(settings(host=host, port=port, data_dir=data_dir)))


@click.command()
@click.option("--host", help="Address the LLM API listens on.")
@click.option("--port", type=int, help="Port of the LLM API; default 8000.")
@data_dir
def api(host: str | None, port: int | None, data_dir: Path | None) -> None:
    """Run only the LLM API."""

    def work(config: Config) -> None:
        require_free(config.api_host, config.api_port, "LLM API", "--port")
        _run_alone("llm_ui.api", config)

    run(lambda: work(settings(api_host=host, api_port=port, data_dir=data_dir)))


@click.command()
@data_dir
def worker(data_dir: Path | None) -> None:
    """Run only the worker."""
    run(lambda: _run_alone("llm_ui.worker", settings(data_dir=data_dir)))


def _serve(config: Config) -> NoReturn:
    make_folder(config.folder)
    with _only_one(config) as only, in_use(config) as used:
        _require_two_ports(config)
        require_free(config.host, config.port, "pages", "--port")
        require_free(config.api_host, config.api_port, "LLM API", "--api-port")
        _require_model(config)
        load_secrets(config)
        # Once, before three processes want to.
        with_database(config, lambda _: asyncio.sleep(0))
        _become("llm_ui.supervisor", config, only, used)


def _require_model(config: Config) -> None:
    """Raise `ConfigurationError` unless the embedding model can be there, if one is wanted."""
    if config.embedding_folder is not None:
        require_files(config.embedding_folder.expanduser())
        require_free(HOST, config.embedding_port, "embedding model", "LLM_UI_EMBEDDING_PORT")


def _run_alone(module: str, config: Config) -> NoReturn:
    make_folder(config.folder)
    with in_use(config) as used:
        _become(module, config, used)


def _become(module: str, config: Config, *locks: int) -> NoReturn:
    """Go on as the module's process, so that signals reach it and nothing of the command stays in memory."""
    for lock in locks:
        # It goes on with the process.
        os.set_inheritable(lock, True)
    sys.stdout.flush()
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
            if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
                message = f"{host}, for the {what}, is not an address of this computer. Use 127.0.0.1 or 0.0.0.0."
            else:
                reason = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
                message = f"Port {port} on {host}, for the {what}, {reason}. Choose another one with {option}."
            raise ConfigurationError(message) from None


def _require_two_ports(config: Config) -> None:
    if config.port == config.api_port:
        raise ConfigurationError(
            f"Pages and LLM API cannot both have port {config.port}. Choose another one with --port or --api-port."
        )


def in_use(config: Config) -> AbstractContextManager[int]:
    """Be one of the servers on the data folder; yields the lock's descriptor."""
    sentence = f"A backup is being restored into {config.folder}. Start LLM UI again when that is done."
    return _lock(config.folder / USE_LOCK, sentence, is_shared=True)


def not_in_use(config: Config) -> AbstractContextManager[int]:
    """Keep every server off the data folder. Raises `ConfigurationError` when one runs."""
    sentence = f"LLM UI runs on {config.folder}. Stop it (Ctrl+C, or SIGTERM to llm-ui serve), then restore."
    return _lock(config.folder / USE_LOCK, sentence)


def is_serving(config: Config) -> bool:
    """Return whether `serve` runs on the data folder."""
    try:
        with _only_one(config):
            return False
    except ConfigurationError:
        return True


def _only_one(config: Config) -> AbstractContextManager[int]:
    """Be the only `serve` on the data folder."""
    sentence = f"LLM UI runs already on {config.folder}. Stop it first, or choose another folder with --data-dir."
    return _lock(config.folder / SERVE_LOCK, sentence)


@contextmanager
def _lock(path: Path, sentence: str, *, is_shared: bool = False) -> Iterator[int]:
    """Hold a lock. Raises `ConfigurationError` with the sentence when it cannot be had."""
    with ExitStack() as stack:
        try:
            descriptor = stack.enter_context(held(path, is_shared=is_shared))
        except BlockingIOError:
            raise ConfigurationError(sentence) from None
        yield descriptor
