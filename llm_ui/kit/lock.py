"""Locks on files: they go with whoever holds them, however that process ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def held(path: Path, *, is_shared: bool = False) -> Iterator[int]:
    """Hold the lock for the length of a block; yield its descriptor.

    Many may hold it shared, else only one. Raises `BlockingIOError` at once when it cannot be had.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        yield descriptor
    finally:
        os.close(descriptor)
