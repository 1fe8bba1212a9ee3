"""The gates: format, lint, types, import contracts, dead code."""

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
    "vulture": ["vulture"],
}


@pytest.mark.parametrize("name", GATES)
@pytest.mark.timeout(300)
def test_gate(name: str) -> None:
    program, *arguments = GATES[name]
    done = subprocess.run(
        [str(Path(sys.executable).parent / program), *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
