"""The real product in processes of its own, as a person starts it, for browser, fault and benchmark tests."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from uuid import UUID, uuid4

import psutil

from llm_ui.backup import erased
from llm_ui.config import Config
from llm_ui.kit.ids import SessionId, UserId
from tests.fakes.postgresql import free_port

START_LIMIT_S = 60.0
PASSWORD = "a long walk by the river"
PROVIDER_KEY = "sk-of-the-provider"
DATABASE = "llm-ui.db"
BUSY = """
    SELECT (SELECT count(*) FROM runs WHERE status IN ('queued', 'running'))
        + (SELECT count(*) FROM background_jobs WHERE state IN ('queued', 'running'))
        + (SELECT count(*) FROM documents WHERE stage IN ('received', 'parsed'))
"""


def wait_until(holds: Callable[[], bool], what: str, limit_s: float = 20.0) -> None:
    """Return once the condition holds; fail with what was waited for when it does not within the limit."""
    deadline = time.monotonic() + limit_s
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {limit_s:.0f} s in vain for {what}")
        time.sleep(0.05)


def answers(port: int, path: str) -> bool:
    """Return whether what listens on a port of this host answers with 200.

    With the plainest client there is: it is asked often while the product starts, which needs the processor itself.
    """
    connection = HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


class Product:
    """`llm-ui serve` with a data folder and ports of its own."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.config = Config(data_dir=folder, port=free_port(), api_port=free_port())
        self.url = f"http://127.0.0.1:{self.config.port}"
        self.log_path = folder.parent / f"{folder.name}.log"
        # Scripted providers count what they are asked, and most are gone after their test.
        settings = {"probe_providers": "0", **settings}
        self._settings = {f"LLM_UI_{name.upper()}": value for name, value in settings.items()}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """The environment of every command on this product."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith("LLM_UI_")}
        return {**ours, **self._settings, "LLM_UI_DATA_DIR": str(self.folder)}

    def command(self, *arguments: str, text: str = "") -> str:
        """Run `llm-ui` with the arguments and the text on standard input; return what it prints."""
        done = subprocess.run(
            [sys.executable, "-m", "llm_ui.cli.main", *arguments],
            env=self.environment,
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, f"{arguments}: {done.stderr}"
        return done.stdout

    def add_person(self, name: str, role: str = "user") -> None:
        """Create an account with the password `PASSWORD`."""
        self.command(
            "users", "create", name, "--email", f"{name}@example.org", "--role", role, "--password-stdin", text=PASSWORD
        )

    def add_provider(self, name: str, url: str, model: str) -> None:
        """Connect a model of a provider that speaks OpenAI's protocol, with some key."""
        added = ("--type", "openai", "--url", url, "--key-stdin", "--model", model)
        self.command("providers", "add", name, *added, text=PROVIDER_KEY)

    def sign_in(self, name: str) -> tuple[UserId, SessionId]:
        """Put a live session of an account in the database, as if its person had signed in; return both ids."""
        session_id = SessionId(uuid4())
        with self.connection() as connection:
            (user_id,) = connection.execute("SELECT id FROM users WHERE name = ?", [name]).fetchone()
            connection.execute(
                "INSERT INTO user_sessions (id, user_id, token_hash, created_at, last_seen_at, expires_at, user_agent,"
                " address) VALUES (?, ?, ?, datetime('now'), datetime('now'), '2099-01-01 00:00:00.000000', '', '')",
                [session_id.hex, user_id, session_id.hex],
            )
        return UserId(UUID(user_id)), session_id

    def model(self, name: str) -> UUID:
        """Return the id of a model."""
        with self.connection() as connection:
            (model_id,) = connection.execute("SELECT id FROM ai_models WHERE name = ?", [name]).fetchone()
        return UUID(model_id)

    def answers(self) -> list[tuple[str, str]]:
        """Return state and text of every answer that is stored."""
        with self.connection() as connection:
            return connection.execute("SELECT status, text FROM chat_messages WHERE role = 'assistant'").fetchall()

    @contextlib.contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        with contextlib.closing(sqlite3.connect(self.folder / DATABASE)) as connection, connection:
            yield connection

    def restore(self, database: Path) -> None:
        """Have the database hold what a file holds, under the running processes, once nothing is in work any more."""
        wait_until(lambda: not self._is_busy(), "answers, jobs and documents to end", 60)
        with contextlib.closing(sqlite3.connect(database)) as source, self.connection() as target:
            source.backup(target)
        # Whom an earlier test erased would be erased here, too.
        for folder in (self.config.folder, self.config.backup_path):
            (folder / erased.NAME).unlink(missing_ok=True)

    def _is_busy(self) -> bool:
        with self.connection() as connection:
            (count,) = connection.execute(BUSY).fetchone()
        return bool(count)

    def start(self) -> None:
        """Start and return once the pages and the LLM API answer."""
        ports = ["--port", str(self.config.port), "--api-port", str(self.config.api_port)]
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "llm_ui.cli.main", "serve", *ports],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            self.wait_ready()
        except BaseException:
            self.stop()
            raise

    def wait_ready(self) -> None:
        """Return once the pages and the LLM API answer."""
        try:
            wait_until(self.is_ready, "the product to be ready", START_LIMIT_S)
        except AssertionError as error:
            error.add_note(self.log()[-3000:])
            raise

    def is_ready(self) -> bool:
        """Return whether the pages and the LLM API answer."""
        return answers(self.config.port, "/healthz") and answers(self.config.api_port, "/readyz")

    def child(self, module: str) -> psutil.Process:
        """Return the process that runs a module, such as `llm_ui.api`; waits until it is there."""
        found: list[psutil.Process] = []

        def runs_it(process: psutil.Process) -> bool:
            with contextlib.suppress(psutil.Error):
                return module in process.cmdline()
            return False

        def is_there() -> bool:
            with contextlib.suppress(psutil.Error):
                found[:] = filter(runs_it, self.processes())
            return bool(found)

        wait_until(is_there, f"a process running {module}")
        return found[0]

    def processes(self) -> list[psutil.Process]:
        """Return `serve` and all below it."""
        assert self._process is not None
        parent = psutil.Process(self._process.pid)
        return [parent, *parent.children(recursive=True)]

    def kill_serve(self) -> None:
        """Kill `serve` itself with SIGKILL; return once its children, which must notice, are gone too."""
        assert self._process is not None
        everyone = self.processes()
        self._process.kill()
        self._process.wait()
        _, alive = psutil.wait_procs(everyone, timeout=10)
        assert not alive, f"outlived serve: {alive}"

    def stop(self, limit_s: float = 30.0) -> int:
        """Ask `serve` to end; return its exit code."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(limit_s)
        except subprocess.TimeoutExpired:
            for process in self.processes():
                with contextlib.suppress(psutil.Error):
                    process.kill()
            raise

    def log(self) -> str:
        """Return what the product has logged so far."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""


@contextlib.contextmanager
def running(product: Product) -> Iterator[Product]:
    """Run the product for the length of a block."""
    product.start()
    try:
        yield product
    finally:
        product.stop()


class FakeProvider:
    """The scripted fake provider in a process of its own, so that killing the product leaves it alone."""

    def __init__(self, script: str, port: int = 0) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.fakes.provider", "--port", str(port), "--script", script],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline().split()[-1])}/v1"

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
