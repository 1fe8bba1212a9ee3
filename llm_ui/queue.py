"""The queue of background jobs: huey, in a SQLite file of its own beside the data."""

import sqlite3
from contextlib import closing
from pathlib import Path

from huey import SqliteHuey

from llm_ui.config import Config
from llm_ui.errors import ConfigurationError, DatabaseDown
from llm_ui.kit.clock import now
from llm_ui.kit.disk import is_damage, sqlite_error
from llm_ui.observability.logging import get_logger

log = get_logger(__name__)


def open_queue(config: Config) -> SqliteHuey:
    """Return the queue of a data folder. Jobs are looked for once a second; results are not kept.

    A damaged file is put aside and a new one begun: what must not be lost is in the database. Raises our errors.
    """
    path = config.folder / "jobs.db"
    try:
        if _is_damaged(path):
            kept = path.with_name(f"{path.name}.damaged-{now():%Y%m%d-%H%M%S-%f}")
            path.rename(kept)
            for suffix in ("-wal", "-shm"):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
            log.warning("queue.damaged", kept=kept)
        return SqliteHuey("llm-ui", filename=str(path), results=False, utc=True)
    except sqlite3.Error as error:
        ours = sqlite_error(error)
        if isinstance(ours, DatabaseDown):
            raise ConfigurationError(
                f"The job queue {path} cannot be opened. Correct its owner, or move what is there away."
            ) from None
        if ours is None:
            raise
        raise ours from None


def _is_damaged(path: Path) -> bool:
    if not path.exists():
        return False
    try:
        with closing(sqlite3.connect(path)) as connection:
            (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        if is_damage(error):
            return True
        raise
    return bool(found != "ok")
