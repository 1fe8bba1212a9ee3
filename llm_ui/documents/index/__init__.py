"""The index of passages: one search for each database."""

from llm_ui.db import ReadSession
from llm_ui.documents.index.base import PassageIndex
from llm_ui.documents.index.postgresql import PostgreSQLIndex
from llm_ui.documents.index.sqlite import SQLiteIndex

INDEXES: dict[str, PassageIndex] = {"sqlite": SQLiteIndex(), "postgresql": PostgreSQLIndex()}
"""By the name of the database's dialect."""


def index_of(session: ReadSession) -> PassageIndex:
    """Return the index of the session's database."""
    return INDEXES[session.get_bind().dialect.name]
