"""The command line, as a person types it."""

import asyncio
import os
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.provider import PROTOCOLS, FakeProvider, models
from tests.product import PASSWORD


class Cli:
    """Runs `llm-ui` on one data folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *arguments: str, text: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
        ours = {name: value for name, value in os.environ.items() if not name.startswith("LLM_UI_")}
        environment = {**ours, "LLM_UI_DATA_DIR": str(self.folder), **settings}
        command = [sys.executable, "-m", "llm_ui.cli.main", *arguments]
        return subprocess.run(
            command, env=environment, input=text, capture_output=True, text=True, check=False, timeout=60
        )

    def fine(self, *arguments: str, text: str = "", **settings: str) -> str:
        """Return what a command prints that must succeed."""
        done = self(*arguments, text=text, **settings)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def sentence(self, *arguments: str, text: str = "", **settings: str) -> str:
        """Return the one sentence with which a command must fail."""
        done = self(*arguments, text=text, **settings)
        assert done.returncode != 0
        lines = done.stderr.strip().splitlines()
        assert len(lines) == 1, done.stderr
        assert "Traceback" not in done.stderr
        return lines[0]


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return Cli(tmp_path / "folder")


def create(cli: Cli, name: str) -> str:
    return cli.fine("users", "create", name, "--email", f"{name}@example.org", "--password-stdin", text=PASSWORD)


def test_accounts_are_made_listed_and_disabled(cli: Cli) -> None:
    create(cli, "ann")
    cli.fine("users", "reset-password", "ann", "--password-stdin", text="another walk in the rain")
    cli.fine("users", "disable", "ANN")

    assert "disabled" in cli.fine("users", "list")


def test_providers_are_added_listed_and_tested(cli: Cli) -> None:
    cli.fine("providers", "add", "Far", "--type", "openai", "--url", "http://127.0.0.1:9/v1", "--key-stdin",
             "--model", "big", "--model", "small", text="sk-a-key-nobody-may-read")  # fmt: skip

    listed = cli.fine("providers", "list")

    assert "Far" in listed
    assert "…read" in listed
    assert "sk-a-key" not in listed
    assert "refused" in cli("providers", "test", "Far").stdout
    assert "serves 1 model" in cli.fine("providers", "test", "Demo")
    assert b"sk-a-key-nobody" not in (cli.folder / "llm-ui.db").read_bytes()


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_provider_of_each_protocol_is_tested(cli: Cli, protocol: str) -> None:
    async with FakeProvider(models) as fake:
        url = fake.base_url(protocol)
        process = await run_async(cli, "providers", "add", "Fake", "--type", protocol, "--url", url)
        assert process == 0
        assert await run_async(cli, "providers", "test", "Fake") == 0

    assert fake.requests


async def run_async(cli: Cli, *arguments: str) -> int:
    return (await asyncio.to_thread(cli, *arguments)).returncode


@pytest.mark.parametrize(
    ("arguments", "text", "said"),
    [
        (("users", "create", "bob", "--email", "b@example.org", "--password-stdin"), "", "Standard input is empty"),
        (("users", "create", "bob", "--email", "b@example.org", "--password-stdin"), "short", "at least 15"),
        (("users", "create", "bob", "--email", "nothing", "--password-stdin"), PASSWORD, "e-mail"),
        (("users", "disable", "nobody"), "", "no account"),
        (("providers", "test", "Nothing"), "", "no provider"),
        (("providers", "add", "X", "--type", "openai", "--url", "ftp://x"), "", "http"),
        (("providers", "add", "Demo", "--type", "demo"), "", "already"),
        (("db", "restore", "no-such-file"), "", "no file"),
    ],
)
def test_bad_input_gets_one_sentence(cli: Cli, arguments: tuple[str, ...], text: str, said: str) -> None:
    assert said in cli.sentence(*arguments, text=text)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"LLM_UI_PORT": "many"}, "LLM_UI_PORT"),
        ({"LLM_UI_PORT": "70000"}, "LLM_UI_PORT"),
        ({"LLM_UI_ORIGINS": "*"}, "LLM_UI_ORIGINS"),
        ({"LLM_UI_SECRET_KEY": "short"}, "LLM_UI_SECRET_KEY"),
        ({"LLM_UI_ENCRYPTION_KEYS": "not a key"}, "encryption key"),
        ({"LLM_UI_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none"}, "database cannot be reached"),
    ],
)
def test_malformed_settings_get_one_sentence(cli: Cli, settings: dict[str, str], said: str) -> None:
    told = cli.sentence("serve", **settings)

    assert said in told
    assert "short" not in told.replace("shorten", "") or "SECRET" in told


def test_a_file_in_place_of_the_folder_gets_one_sentence(cli: Cli) -> None:
    cli.folder.write_text("a file")

    assert "--data-dir" in cli.sentence("users", "list")


def test_a_taken_port_gets_one_sentence(cli: Cli) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])

        assert "--port" in cli.sentence("serve", "--port", port)
        assert "--api-port" in cli.sentence("serve", "--api-port", port)
        assert "--port" in cli.sentence("ui", "--port", port).replace("cannot be served", "")
        assert "--port" in cli.sentence("api", "--port", port)


def test_a_backup_can_be_restored_elsewhere(cli: Cli, tmp_path: Path) -> None:
    create(cli, "ann")
    copy = tmp_path / "copy.db"
    cli.fine("db", "backup", str(copy))
    create(cli, "late")
    elsewhere = Cli(tmp_path / "elsewhere")

    elsewhere.fine("db", "restore", str(copy))
    kept = cli.fine("db", "restore", str(copy))

    assert "ann" in elsewhere.fine("users", "list")
    assert "late" not in cli.fine("users", "list")
    assert "before-" in kept
    assert "left as it is" in cli.sentence("db", "backup", str(copy))


def test_a_damaged_copy_is_refused(cli: Cli, tmp_path: Path) -> None:
    create(cli, "ann")
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(b"SQLite format 3\0" + os.urandom(8_000))

    assert "not a sound copy" in cli.sentence("db", "restore", str(damaged))
    assert "ann" in cli.fine("users", "list")


def test_check_finds_what_is_wrong(cli: Cli) -> None:
    create(cli, "ann")
    assert "sound" in cli.fine("db", "check")
    with sqlite3.connect(cli.folder / "llm-ui.db") as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute(
            "INSERT INTO chat_messages (id, chat_id, position, role, status, text, reasoning, created_at, updated_at)"
            " VALUES ('m', 'gone', 0, 'assistant', 'streaming', '', '', '2026-01-01', '2026-01-01')"
        )
    connection.close()

    done = cli("db", "check")

    assert done.returncode == 1
    assert "refers to one of chat_histories" in done.stdout
    assert "written by nobody" in done.stdout


def test_doctor_masks_secrets_and_says_what_to_do(cli: Cli) -> None:
    create(cli, "ann")

    told = cli.fine("doctor", LLM_UI_SECRET_KEY="0123456789abcdef0123456789abcdef-secret")

    assert "LLM_UI_PORT" in told
    assert "-secret" not in told
    assert "no administrator" in told


def test_a_command_loads_no_server() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, llm_ui.cli.main; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()

    assert {"panel", "bokeh", "tornado", "fastapi", "uvicorn", "huey"} & set(loaded) == set()
