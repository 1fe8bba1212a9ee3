"""Copies of attached files: an archive beside the copy of the database, and back."""

import hashlib
import os
import tarfile
from contextlib import suppress
from pathlib import Path

from llm_ui.config import Config
from llm_ui.errors import InvalidInput
from llm_ui.kit.file_store import NAME, FileStore, sync

PIECE_BYTES = 2**20


def archive_of(file: Path) -> Path:
    """Return where the files of a copy are."""
    return file.with_name(f"{file.name}.files.tar")


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
    """Put the files beside a copy among those that are there. Raises `InvalidInput` when the archive is not sound.

    A file lies under what it holds, so none replaces another, and those that nobody needs are removed by the worker.
    """
    archive = archive_of(file)
    if not archive.is_file():
        return
    store = FileStore(config.files_path)
    try:
        with tarfile.open(archive, mode="r:") as tar:
            for member in tar:
                _take_in(store, tar, member)
    except (tarfile.TarError, EOFError) as error:
        raise InvalidInput(f"{archive} is not a sound copy of the attached files ({error}). Use another one.") from None


def _take_in(store: FileStore, tar: tarfile.TarFile, member: tarfile.TarInfo) -> None:
    content = tar.extractfile(member) if member.isreg() and NAME.fullmatch(member.name) else None
    if content is None:
        raise InvalidInput(f"{tar.name!s} holds what is no attached file. Use one that llm-ui db backup wrote.")
    digest = hashlib.sha256()
    new = store.begin()
    try:
        while piece := content.read(PIECE_BYTES):
            digest.update(piece)
            new.write(piece)
        if digest.hexdigest() != member.name:
            raise InvalidInput(f"{tar.name!s} is damaged: a file in it is not what it was. Use another one.")
        new.keep()
    finally:
        new.discard()
