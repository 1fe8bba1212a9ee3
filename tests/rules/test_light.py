"""What most never need is not imported where the product starts: each would be megabytes and part of a second."""

import subprocess
import sys

import pytest

HEAVY = {
    "llm_ui.api.main": {"psycopg", "pypdf", "redis", "numpy", "usearch", "PIL", "panel"},
    "llm_ui.app.server": {"psycopg", "pypdf", "redis", "fastapi", "usearch", "huey"},
    "llm_ui.supervisor": {"sqlalchemy", "panel", "fastapi", "cryptography"},
}


@pytest.mark.parametrize("module", HEAVY)
def test_a_process_starts_without_what_only_some_need(module: str) -> None:
    script = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert not HEAVY[module] & set(done.stdout.split())
