"""Key files: made once, readable by their owner only."""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from llm_ui.errors import ConfigurationError


def read_or_create(path: Path, make: Callable[[], str]) -> str:
    """Return the file's line, writing it first from `make()` when there is none.

    Processes that start together agree: the file appears whole and only once. Raises `ConfigurationError` when it
    cannot be read or written, is empty, or others than its owner may read it.
    """
    try:
        if not path.exists():
            _create(path, make())
        if path.stat().st_mode & 0o077:
            raise ConfigurationError(f"Others can read the key file {path}. Run: chmod 600 {path}")
        key = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"The key file {path} cannot be used: {error}. Restore or correct it.") from None
    if not key:
        raise ConfigurationError(f"The key file {path} is empty. Restore it from a backup.")
    return key


def _create(path: Path, key: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(key + "\n")
        file.flush()
        os.fsync(file.fileno())
    with contextlib.suppress(FileExistsError):
        # A hard link fails if another process was first, where a rename would replace its key.
        os.link(temporary, path)
    temporary.unlink()
