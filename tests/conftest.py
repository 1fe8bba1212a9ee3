"""What all tests share: databases of both kinds, settings, keys and people."""

import asyncio
import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from blockbuster import BlockBuster

from llm_ui import migrations
from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.kit.clock import now
from llm_ui.kit.ids import SessionId, UserId, uuid7
from llm_ui.models import Role, User, UserSession
from llm_ui.services.access import Actor
from llm_ui.services.secrets import Secrets, load_secrets
from tests.fakes.postgresql import EmptyDatabase, PostgreSQLServer, free_port

STARTING_UP = {
    "llm_ui/app/serving.py": ("serve",),
    "llm_ui/db.py": ("open",),
    "llm_ui/migrations/__init__.py": ("alembic_config", "head", "refuse_newer", "work"),
    "llm_ui/kit/http.py": ("new_client",),
    "llm_ui/services/secrets.py": ("load_secrets",),
}
"""Functions that may block an event loop, because they run before anything is served on it."""

DRAWING = {
    "panel/io/handlers.py": ("run_app",),
    "panel/io/server.py": ("server_html_page_for_session",),
}
"""Panel looks for its own style sheets whenever it builds a page: tens of microseconds, and not ours to change."""


LONGEST = ("tests/faults/test_kill.py", "tests/browser/test_xss.py")
"""What takes longest, that first."""
BROWSER = "tests/browser/"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that no worker is left alone with it at the end.

    Then files with a browser and those without take turns: with a browser in each worker a small machine has too
    much to do at once.
    """
    files: dict[str, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.nodeid.partition("::")[0], []).append(item)
    with_browser = [name for name in files if name.startswith(BROWSER) and name not in LONGEST]
    without = [name for name in files if not name.startswith(BROWSER) and name not in LONGEST]
    turns = itertools.chain(*itertools.zip_longest(with_browser, without))
    order = [*(name for name in LONGEST if name in files), *filter(None, turns)]
    items[:] = [item for name in order for item in files[name]]


@pytest.fixture(autouse=True)
def _blocking_calls_fail() -> Iterator[None]:
    """Fail a test in which the product blocks an event loop."""
    blockbuster = BlockBuster(scanned_modules=["llm_ui"])
    for file, functions in {**STARTING_UP, **DRAWING}.items():
        for function in blockbuster.functions.values():
            function.can_block_in(file, functions)
    blockbuster.activate()
    yield
    blockbuster.deactivate()


@pytest.fixture(autouse=True)
def _no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the settings of whoever runs the tests out, and their data folder untouched."""
    monkeypatch.setenv("LLM_UI_DATA_DIR", str(tmp_path / "data"))


async def _migrate(config: Config) -> None:
    database = Database.open(config)
    await migrations.upgrade(database)
    await database.close()


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file to copy."""
    config = Config(data_dir=tmp_path_factory.mktemp("sqlite"))
    asyncio.run(_migrate(config))
    path = config.sqlite_path
    assert path is not None
    return path


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQLServer]:
    """A running PostgreSQL server with a migrated, empty database named `template_llm_ui`."""
    # Not below pytest's own folder, which it closes to the account the server runs as.
    folder = Path(tempfile.mkdtemp(prefix="llm-ui-postgresql-"))
    server = PostgreSQLServer(folder)
    server.start()
    try:
        with psycopg.connect(server.plain_url("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE template_llm_ui")
        asyncio.run(_migrate(Config(database_url=server.url("template_llm_ui"))))
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def empty_postgresql(postgresql: PostgreSQLServer) -> Iterator[EmptyDatabase]:
    """A migrated database, emptied for each test that takes it."""
    database = EmptyDatabase(postgresql, "template_llm_ui")
    yield database
    database.close()


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Settings with a data folder of the test's own and free ports."""
    folder = tmp_path / "data"
    folder.mkdir()
    return Config(data_dir=folder, port=free_port(), api_port=free_port(), probe_providers=False)


@pytest.fixture
def sqlite_config(config: Config, migrated_sqlite: Path) -> Config:
    """Settings whose SQLite database is migrated and empty."""
    shutil.copy(migrated_sqlite, config.folder / "llm-ui.db")
    return config


@pytest.fixture(params=["sqlite", "postgresql"])
def database_config(request: pytest.FixtureRequest, config: Config, migrated_sqlite: Path) -> Config:
    """Settings whose database is migrated and empty: once SQLite, once PostgreSQL."""
    if request.param == "sqlite":
        shutil.copy(migrated_sqlite, config.folder / "llm-ui.db")
        return config
    server: EmptyDatabase = request.getfixturevalue("empty_postgresql")
    return Config(**{**config.model_dump(), "database_url": server.take()})


@pytest.fixture
async def database(database_config: Config) -> AsyncIterator[Database]:
    """A migrated, empty database: once SQLite, once PostgreSQL."""
    database = Database.open(database_config)
    yield database
    await database.close()


@pytest.fixture
async def sqlite_database(sqlite_config: Config) -> AsyncIterator[Database]:
    """A migrated, empty SQLite database, for what does not depend on the kind."""
    database = Database.open(sqlite_config)
    yield database
    await database.close()


@pytest.fixture
def secrets(config: Config) -> Secrets:
    """The keys of the test's data folder."""
    return load_secrets(config)


async def make_actor(database: Database, name: str, role: Role) -> Actor:
    """Store an account and a live session of it; return whoever acts with it."""
    user = User(
        id=UserId(uuid7()),
        name=name,
        name_key=name,
        email=f"{name}@example.org",
        email_key=f"{name}@example.org",
        password_hash="",
        role=role,
    )
    session_id = SessionId(uuid7())
    instant = now()
    live = UserSession(
        id=session_id,
        user_id=user.id,
        token_hash=session_id.hex * 2,
        created_at=instant,
        last_seen_at=instant,
        expires_at=instant + timedelta(days=1),
    )
    async with database.writing() as session:
        session.add(user)
        await session.flush()
        session.add(live)
    return Actor(user_id=user.id, name=name, role=role, session_id=session_id)


@pytest.fixture
async def an_admin(database: Database) -> Actor:
    """An administrator, signed in."""
    return await make_actor(database, "ada", Role.ADMIN)


@pytest.fixture
async def a_user(database: Database) -> Actor:
    """An ordinary person, signed in."""
    return await make_actor(database, "bob", Role.USER)


@pytest.fixture
async def another_user(database: Database) -> Actor:
    """Another ordinary person, signed in."""
    return await make_actor(database, "eve", Role.USER)
