"""Fixtures of the tests that read documents."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from llm_ui.documents import sandbox
from llm_ui.documents.nursery import Nursery


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder where readers look for programs first: what makes them knows the path from when it was started."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    nursery = Nursery(Path(sandbox.__file__).parents[2])
    monkeypatch.setattr(sandbox, "NURSERY", nursery)
    yield tmp_path
    nursery.end()
