"""Files by what they hold: each lies once, under the SHA-256 of its bytes, whole or not at all."""

import hashlib
import os
import re
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from llm_ui.errors import NotFound, StorageFull, Unavailable
from llm_ui.kit.disk import is_full

NAME = re.compile(r"[0-9a-f]{64}")
PARTIAL = ".partial"


class FileStore:
    """The files of one folder. All of it blocks: not for an event loop."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def begin(self) -> "NewFile":
        """Return a file to write. Raises `StorageFull`."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return NewFile(self)
        except OSError as error:
            raise _ours(error) from None

    def path(self, sha256: str) -> Path:
        """Return where a file lies. The name is checked, so that it can never lead elsewhere."""
        if not NAME.fullmatch(sha256):
            raise ValueError("this is not the name of a stored file")
        return self._folder / sha256[:2] / sha256

    def read(self, sha256: str) -> bytes:
        """Return a file. Raises `NotFound` when it is gone."""
        try:
            return self.path(sha256).read_bytes()
        except FileNotFoundError:
            raise NotFound("This file is not on the server any more. Attach it again.") from None

    def has(self, sha256: str) -> bool:
        """Return whether a file is there."""
        return self.path(sha256).is_file()

    def remove(self, sha256: str) -> None:
        """Remove a file. One that is gone is no error."""
        self.path(sha256).unlink(missing_ok=True)

    def names(self) -> Iterator[str]:
        """Yield the names of all files."""
        for path in sorted(self._folder.glob("??/*")):
            if NAME.fullmatch(path.name):
                yield path.name

    def remove_older(self, kept: frozenset[str], age_s: float) -> int:
        """Remove the files that are not among these and that nobody has stored for so long; return how many.

        The age spares what was stored a moment ago and is written down in the database a moment later.
        """
        limit = time.time() - age_s
        gone = [name for name in self.names() if name not in kept]
        paths = [*map(self.path, gone), *self._folder.glob(f"*{PARTIAL}")]
        removed = 0
        for path in paths:
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < limit:
                    path.unlink()
                    removed += 1
        return removed

    @property
    def folder(self) -> Path:
        """Where the files lie."""
        return self._folder


class NewFile:
    """A file that is being written: kept once it is whole, else gone without a trace."""

    def __init__(self, store: FileStore) -> None:
        self._store = store
        descriptor, name = tempfile.mkstemp(suffix=PARTIAL, dir=store.folder)
        self._file = os.fdopen(descriptor, "wb")
        self._path = Path(name)
        self._digest = hashlib.sha256()
        self._lock = threading.Lock()
        self.size = 0

    def write(self, piece: bytes) -> None:
        """Add a piece. Raises `StorageFull`. What comes after `discard` is ignored."""
        with self._lock:
            if self._file.closed:
                return
            self._digest.update(piece)
            self.size += len(piece)
            try:
                self._file.write(piece)
            except OSError as error:
                raise _ours(error) from None

    def read(self) -> bytes:
        """Return what was written. Raises `Unavailable` when it was thrown away meanwhile."""
        with self._lock:
            self._require_open()
            self._file.flush()
            return self._path.read_bytes()

    def settle(self) -> None:
        """Have the disk hold what was written, so that `keep` is quick. Raises as `keep` does."""
        try:
            with self._lock:
                self._require_open()
                self._file.flush()
                os.fsync(self._file.fileno())
        except OSError as error:
            raise _ours(error) from None

    def keep(self) -> str:
        """Put the file in its place, on the disk for good; return its name.

        Raises `StorageFull`, and `Unavailable` when it was thrown away meanwhile.
        """
        sha256 = self._digest.hexdigest()
        place = self._store.path(sha256)
        try:
            with self._lock:
                self._require_open()
                self._file.flush()
                os.fsync(self._file.fileno())
                self._file.close()
                place.parent.mkdir(mode=0o700, exist_ok=True)
                # Also over the same file: its age begins anew.
                self._path.replace(place)
                sync(place.parent)
        except OSError as error:
            raise _ours(error) from None
        return sha256

    def discard(self) -> None:
        """Throw the file away, unless it is kept already."""
        with self._lock:
            with suppress(OSError):
                self._file.close()
            self._path.unlink(missing_ok=True)

    def _require_open(self) -> None:
        if self._file.closed:
            raise Unavailable("The file did not arrive whole. Attach it again.")


def sync(folder: Path) -> None:
    """Have the disk note what was renamed in a folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _ours(error: OSError) -> Exception:
    return StorageFull() if is_full(error) else error
