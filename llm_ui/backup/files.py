"""Copies of attached files, and back.

Beside a copy that somebody asked for lies an archive of them. Backups of every day share a folder of files, each of
which lies there once, and have a list of those they need.
"""

import hashlib
import json
import os
import tarfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from llm_ui.config import Config
from llm_ui.errors import ConfigurationError, NotFound
from llm_ui.kit.file_store import NAME, FileStore, sync

PIECE_BYTES = 2**20
SHARED = "files"
"""The folder that backups share, in the one where they are."""


def archive_of(file: Path) -> Path:
    """Return where the files of a copy are."""
    return file.with_name(f"{file.name}.files.tar")


def list_of(file: Path) -> Path:
    """Return where the list of the files of a backup is."""
    return file.with_name(f"{file.name}.files.json")


def needed(file: Path) -> frozenset[str]:
    """Return the names of the files that a backup needs; none where it has no list."""
    try:
        return frozenset(json.loads(list_of(file).read_text()))
    except FileNotFoundError:
        return frozenset()


def share(config: Config, file: Path) -> None:
    """Copy the attached files that are not there yet to the folder beside the backup, and list all of them."""
    store, shared = FileStore(config.files_path), FileStore(file.parent / SHARED)
    names = []
    for name in store.names():
        # The worker may just have removed one that nobody needs.
        with suppress(NotFound):
            if not shared.has(name):
                _copy(store, shared, name)
            names.append(name)
    listed = list_of(file)
    partial = listed.with_name(f"{listed.name}.partial")
    partial.write_text(json.dumps(names))
    partial.chmod(0o600)
    partial.replace(listed)


def _copy(store: FileStore, shared: FileStore, name: str) -> None:
    """Copy one file, piece by piece. Raises `NotFound` when it is gone, `ConfigurationError` when it is damaged."""
    new = shared.begin()
    try:
        for piece in _pieces(store.path(name)):
            new.write(piece)
        if new.keep() != name:
            shared.remove(name)
            raise ConfigurationError(
                f"The file {store.path(name)} is damaged. Restore it, or remove what it is attached to."
            )
    finally:
        new.discard()


def _pieces(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while piece := file.read(PIECE_BYTES):
                yield piece
    except FileNotFoundError:
        raise NotFound("The file is gone.") from None


def write(config: Config, file: Path) -> None:
    """Write all attached files beside the copy; nothing when there are none. Only its owner may read it."""
    store = FileStore(config.files_path)
    names = list(store.names())
    if not names:
        return
    archive = archive_of(file)
    partial = archive.with_name(f"{archive.name}.{os.getpid()}.partial")
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as written, tarfile.open(fileobj=written, mode="w") as tar:
            for name in names:
                # The worker may just have removed one that nobody needs.
                with suppress(FileNotFoundError):
                    tar.add(store.path(name), arcname=name)
            written.flush()
            os.fsync(written.fileno())
        partial.replace(archive)
        sync(archive.parent)
    finally:
        partial.unlink(missing_ok=True)


def take_in(config: Config, file: Path) -> None:
    """Put the files beside a copy among those that are there. Raises `ConfigurationError` unless all are sound.

    A file lies under what it holds, so none replaces another, and those that nobody needs are removed by the worker.
    """
    archive = archive_of(file)
    if not archive.is_file():
        _take_in_shared(config, file)
        return
    store = FileStore(config.files_path)
    try:
        with tarfile.open(archive, mode="r:") as tar:
            for member in tar:
                _take_in(store, tar, member)
    except (tarfile.TarError, EOFError) as error:
        raise ConfigurationError(
            f"{archive} is not a sound copy of the attached files ({error}). Use another one."
        ) from None


def _take_in_shared(config: Config, file: Path) -> None:
    store, shared = FileStore(config.files_path), FileStore(file.parent / SHARED)
    for name in sorted(needed(file)):
        if not store.has(name):
            _copy(shared, store, name)


def _take_in(store: FileStore, tar: tarfile.TarFile, member: tarfile.TarInfo) -> None:
    content = tar.extractfile(member) if member.isreg() and NAME.fullmatch(member.name) else None
    if content is None:
        raise ConfigurationError(f"{tar.name!s} holds what is no attached file. Use one that llm-ui db backup wrote.")
    digest = hashlib.sha256()
    new = store.begin()
    try:
        while piece := content.read(PIECE_BYTES):
            digest.update(piece)
            new.write(piece)
        if digest.hexdigest() != member.name:
            raise ConfigurationError(f"{tar.name!s} is damaged: a file in it is not what it was. Use another one.")
        new.keep()
    finally:
        new.discard()
