"""Backups: written while everything runs, and put back."""

import io
import os
import shutil
import sqlite3
import tarfile
import threading
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from llm_ui.backup import folder
from llm_ui.config import Config
from llm_ui.kit.file_store import FileStore
from tests.cli.conftest import Cli
from tests.fakes.postgresql import PostgreSQLServer
from tests.kit.test_file_store import stored


@pytest.fixture
def on_postgresql(tmp_path: Path, postgresql: PostgreSQLServer) -> Callable[[str], Cli]:
    """Make a command line on a PostgreSQL database of its own, empty."""

    def make(name: str) -> Cli:
        with psycopg.connect(postgresql.url("postgres").replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name}")
            connection.execute(f"CREATE DATABASE {name}")
        return Cli(tmp_path / name, LLM_UI_DATABASE_URL=postgresql.url(name))

    return make


def set_revision(file: Path, revision: str) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", [revision])
    connection.close()


def live_sessions(database: Path) -> int:
    with sqlite3.connect(database) as connection:
        (count,) = connection.execute("SELECT count(*) FROM user_sessions WHERE revoked_at IS NULL").fetchone()
    connection.close()
    return int(count)


def sign_somebody_in(database: Path) -> None:
    with sqlite3.connect(database) as connection:
        connection.execute(
            "INSERT INTO user_sessions (id, user_id, token_hash, created_at, last_seen_at, expires_at, user_agent,"
            " address) SELECT 'abcdefabcdefabcdefabcdefabcdefab', id, 'x', '2026-01-01', '2026-01-01', '2099-01-01',"
            " '', '' FROM users"
        )
    connection.close()


def test_a_copy_can_be_restored_here_and_elsewhere(filled: Cli, tmp_path: Path) -> None:
    sign_somebody_in(filled.folder / "llm-ui.db")
    copy = tmp_path / "copy ? of #1.db"
    assert "keys" in filled.fine("db", "backup", str(copy))
    filled.create("late")
    elsewhere = Cli(tmp_path / "elsewhere")

    elsewhere.fine("db", "restore", str(copy))
    told = filled.fine("db", "restore", str(copy))

    assert "ann" in elsewhere.fine("users", "list")
    assert "late" not in filled.fine("users", "list")
    assert live_sessions(filled.folder / "llm-ui.db") == 0
    (kept,) = filled.folder.glob("llm-ui.db.before-*")
    assert kept.name in told
    assert live_sessions(kept) == 1


def test_who_was_deleted_does_not_come_back_with_an_older_copy(filled: Cli, tmp_path: Path) -> None:
    filled.create("late")
    filled.fine("db", "backup", str(tmp_path / "copy.db"))
    filled.fine("users", "delete", "late", "--yes")

    told = filled.fine("db", "restore", str(tmp_path / "copy.db"))
    assert "1 accounts that were deleted since then" in told
    assert "late" not in filled.fine("users", "list")
    (filled.folder / "llm-ui.db").unlink()
    told = filled.fine("db", "restore", str(tmp_path / "copy.db"))
    assert "1 accounts" in told, "the list does not go with the database"
    assert "late" not in filled.fine("users", "list")
    shutil.copy(tmp_path / "copy.db", filled.folder / "llm-ui.db")

    done = filled("db", "check")
    assert done.returncode == 1
    assert "1 deleted accounts are back" in done.stdout


def test_a_copy_is_one_file_for_its_owner_and_never_replaces_another(filled: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "copies"
    folder.mkdir()

    filled.fine("db", "backup", str(folder / "copy.db"))

    assert os.listdir(folder) == ["copy.db"]
    assert (folder / "copy.db").stat().st_mode & 0o077 == 0
    before = (folder / "copy.db").read_bytes()
    assert "left as it is" in filled.sentence("db", "backup", str(folder / "copy.db"))
    assert (folder / "copy.db").read_bytes() == before
    assert "no folder" in filled.sentence("db", "backup", str(folder / "none" / "copy.db"))


def test_a_copy_made_under_load_is_sound(filled: Cli, tmp_path: Path) -> None:
    database = filled.folder / "llm-ui.db"
    stop = threading.Event()
    written = 0

    def write_on() -> None:
        nonlocal written
        connection = sqlite3.connect(database, timeout=10)
        while not stop.is_set():
            written += 1
            connection.execute("INSERT INTO settings (name, value, updated_at) VALUES (?, '1', '2026')", [str(written)])
            connection.commit()
        connection.close()

    writer = threading.Thread(target=write_on)
    writer.start()
    try:
        filled.fine("db", "backup", str(tmp_path / "copy.db"))
    finally:
        stop.set()
        writer.join()

    assert written > 100
    Cli(tmp_path / "elsewhere").fine("db", "restore", str(tmp_path / "copy.db"))
    assert "sound" in Cli(tmp_path / "elsewhere").fine("db", "check")


def test_what_is_no_sound_copy_is_refused_and_nothing_changes(filled: Cli, tmp_path: Path) -> None:
    damaged, foreign, newer = (tmp_path / name for name in ("damaged.db", "foreign.db", "newer.db"))
    damaged.write_bytes(b"SQLite format 3\0" + os.urandom(8_000))
    sqlite3.connect(foreign).close()
    foreign.write_bytes(b"")
    filled.fine("db", "backup", str(newer))
    set_revision(newer, "9999")
    before = (filled.folder / "llm-ui.db").read_bytes()

    assert "not a sound copy" in filled.sentence("db", "restore", str(damaged))
    assert "not a database of LLM UI" in filled.sentence("db", "restore", str(foreign))
    assert "newer version" in filled.sentence("db", "restore", str(newer))
    assert "no file" in filled.sentence("db", "restore", str(tmp_path / "none.db"))

    assert (filled.folder / "llm-ui.db").read_bytes() == before
    assert not list(filled.folder.glob("*restoring*"))
    assert not list(filled.folder.glob("*before*"))


def test_a_copy_of_live_files_is_taken_with_its_log(filled: Cli, tmp_path: Path) -> None:
    database = filled.folder / "llm-ui.db"
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("UPDATE users SET email = 'new@example.org'")
    connection.commit()
    for suffix in ("", "-wal"):
        shutil.copy(f"{database}{suffix}", f"{tmp_path / 'live.db'}{suffix}")
    connection.close()
    elsewhere = Cli(tmp_path / "elsewhere")

    elsewhere.fine("db", "restore", str(tmp_path / "live.db"))

    assert "new@example.org" in elsewhere.fine("users", "list")


def test_a_database_that_was_not_closed_is_kept_whole(filled: Cli, tmp_path: Path) -> None:
    filled.fine("db", "backup", str(tmp_path / "copy.db"))
    database = filled.folder / "llm-ui.db"
    connection = sqlite3.connect(database)
    connection.execute("UPDATE users SET email = 'last@example.org'")
    connection.commit()
    crashed = tmp_path / "crashed"
    shutil.copytree(filled.folder, crashed)
    connection.close()
    assert (crashed / "llm-ui.db-wal").stat().st_size > 0

    Cli(crashed).fine("db", "restore", str(tmp_path / "copy.db"))

    (kept,) = crashed.glob("llm-ui.db.before-*")
    with sqlite3.connect(kept) as connection:
        assert connection.execute("SELECT email FROM users").fetchall() == [("last@example.org",)]
    connection.close()
    assert "ann@example.org" in Cli(crashed).fine("users", "list")


def test_a_copy_of_postgresql_can_be_restored_here_and_elsewhere(
    on_postgresql: Callable[[str], Cli], tmp_path: Path
) -> None:
    here, elsewhere = on_postgresql("copies_here"), on_postgresql("copies_elsewhere")
    copy = str(tmp_path / "copy.dump")
    here.create("ann")
    here.fine("db", "backup", copy)
    here.create("late")

    elsewhere.fine("db", "restore", copy)
    told = here.fine("db", "restore", copy)

    assert "ann" in elsewhere.fine("users", "list")
    assert "late" not in here.fine("users", "list")
    (kept,) = here.folder.glob("llm-ui.before-*.dump")
    assert str(kept) in told
    here.fine("db", "restore", str(kept))
    assert "late" in here.fine("users", "list")
    assert "sound" in here.fine("db", "check")


def test_postgresql_in_use_or_a_foreign_file_is_left_alone(
    on_postgresql: Callable[[str], Cli], postgresql: PostgreSQLServer, tmp_path: Path
) -> None:
    cli = on_postgresql("copies_used")
    cli.create("ann")
    cli.fine("db", "backup", str(tmp_path / "copy.dump"))
    (tmp_path / "foreign.dump").write_text("nothing")

    with psycopg.connect(postgresql.url("copies_used").replace("+psycopg", "")):
        assert "Stop every LLM UI process" in cli.sentence("db", "restore", str(tmp_path / "copy.dump"))
    assert "pg_restore failed" in cli.sentence("db", "restore", str(tmp_path / "foreign.dump"))

    assert "ann" in cli.fine("users", "list")


def store_file(folder: Path, data: bytes) -> Path:
    store = FileStore(folder / "files")
    new = store.begin()
    new.write(data)
    return store.path(new.keep())


def test_attached_files_go_with_the_copy_and_come_back(filled: Cli, tmp_path: Path) -> None:
    path = store_file(filled.folder, b"what somebody attached")
    copy = tmp_path / "copy.db"
    archive = tmp_path / "copy.db.files.tar"

    assert archive.name in filled.fine("db", "backup", str(copy))
    assert archive.stat().st_mode & 0o077 == 0
    path.unlink()
    elsewhere = Cli(tmp_path / "elsewhere")
    elsewhere.fine("db", "restore", str(copy))
    filled.fine("db", "restore", str(copy))

    assert path.read_bytes() == b"what somebody attached"
    assert FileStore(elsewhere.folder / "files").read(path.name) == b"what somebody attached"


def test_an_archive_of_files_that_is_not_sound_changes_nothing(filled: Cli, tmp_path: Path) -> None:
    path = store_file(filled.folder, b"whole")
    copy = tmp_path / "copy.db"
    filled.fine("db", "backup", str(copy))
    archive = tmp_path / "copy.db.files.tar"
    sound = archive.read_bytes()
    before = (filled.folder / "llm-ui.db").read_bytes()

    for name, data, said in (("../../evil", b"evil", "no attached file"), ("a" * 64, b"not what it says", "damaged")):
        with tarfile.open(archive, "w") as tar:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
        assert said in filled.sentence("db", "restore", str(copy))
    archive.write_bytes(sound[:700])
    assert "not a sound copy of the attached files" in filled.sentence("db", "restore", str(copy))

    assert not (tmp_path / "evil").exists()
    assert list(FileStore(filled.folder / "files").names()) == [path.name]
    assert (filled.folder / "llm-ui.db").read_bytes() == before


def test_a_file_that_is_not_there_is_found_by_the_check(filled: Cli) -> None:
    with sqlite3.connect(filled.folder / "llm-ui.db") as connection:
        connection.execute(
            "INSERT INTO attachments (id, user_id, position, name, media_type, size_bytes, sha256, tokens, created_at)"
            " SELECT 'abcdefabcdefabcdefabcdefabcdefab', id, 0, 'cat.png', 'image/png', 1, ?, 0, '2026-01-01'"
            " FROM users",
            ["a" * 64],
        )
    connection.close()

    assert "1 attached files are not in" in filled("db", "check").stdout


def test_the_newest_backup_is_tried_and_restored_with_its_files(filled: Cli, tmp_path: Path) -> None:
    config = Config(data_dir=filled.folder)
    name = stored(FileStore(config.files_path), b"kept")
    made = folder.make(config, 7)
    file = config.backup_path / made.name
    elsewhere = Cli(tmp_path / "elsewhere")

    assert "1 people, 0 chats" in filled.fine("db", "check")
    elsewhere.fine("db", "restore", str(file))

    assert FileStore(elsewhere.folder / "files").read(name) == b"kept"
    (config.backup_path / "files" / name[:2] / name).unlink()
    assert "1 problems" in filled.sentence("db", "check")
