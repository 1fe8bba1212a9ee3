"""Half a minute of what `python -m tests.faults.soak` does for ten."""

from pathlib import Path

import pytest

from tests.faults.soak import disk, soak

SECONDS = 30.0


@pytest.mark.timeout(600)
def test_faults_of_all_kinds_break_no_invariant(tmp_path: Path) -> None:
    folder = tmp_path / "disk"
    folder.mkdir()

    with disk(folder) as may_fill:
        done = soak(folder, SECONDS, seed=20261122, may_fill=may_fill)

    assert done.problems == []
    assert len(done.asked) > SECONDS / 2
    assert len(done.faults) >= 3, done.faults
