"""A PostgreSQL server of our own: started on a loopback port, with its data in a temporary folder."""

import contextlib
import os
import pwd
import secrets
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

import psycopg

LAYOUT = """
    WITH ours AS (SELECT oid, xmin::text::bigint AS made FROM pg_class WHERE relnamespace = 'public'::regnamespace)
    SELECT count(*), sum(made), (SELECT string_agg(version_num, ' ') FROM alembic_version),
        (SELECT sum(xmin::text::bigint) FROM pg_attribute WHERE attrelid IN (SELECT oid FROM ours)),
        (SELECT sum(xmin::text::bigint) FROM pg_constraint WHERE conrelid IN (SELECT oid FROM ours)),
        (SELECT sum(xmin::text::bigint) FROM pg_trigger WHERE tgrelid IN (SELECT oid FROM ours)),
        (SELECT sum(xmin::text::bigint) FROM pg_proc WHERE pronamespace = 'public'::regnamespace)
    FROM ours
"""
"""What is another after any change of the tables: the system columns of the catalogue (PostgreSQL 15, 5.5 and 53)."""
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
SEQUENCES = "SELECT setval(schemaname || '.' || sequencename, start_value, false) FROM pg_sequences"
OTHERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


def programs() -> Path:
    """Return the folder of `initdb` and `pg_ctl`: the newest of Debian's, else the one on the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    if not found and on_path is None:
        raise RuntimeError("PostgreSQL is not installed. Run: apt-get install -y postgresql")
    return found[-1].parent if found else Path(str(on_path)).parent


def free_port() -> int:
    """Return a port that was free a moment ago, and that no connection of somebody's takes as its own end.

    Below those that Linux gives to connections (ip_local_port_range, from 32768 on): among the thousands that tests
    open one would take it before its server starts.
    """
    while True:
        port = 15_000 + secrets.randbelow(17_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class PostgreSQLServer:
    """A throw-away server; `url()` addresses a database in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = free_port()
        # PostgreSQL refuses to run as root; Debian's package brings an account for it.
        self._account = "postgres" if os.geteuid() == 0 else None

    def start(self) -> None:
        """Make the data folder and start the server; returns once it accepts connections."""
        self._folder.mkdir(parents=True, exist_ok=True)
        if self._account:
            entry = pwd.getpwnam(self._account)
            os.chown(self._folder, entry.pw_uid, entry.pw_gid)
        self._run("initdb", "-D", str(self._folder / "data"), "-A", "trust", "-U", "llm_ui", "-E", "UTF8", "--no-sync")
        self.start_again()

    def start_again(self) -> None:
        """Start the server on the data it has; returns once it accepts connections."""
        options = (
            f"-c listen_addresses=127.0.0.1 -c port={self.port} -c unix_socket_directories={self._folder} -c fsync=off"
        )
        log = str(self._folder / "log")
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-w", "-l", log, "-o", options, "start")

    def stop(self) -> None:
        """Stop the server at once."""
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-m", "immediate", "-w", "stop")

    def url(self, database: str) -> str:
        """Return the address of a database."""
        return f"postgresql+psycopg://llm_ui@127.0.0.1:{self.port}/{database}"

    def plain_url(self, database: str) -> str:
        """Return the address of a database for the driver alone."""
        return self.url(database).replace("+psycopg", "")

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(programs() / program), *arguments]
        if self._account:
            command = ["runuser", "-u", self._account, "--", *command]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd="/")


class EmptyDatabase:
    """A migrated database that is emptied for each test: that takes a tenth of what a new one takes.

    A test that has changed the tables themselves leaves it behind, and there is a new one.
    """

    def __init__(self, server: PostgreSQLServer, template: str) -> None:
        self._server = server
        self._template = template
        self._number = 0
        self._inside: psycopg.Connection[Any] | None = None
        self._layout: object = None
        self._empty = ""

    def take(self) -> str:
        """Return the address of an empty database, which whoever had it before has no more."""
        if self._inside is not None:
            self._inside.execute(OTHERS)
            if self._inside.execute(LAYOUT).fetchone() == self._layout:
                self._inside.execute(self._empty)
                return self._server.url(self._name)
            self._inside.close()
        self._make()
        return self._server.url(self._name)

    def close(self) -> None:
        """Let go of it."""
        if self._inside is not None:
            self._inside.close()

    @property
    def _name(self) -> str:
        return f"test_{self._number}"

    def _make(self) -> None:
        self._number += 1
        with psycopg.connect(self._server.plain_url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {self._name} TEMPLATE {self._template}")
        self._inside = psycopg.connect(self._server.plain_url(self._name), autocommit=True)
        tables = [name for (name,) in self._inside.execute(TABLES)]
        filled = [name for name in tables if self._inside.execute(f'SELECT 1 FROM "{name}" LIMIT 1').fetchone()]
        self._inside.execute("CREATE SCHEMA kept")
        for name in filled:
            self._inside.execute(f'CREATE TABLE kept."{name}" AS SELECT * FROM public."{name}"')
        # As a replica does: no trigger runs, and the order is of no matter.
        deletions = [f'DELETE FROM public."{name}"' for name in tables]
        begun = [f'INSERT INTO public."{name}" SELECT * FROM kept."{name}"' for name in filled]
        self._empty = "; ".join(["SET session_replication_role = replica", *deletions, *begun, SEQUENCES])
        self._layout = self._inside.execute(LAYOUT).fetchone()
