"""The gates: format, lint, types, import contracts, dead code."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GATES = {
    "ruff format": ["ruff", "format", "--check", "."],
    "ruff check": ["ruff", "check", "."],
    "mypy": ["mypy"],
    "import contracts": ["lint-imports"],
}
GUESSED = re.compile(r"unused (variable|attribute) '\w+' \(60% confidence\)")
"""Columns of tables and settings of frameworks look unused to vulture."""


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = Path(sys.executable).parent / program
    return subprocess.run([str(path), *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", GATES)
@pytest.mark.timeout(300)
def test_gate(name: str) -> None:
    done = run(*GATES[name])

    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


def dead(report: str) -> list[str]:
    """Return the lines of vulture's report that are about the product and no guess."""
    return [line for line in report.splitlines() if line.startswith("llm_ui/") and not GUESSED.search(line)]


def test_nothing_is_dead() -> None:
    done = run("vulture")

    assert done.returncode in (0, 3), done.stderr
    assert dead(done.stdout) == []


def test_what_is_dead_would_be_found(tmp_path: Path) -> None:
    (tmp_path / "llm_ui").mkdir()
    (tmp_path / "llm_ui" / "dead.py").write_text("LIMIT = 1\n\n\ndef nobody_calls_me() -> int:\n    return 1\n")

    path = Path(sys.executable).parent / "vulture"
    done = subprocess.run([str(path), "llm_ui"], cwd=tmp_path, capture_output=True, text=True, check=False)

    (line,) = dead(done.stdout)
    assert "nobody_calls_me" in line
