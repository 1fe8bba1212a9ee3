"""A full or read-only disk, a damaged file, a database server that restarts: one sentence each, and nothing lost."""

import asyncio
import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from llm_ui.config import Config
from llm_ui.contract import ChatRequest, CompleteEvent, ErrorEvent
from llm_ui.db import Database
from llm_ui.errors import DatabaseDamaged, DatabaseDown, StorageFull
from llm_ui.kit.ids import SessionId, UserId
from llm_ui.llm_client import LLMClient, Numbered, UserClient
from llm_ui.models import Role
from llm_ui.services.secrets import load_secrets
from tests.api.conftest import RunningApi
from tests.conftest import make_actor
from tests.fakes.postgresql import PostgreSQLServer
from tests.product import Product, running

DISK_MB = 24


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", folder], check=False)
    if mounted.returncode:
        pytest.skip("a small file system can only be made where mounting is allowed")
    yield folder
    subprocess.run(["umount", folder], check=True)


def fill(folder: Path) -> Path:
    """Leave no room on the file system of the folder; return the file that takes it all."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 65_536)
    with ballast.open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x")
    return ballast


def asking(text: str) -> ChatRequest:
    return ChatRequest(idempotency_key=uuid4().hex, text=text)


async def everything(client: UserClient, request: ChatRequest) -> list[Numbered]:
    return [numbered async for numbered in client.chat_stream(request)]


async def ask(product: Product, session: tuple[UserId, SessionId], request: ChatRequest) -> str:
    """Ask a product; return how the answer ended. Raises what is refused."""
    llm = LLMClient(product.config.llm_api_url, load_secrets(product.config).signer)
    try:
        (*_, end) = await everything(llm.signed_in(*session), request)
    finally:
        await llm.aclose()
    assert isinstance(end.event, CompleteEvent | ErrorEvent)
    return end.event.status


def test_a_full_disk_is_said_and_loses_nothing(disk: Path) -> None:
    product = Product(disk / "data")
    product.log_path = disk.parent / "product.log"
    product.add_person("ann")
    with running(product):
        session = product.sign_in("ann")
        assert asyncio.run(ask(product, session, asking("What is 1 + 1?"))) == "completed"
        request = asking("What is 2 + 2? " + "x" * 100_000)

        ballast = fill(disk)
        with pytest.raises(StorageFull, match="disk is full"):
            asyncio.run(ask(product, session, request))
        assert len(product.answers()) == 1
        ballast.unlink()

        assert asyncio.run(ask(product, session, request)) == "completed"
        assert [status for status, _ in product.answers()] == ["complete", "complete"]
    assert "Traceback" not in product.log()


def test_a_command_on_a_full_disk_says_so(disk: Path) -> None:
    product = Product(disk / "data")
    product.log_path = disk.parent / "product.log"
    product.add_person("ann")
    ballast = fill(disk)

    with pytest.raises(AssertionError) as refused:
        product.add_person("bob")
    ballast.unlink()

    assert "disk is full" in str(refused.value)
    assert "Traceback" not in str(refused.value)
    product.add_person("bob")


def test_a_read_only_disk_is_said(disk: Path) -> None:
    product = Product(disk / "data")
    product.add_person("ann")

    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    with pytest.raises(AssertionError) as refused:
        product.add_person("bob")
    subprocess.run(["mount", "-o", "remount,rw", disk], check=True)

    assert "Read-only file system" in str(refused.value)
    assert "Traceback" not in str(refused.value)
    product.add_person("bob")


async def test_a_damaged_page_is_told_with_what_to_do(sqlite_config: Config) -> None:
    path = sqlite_config.folder / "llm-ui.db"
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    path.write_bytes(content)
    database = Database.open(sqlite_config)

    with pytest.raises(DatabaseDamaged, match="llm-ui db restore"):
        await make_actor(database, "ann", Role.USER)
    await database.close()


@pytest.fixture
async def restartable(tmp_path: Path) -> AsyncIterator[tuple[PostgreSQLServer, Config]]:
    """A PostgreSQL server of the test's own, and settings for a new database in it."""
    folder = Path(tempfile.mkdtemp(prefix="llm-ui-restart-"))
    server = PostgreSQLServer(folder)
    await asyncio.to_thread(server.start)
    with psycopg.connect(server.url("postgres").replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("CREATE DATABASE llm_ui")
    product = Product(tmp_path / "data")
    yield server, Config(**{**product.config.model_dump(), "database_url": server.url("llm_ui")})
    await asyncio.to_thread(server.stop)
    shutil.rmtree(folder)


@pytest.mark.timeout(120)
async def test_a_restarted_postgresql_is_survived(restartable: tuple[PostgreSQLServer, Config]) -> None:
    server, config = restartable
    api = RunningApi(config.model_copy(update={"drain_s": 0.3}))
    await api.start()
    database = Database.open(config)
    actor = await make_actor(database, "ann", Role.USER)
    assert actor.session_id is not None
    llm = LLMClient(config.llm_api_url, load_secrets(config).signer)
    client = llm.signed_in(actor.user_id, actor.session_id)
    assert isinstance((await everything(client, asking("What is 1 + 1?")))[-1].event, CompleteEvent)

    await asyncio.to_thread(server.stop)
    request = asking("What is 2 + 2?")
    with pytest.raises(DatabaseDown):
        await everything(client, request)
    await asyncio.to_thread(server.start_again)

    events = await everything(client, request)
    assert isinstance(events[-1].event, CompleteEvent)
    await llm.aclose()
    await database.close()
    await api.stop()
