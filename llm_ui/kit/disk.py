"""What drivers and the system say about a disk or a file, in errors of ours."""

import errno

from llm_ui.errors import DatabaseBusy, DatabaseDamaged, DatabaseDown, LLMUIError, StorageFull

FULL = ("disk is full", "readonly database", "disk i/o error", "no space left", "read-only file system")
DAMAGED = ("malformed", "is not a database")


def is_damage(error: Exception) -> bool:
    """Return whether SQLite says that its file is damaged."""
    return any(words in str(error).lower() for words in DAMAGED)


def sqlite_error(error: Exception) -> LLMUIError | None:
    """Return our error for what SQLite says about the state of its file, or None when it is about something else."""
    said = str(error).lower()
    if "is locked" in said:
        return DatabaseBusy()
    if any(words in said for words in FULL):
        return StorageFull()
    if is_damage(error):
        return DatabaseDamaged()
    if "unable to open database file" in said:
        return DatabaseDown(
            "The database file cannot be opened, so nothing was saved. Tell an administrator: llm-ui doctor says why."
        )
    return None


def is_full(error: OSError) -> bool:
    """Return whether the system says that the disk is full or only for reading."""
    return error.errno in (errno.ENOSPC, errno.EROFS, errno.EDQUOT)
