"""The command line, as a person types it."""

import asyncio
import json
import socket
import sqlite3
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from llm_ui.config import Config
from llm_ui.db import Database
from tests.cli.conftest import Cli
from tests.fakes.exports import as_json, chatgpt_chat, open_webui_chat
from tests.fakes.provider import PROTOCOLS, FakeProvider, models
from tests.product import PASSWORD
from tests.services.test_service_accounts import an_account
from tests.services.test_teams import a_team


def test_accounts_are_made_listed_and_disabled(cli: Cli) -> None:
    cli.create("ann")
    cli.fine("users", "reset-password", "ann", "--password-stdin", text="another walk in the rain")
    cli.fine("users", "disable", "ANN")

    assert "disabled" in cli.fine("users", "list")
    cli.fine("users", "enable", "ann")
    assert "disabled" not in cli.fine("users", "list")
    assert "no second factor" in cli("users", "reset-second-factor", "ann").stderr


def test_somebody_is_invited_by_a_link(cli: Cli) -> None:
    said = cli.fine("users", "invite", "carol@example.org", "--role", "operator")

    assert "/invitation?token=" in said
    assert "invited" in cli.fine("users", "list")


def test_what_was_used_is_added_up_anew(cli: Cli) -> None:
    assert "Added up 0 calls." in cli.fine("db", "rollups")


def test_an_account_is_deleted_once_that_is_confirmed(cli: Cli) -> None:
    cli.create("ann")
    cli.create("bea")

    assert "0 chats" in cli("users", "delete", "ann", text="bea\n").stdout
    assert "ann" in cli.fine("users", "list")
    assert "Choose who" in cli("users", "delete", "ann", "--yes", "--data", "hand_over").stderr
    cli.fine("users", "delete", "ann", "--data", "hand_over", "--to", "bea", text="ann\n")

    found = cli.fine("users", "list")
    assert "bea" in found
    assert "ann" not in found


def test_keys_are_made_listed_and_revoked(cli: Cli) -> None:
    cli.create("ann")

    token = cli.fine("keys", "create", "nightly", "--user", "ann", "--model", "demo", "--budget", "5").strip()
    listed = cli.fine("keys", "list", "--user", "ann")

    assert token.startswith("llmui-")
    assert token not in listed
    assert token.encode() not in (cli.folder / "llm-ui.db").read_bytes()
    assert "nightly" in listed
    assert "Revoked" in cli.fine("keys", "revoke", token[:10])
    assert "nightly" not in cli.fine("keys", "list")
    for wrong in (("--model", "none"), ("--budget", "much"), ("--address", "here")):
        assert cli("keys", "create", "x", "--user", "ann", *wrong).returncode == 1


def test_keys_of_a_service_account_are_made_and_listed(cli: Cli) -> None:
    cli.create("ann")
    asyncio.run(_a_service_account(cli.folder))

    token = cli.fine("keys", "create", "nightly", "--service-account", "Birds/report", "--budget", "5").strip()

    assert token.startswith("llmui-")
    assert "Birds/report" in cli.fine("keys", "list", "--service-account", "birds/report")
    assert "nightly" not in cli.fine("keys", "list", "--user", "ann")
    assert "report" not in cli.fine("users", "list")
    for wrong in ((), ("--service-account", "Birds/none"), ("--service-account", "Birds/report", "--user", "ann")):
        assert cli("keys", "create", "x", *wrong).returncode == 1


async def _a_service_account(folder: Path) -> None:
    database = Database.open(Config(data_dir=folder))
    await an_account(database, await a_team(database, "Birds"))
    await database.close()


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
def test_bad_input_gets_one_sentence(filled: Cli, arguments: tuple[str, ...], text: str, said: str) -> None:
    assert said in filled.sentence(*arguments, text=text)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"LLM_UI_PORT": "many"}, "LLM_UI_PORT"),
        ({"LLM_UI_PORT": "70000"}, "LLM_UI_PORT"),
        ({"LLM_UI_ORIGINS": "*"}, "LLM_UI_ORIGINS"),
        ({"LLM_UI_SECRET_KEY": "short"}, "LLM_UI_SECRET_KEY"),
        ({"LLM_UI_ENCRYPTION_KEYS": "not a key"}, "encryption key"),
        ({"LLM_UI_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none"}, "database cannot be reached"),
        ({"LLM_UI_DATABASE_URL": "mysql://somebody:hidden@127.0.0.1/none"}, "LLM_UI_DATABASE_URL"),
        ({"LLM_UI_API_URL": "nowhere"}, "LLM_UI_API_URL"),
        ({"LLM_UI_PORT": "5006", "LLM_UI_API_PORT": "5006"}, "cannot both have port 5006"),
        ({"LLM_UI_HOST": "no.such.host.invalid"}, "not an address of this computer"),
    ],
)
def test_malformed_settings_get_one_sentence(cli: Cli, settings: dict[str, str], said: str) -> None:
    told = cli.sentence("serve", **settings)

    assert said in told
    assert "hidden" not in told


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nonsense",), "No such command 'nonsense'"),
        (("users", "create"), "Missing argument 'NAME'"),
        (("users", "create", "bob", "--email", "b@example.org"), "--password-stdin"),
        (("providers", "add", "X", "--type", "pigeon"), "'pigeon' is not one of"),
        (("serve", "--port", "many"), "'many' is not a valid integer"),
    ],
)
def test_a_command_typed_wrongly_gets_one_sentence(cli: Cli, arguments: tuple[str, ...], said: str) -> None:
    told = cli.sentence(*arguments)

    assert said in told
    assert "--help" in told


def test_a_defect_of_ours_gets_one_sentence_and_its_story_goes_to_a_file(filled: Cli, tmp_path: Path) -> None:
    with sqlite3.connect(filled.folder / "llm-ui.db") as connection:
        connection.execute("UPDATE users SET role = 'wizard'")
    connection.close()

    told = filled.sentence("users", "list", TMPDIR=str(tmp_path))

    (story,) = tmp_path.glob("llm-ui-*.log")
    assert str(story) in told
    assert "Traceback" in story.read_text()
    assert story.stat().st_mode & 0o077 == 0
    assert "Traceback" in filled("users", "list", LLM_UI_LOG_LEVEL="debug").stderr


def test_output_that_nobody_reads_is_no_error(cli: Cli) -> None:
    command = [sys.executable, "-m", "llm_ui.cli.main", "users", "list"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}

    with subprocess.Popen(command, env=cli.environment(), text=True, **pipes) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        told = process.stderr.read()

    assert told == ""


def test_a_damaged_database_gets_one_sentence(filled: Cli) -> None:
    (filled.folder / "llm-ui.db").write_bytes(b"not a database " * 1_000)

    assert "restore a backup" in filled.sentence("users", "list")
    assert "restore a backup" in filled.sentence("db", "check")
    assert "damaged" in filled("doctor").stdout


def test_a_database_of_a_newer_version_gets_one_sentence(filled: Cli) -> None:
    with sqlite3.connect(filled.folder / "llm-ui.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()

    assert "9999" in filled.sentence("serve")
    assert "9999" in filled.fine("db", "current")


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
        assert "--port" in cli.sentence("ui", "--port", port)
        assert "--port" in cli.sentence("api", "--port", port)


def test_check_finds_what_is_wrong(filled: Cli) -> None:
    assert "sound" in filled.fine("db", "check")
    with sqlite3.connect(filled.folder / "llm-ui.db") as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute(
            "INSERT INTO chat_messages (id, chat_id, position, role, status, text, reasoning, created_at, updated_at)"
            " VALUES ('m', 'gone', 0, 'assistant', 'streaming', '', '', '2026-01-01', '2026-01-01')"
        )
    connection.close()

    done = filled("db", "check")

    assert done.returncode == 1
    assert "refers to one of chat_histories" in done.stdout
    assert "written by nobody" in done.stdout


def test_doctor_masks_secrets_and_says_what_to_do(filled: Cli) -> None:

    told = filled.fine("doctor", LLM_UI_SECRET_KEY="0123456789abcdef0123456789abcdef-secret")

    assert "LLM_UI_PORT" in told
    assert "-secret" not in told
    assert "no administrator" in told


def test_doctor_finds_that_the_encryption_key_is_gone(cli: Cli) -> None:
    cli.fine("providers", "add", "Far", "--type", "openai", "--key-stdin", text="sk-some-key")
    (cli.folder / "keys" / "encryption.key").unlink()

    done = cli("doctor")

    assert done.returncode == 1
    assert "Restore the key file" in done.stdout
    assert len(done.stderr.splitlines()) == 1


def test_doctor_finds_a_key_file_that_others_can_read(filled: Cli) -> None:
    filled.fine("doctor")
    (filled.folder / "keys" / "signing.key").chmod(0o644)

    done = filled("doctor")

    assert done.returncode == 1
    assert "chmod 600" in done.stdout


def test_doctor_finds_a_taken_port_and_an_unreachable_origin(cli: Cli) -> None:
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))  # noqa: S104 - the port is what matters
        taken.listen()

        everywhere = {"LLM_UI_HOST": "0.0.0.0", "LLM_UI_PORT": str(taken.getsockname()[1])}  # noqa: S104 - likewise
        told = cli("doctor", **everywhere).stdout

    assert "is taken" in told
    assert "LLM_UI_ORIGINS" in told


def test_a_command_loads_no_server() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, llm_ui.cli.main; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()

    assert {"panel", "bokeh", "tornado", "fastapi", "uvicorn", "huey"} & set(loaded) == set()


def test_everything_of_a_person_is_written_to_a_file(filled: Cli, tmp_path: Path) -> None:
    file = tmp_path / "ann.zip"

    filled.fine("users", "export", "ann", str(file))

    assert "manifest.json" in zipfile.ZipFile(file).namelist()
    assert file.stat().st_mode & 0o077 == 0
    assert "Name another file" in filled.sentence("users", "export", "ann", str(file))
    assert "no account" in filled.sentence("users", "export", "nobody", str(tmp_path / "nobody.zip"))


def test_what_another_product_exported_is_brought_in_once(filled: Cli, tmp_path: Path) -> None:
    file = tmp_path / "conversations.json"
    file.write_bytes(as_json([chatgpt_chat(1, 1), {"title": "Notes"}]))

    told = filled.fine("users", "import", "ann", str(file))

    assert "Left out: Notes: It is no chat" in told
    assert "1 new chats" in told
    assert "0 new chats, 0 brought up to date, 1 that were here already" in filled.fine(
        "users", "import", "ann", str(file)
    )
    file.write_text("hello")
    assert "neither JSON nor a zip" in filled.sentence("users", "import", "ann", str(file))
    assert "does not exist" in filled.sentence("users", "import", "ann", str(tmp_path / "nothing"))


def test_where_chats_lie_goes_along_to_somebody_else(filled: Cli, tmp_path: Path) -> None:
    told = {**open_webui_chat(1, 1), "pinned": True, "folder_id": "sea", "meta": {"tags": ["far_away"]}}
    theirs = tmp_path / "chats.json"
    theirs.write_bytes(as_json([told, {**open_webui_chat(2, 1), "archived": True}]))
    filled.fine("users", "import", "ann", str(theirs))
    filled.create("bob")

    filled.fine("users", "export", "ann", str(tmp_path / "ann.zip"))
    said = [filled.fine("users", "import", "bob", str(tmp_path / "ann.zip")) for _ in range(2)]
    filled.fine("users", "export", "bob", str(tmp_path / "bob.zip"))

    assert "2 new chats" in said[0]
    assert "0 new chats, 0 brought up to date, 2 that were here already; 0 entries left out" in said[1]
    mine, other = lying(tmp_path / "ann.zip"), lying(tmp_path / "bob.zip")
    assert mine == other
    assert (True, False, ["far away"], "Open WebUI folder sea") in mine
    assert (False, True, [], None) in mine


def lying(file: Path) -> list[tuple[bool, bool, list[str], str | None]]:
    """Return how the chats of an archive are sorted."""
    with zipfile.ZipFile(file) as archive:
        names = [name for name in archive.namelist() if name.startswith("chats/") and name.endswith(".json")]
        told = [json.loads(archive.read(name))["chat"] for name in sorted(names)]
    return [
        (one["is_pinned"], one["is_archived"], one["tags"], one["project"] and one["project"]["name"]) for one in told
    ]


def test_the_audit_log_is_verified_and_a_forged_entry_is_named(filled: Cli) -> None:
    found = json.loads(filled.fine("audit", "verify", "--json"))
    assert (found["is_whole"], found["broken"]) == (True, None)
    filled.create("bea")
    kept = ("--head", found["head"], "--count", str(found["count"]))
    assert "is whole" in filled.fine("audit", "verify", *kept)
    assert "both --head and --count" in filled.sentence("audit", "verify", "--head", found["head"])

    with sqlite3.connect(filled.folder / "llm-ui.db") as connection:
        connection.execute("DROP TRIGGER audit_logs_stay")
        connection.execute("UPDATE audit_logs SET actor_name = 'nobody' WHERE number = 1")
    connection.close()

    assert "Entry 1 was changed after it was written." in filled.sentence("audit", "verify", *kept)
    forged = filled("audit", "verify", "--json")
    assert (forged.returncode, json.loads(forged.stdout)["broken"]) == (1, 1)


def test_the_configuration_goes_to_another_folder(filled: Cli, tmp_path: Path) -> None:
    file = tmp_path / "configuration.json"
    filled.fine("config", "export", str(file))
    held = json.loads(file.read_text())
    held["settings"] = {"workspace_name": "Heron Lab"}
    file.write_text(json.dumps(held))
    other = Cli(tmp_path / "other")

    assert "1 thing would be changed" in other.fine("config", "import", str(file), "--dry-run")
    assert "value: LLM UI -> Heron Lab" in other.fine("config", "import", str(file))
    assert "Everything is so already." in other.fine("config", "import", str(file))
    assert "no configuration of LLM UI" in other.sentence("config", "import", str(filled.folder / "llm-ui.db"))
