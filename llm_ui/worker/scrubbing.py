"""Making sure that what was deleted is not in SQLite's files any more, where no query would find it.

Deleted rows are overwritten at once (`secure_delete` in db.py). Two places are left: the full-text indexes, which note
what is deleted and forget it when they are next merged, and the log of the last changes. PostgreSQL does both by itself
(VACUUM, and its own log).
"""

import sqlite3
from contextlib import closing

from llm_ui.config import Config

INDEXES = ("search_text", "search_passages")
PAGES_AT_ONCE = 500
"""Of an index, in one transaction: some 2 MB, so that nobody who writes meanwhile waits long."""
WAIT_S = 30
LOG_WAIT_MS = 1_000
"""For those who still read the log."""
NOTHING_DONE = 2
"""Fewer changes than this: a merge had nothing left to do (https://www.sqlite.org/fts5.html, 6.8)."""


def scrub(config: Config) -> bool:
    """Merge the indexes and empty the log; return whether the log is empty: a reader may still need it."""
    path = config.sqlite_path
    if path is None:
        return True
    with closing(sqlite3.connect(path, timeout=WAIT_S, isolation_level=None)) as connection:
        connection.execute("PRAGMA secure_delete = ON")
        for index in INDEXES:
            # Less than nothing: all parts of the index become one, in several goes.
            pages = -PAGES_AT_ONCE
            while _merge(connection, index, pages) >= NOTHING_DONE:
                pages = PAGES_AT_ONCE
        # Meanwhile nobody writes.
        connection.execute(f"PRAGMA busy_timeout = {LOG_WAIT_MS}")
        (is_busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not is_busy


def _merge(connection: sqlite3.Connection, index: str, pages: int) -> int:
    before = connection.total_changes
    connection.execute(f"INSERT INTO {index} ({index}, rank) VALUES ('merge', ?)", (pages,))  # noqa: S608 (our own)
    return connection.total_changes - before
