"""`llm-ui` in a process of its own, as a person types it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.product import PASSWORD


class Cli:
    """Runs `llm-ui` on one data folder."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.settings = settings

    def __call__(self, *arguments: str, text: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "llm_ui.cli.main", *arguments]
        return subprocess.run(
            command,
            env=self.environment(**settings),
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def environment(self, **settings: str) -> dict[str, str]:
        """Return the environment with these settings and no others."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith("LLM_UI_")}
        return {**ours, "LLM_UI_DATA_DIR": str(self.folder), **self.settings, **settings}

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

    def create(self, name: str) -> None:
        """Create an account with the password `PASSWORD`."""
        self.fine("users", "create", name, "--email", f"{name}@example.org", "--password-stdin", text=PASSWORD)


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return Cli(tmp_path / "folder")


@pytest.fixture(scope="session")
def folder_with_ann(tmp_path_factory: pytest.TempPathFactory) -> Path:
    cli = Cli(tmp_path_factory.mktemp("template") / "folder")
    cli.create("ann")
    return cli.folder


@pytest.fixture
def filled(tmp_path: Path, folder_with_ann: Path) -> Cli:
    """A folder with an account in it."""
    shutil.copytree(folder_with_ann, tmp_path / "folder")
    return Cli(tmp_path / "folder")
