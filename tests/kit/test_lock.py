"""Locks on files."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from llm_ui.kit.lock import held


def test_only_one_holds_a_lock_alone(tmp_path: Path) -> None:
    path = tmp_path / "lock"

    with held(path), pytest.raises(BlockingIOError), held(path):
        pass

    with held(path):
        pass


def test_many_share_a_lock_and_keep_out_who_wants_it_alone(tmp_path: Path) -> None:
    path = tmp_path / "lock"

    with held(path, is_shared=True), held(path, is_shared=True), pytest.raises(BlockingIOError), held(path):
        pass


def test_a_lock_goes_on_with_the_process_that_inherits_it_and_ends_with_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with held(path) as descriptor:
        heir = subprocess.Popen(
            [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=(descriptor,), env=dict(os.environ)
        )

    with pytest.raises(BlockingIOError), held(path):
        pass
    heir.kill()
    heir.communicate()

    with held(path):
        pass
