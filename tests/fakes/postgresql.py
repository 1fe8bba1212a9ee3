"""A PostgreSQL server of our own: started on a loopback port, with its data in a temporary folder."""

import os
import pwd
import shutil
import socket
import subprocess
from pathlib import Path


def programs() -> Path:
    """Return the folder of `initdb` and `pg_ctl`: the newest of Debian's, else the one on the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    if not found and on_path is None:
        raise RuntimeError("PostgreSQL is not installed. Run: apt-get install -y postgresql")
    return found[-1].parent if found else Path(str(on_path)).parent


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


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

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(programs() / program), *arguments]
        if self._account:
            command = ["runuser", "-u", self._account, "--", *command]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd="/")
