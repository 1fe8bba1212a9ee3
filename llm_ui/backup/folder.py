"""The folder of backups: what is made each day, and before each migration; and what of it goes again.

All of it blocks: not for an event loop.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from llm_ui.backup import files
from llm_ui.backup.copies import write
from llm_ui.config import Config
from llm_ui.errors import ConfigurationError
from llm_ui.kit.clock import now
from llm_ui.kit.file_store import FileStore

NAME = re.compile(r"llm-ui-(\d{8}-\d{6})\.(?:db|dump)")
BEFORE = re.compile(r"before-(\w+)-(\d{8}-\d{6})\.(?:db|dump)")
STAMP = "%Y%m%d-%H%M%S"
KEPT_BEFORE = 3
"""Copies from before migrations."""


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was made."""

    name: str
    size_bytes: int
    """Of the database's copy."""
    files: int
    files_bytes: int
    """Of all files that it needs, which it shares with others."""


def make(config: Config, kept: int) -> Made:
    """Make a backup of database and files, and remove all but so many. Raises our errors with what to do."""
    folder = _folder(config)
    file = folder / f"llm-ui-{now():{STAMP}}.{_ending(config)}"
    write(config, file, files.share)
    _remove_older(folder, kept)
    shared = FileStore(folder / files.SHARED)
    sizes = [shared.path(name).stat().st_size for name in files.needed(file)]
    return Made(file.name, file.stat().st_size, len(sizes), sum(sizes))


def make_before(config: Config, revision: str) -> Path:
    """Copy a database that is about to be migrated, without its files, which stay as they are; return the copy."""
    folder = _folder(config)
    file = folder / f"before-{revision}-{now():{STAMP}}.{_ending(config)}"
    write(config, file)
    for old in _named(folder, BEFORE)[KEPT_BEFORE:]:
        old.unlink(missing_ok=True)
    return file


def newest(config: Config) -> Path | None:
    """Return the newest backup, None where there is none."""
    return next(iter(_named(config.backup_path, NAME)), None)


def newest_before(config: Config) -> Path | None:
    """Return the newest copy from before a migration, None where there is none."""
    return next(iter(_named(config.backup_path, BEFORE)), None)


def made_at(file: Path) -> datetime:
    """Return when a backup was begun."""
    found = NAME.fullmatch(file.name)
    if found is None:
        raise ValueError("this is not the name of a backup")
    return datetime.strptime(found.group(1), STAMP).replace(tzinfo=UTC)


def missing(file: Path) -> int:
    """Return how many files of a backup are not there."""
    shared = FileStore(file.parent / files.SHARED)
    return sum(not shared.has(name) for name in files.needed(file))


def _folder(config: Config) -> Path:
    folder = config.backup_path
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"The folder of backups {folder} cannot be used: {error.strerror}. Mend that, or set LLM_UI_BACKUP_FOLDER."
        ) from None
    return folder


def _ending(config: Config) -> str:
    return "dump" if config.sqlite_path is None else "db"


def _named(folder: Path, name: re.Pattern[str]) -> list[Path]:
    """Return the files of such a name, the newest first."""
    found = [(match.groups()[-1], path) for path in folder.glob("*") if (match := name.fullmatch(path.name))]
    return [path for _stamp, path in sorted(found, reverse=True)]


def _remove_older(folder: Path, kept: int) -> None:
    """Remove all backups but the newest ones, and the files that only those needed."""
    listed = _named(folder, NAME)
    for old in listed[kept:]:
        old.unlink(missing_ok=True)
        files.list_of(old).unlink(missing_ok=True)
    needed = frozenset[str]().union(*(files.needed(file) for file in listed[:kept]))
    FileStore(folder / files.SHARED).remove_older(needed, age_s=0)
