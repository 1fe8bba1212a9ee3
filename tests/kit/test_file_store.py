"""Files by what they hold."""

import os
import time
from pathlib import Path

import pytest

from llm_ui.errors import NotFound, Unavailable
from llm_ui.kit.file_store import FileStore

DAY_S = 86_400


def stored(store: FileStore, data: bytes) -> str:
    new = store.begin()
    new.write(data[:3])
    new.write(data[3:])
    return new.keep()


def test_the_same_bytes_lie_once(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "files")

    names = {stored(store, b"the same") for _ in range(3)}

    assert list(store.names()) == list(names)
    assert store.read(names.pop()) == b"the same"


def test_only_the_owner_of_the_server_reads_them(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "files")

    path = store.path(stored(store, b"secret"))

    assert path.stat().st_mode & 0o077 == 0
    assert store.folder.stat().st_mode & 0o077 == 0


def test_what_is_discarded_leaves_nothing(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "files")
    new = store.begin()
    new.write(b"half of it")

    new.discard()
    new.write(b"the other half")

    for late in (new.read, new.keep):
        with pytest.raises(Unavailable, match="Attach it again"):
            late()
    assert list(store.folder.rglob("*")) == []


@pytest.mark.parametrize("name", ["../secret", "", "A" * 64, f"../{'a' * 61}", "a" * 63])
def test_no_name_leads_elsewhere(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="not the name"):
        FileStore(tmp_path).path(name)


def test_what_is_gone_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        FileStore(tmp_path).read("a" * 64)


def test_what_nobody_needs_goes_once_it_is_old(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "files")
    kept, young, old = (stored(store, data) for data in (b"needed", b"just came", b"long ago"))
    half = store.begin()
    half.write(b"cut off by the end of the process")
    yesterday = time.time() - DAY_S - 60
    for path in (store.path(kept), store.path(old), *store.folder.glob("*.partial")):
        os.utime(path, (yesterday, yesterday))

    removed = store.remove_older(frozenset({kept}), DAY_S)
    half.discard()

    assert removed == 2
    assert set(store.names()) == {kept, young}
