"""What there is of a person, in each table and index: counted before an account is deleted, and looked for afterwards.

The tables are not listed here but found: whatever refers to a person, to their chats, or to projects that are only
theirs. So a new table cannot be forgotten.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Table, false, func, or_, select, text, union

from llm_ui.db import ReadSession
from llm_ui.kit.ids import ProjectId, UserId
from llm_ui.models import (
    Attachment,
    Base,
    Budget,
    ChatHistory,
    Document,
    Limit,
    Project,
    Quota,
    SavedPrompt,
    SystemPrompt,
    UsageDimension,
    UsageLog,
    UsagePerson,
    UsageSubject,
)

AT_ONCE = 500
"""Ids in one question: far below what either database takes."""
LOOSE = tuple(
    model.__table__.c[name]
    for model, name in (
        (UsageLog, "user_id"), (UsageDimension, "user_id"), (UsagePerson, "user_id"), (UsageSubject, "subject_id"),
        (Budget, "scope_id"), (Limit, "scope_id"),
    )
)  # fmt: skip
"""Columns that name a person without a foreign key."""
TEXT_INDEX = "SELECT count(*) FROM search_text WHERE search_text MATCH :owner"
PASSAGE_INDEX = "SELECT count(*) FROM search_passages_docsize WHERE id >= :first AND id < :end"
PASSAGE_BITS = 40
"""Of a row number of the index of passages: see migration 0016."""


@dataclass(frozen=True, slots=True)
class Belongings:
    """What is a person's, as it is before it goes."""

    user_id: UserId
    parents: Mapping[str, Sequence[UUID]]
    """What goes and has rows of other tables hanging on it: ids, by table."""
    handed: Mapping[str, Sequence[UUID]]
    """What stands under the person and goes on under others: ids, by table."""
    index_numbers: Sequence[int]
    """Of the projects that go, in SQLite's index of passages."""
    files: frozenset[str]


async def belongings(session: ReadSession, user_id: UserId, projects: Sequence[ProjectId]) -> Belongings:
    """Return what is a person's, with the projects that go."""
    # rights: ids only, for whoever deletes the account
    owned = {
        "chat_histories": select(ChatHistory.id).where(ChatHistory.user_id == user_id),
        "documents": select(Document.id).where(Document.project_id.in_(projects)),
        "saved_prompts": select(SavedPrompt.id).where(SavedPrompt.owner_id == user_id),
        "system_prompts": select(SystemPrompt.id).where(SystemPrompt.owner_id == user_id),
    }
    parents = {name: (await session.scalars(query)).all() for name, query in owned.items()}
    goes_on = {
        "documents": select(Document.id).where(Document.user_id == user_id, Document.project_id.not_in(projects)),
        "projects": select(Project.id).where(Project.owner_id == user_id, Project.id.not_in(projects)),
    }
    handed = {name: (await session.scalars(query)).all() for name, query in goes_on.items()}
    stored = select(Document.sha256).where(Document.project_id.in_(projects))
    attached = select(Attachment.sha256).where(Attachment.user_id == user_id)
    files = frozenset(await session.scalars(union(stored, attached)))
    numbers = await _index_numbers(session, projects)
    return Belongings(user_id, {**parents, "projects": projects}, handed, numbers, files)


async def count(session: ReadSession, theirs: Belongings) -> dict[str, int]:
    """Return how many rows there are of what is, or was, a person's, by table; tables without any are left out."""
    counts = {}
    for table in Base.metadata.sorted_tables:
        own = _naming(table, theirs.user_id)
        number = await session.scalar(select(func.count()).select_from(table).where(own)) or 0
        column, ids = _hanging(table, theirs)
        for some in _batches(ids):
            more = select(func.count()).select_from(table).where(column.in_(some), ~func.coalesce(own, false()))
            number += await session.scalar(more) or 0
        counts[table.name] = number
    if session.get_bind().dialect.name == "sqlite":
        counts |= await _in_indexes(session, theirs)
    return {name: number for name, number in counts.items() if number}


def _naming(table: Table, user_id: UserId) -> ColumnElement[bool]:
    """Return the rule of rows that name the person themselves."""
    return or_(false(), *_rules(table, user_id))


def _rules(table: Table, user_id: UserId) -> list[ColumnElement[bool]]:
    of_people = [column for column in table.c if _refers(column, "users") or column in LOOSE]
    rules = [column == user_id for column in of_people]
    if table.name == "users":
        rules.append(table.c.id == user_id)
    if table is Quota.__table__:
        rules.append(table.c.scope_id == str(user_id))
    return rules


def _hanging(table: Table, theirs: Belongings) -> tuple[ColumnElement[UUID], Sequence[UUID]]:
    """Return the column by which rows hang on something that goes, and its ids; an empty sequence where none do.

    One column a table: what hangs on two things, as runs on chats and projects, is counted once.
    """
    for parent, ids in theirs.parents.items():
        for column in table.c:
            if ids and _refers(column, parent):
                return column, ids
    return table.primary_key.columns[0], theirs.parents.get(table.name, ())


def _refers(column: Column[UUID], parent: str) -> bool:
    """Return whether a row goes with the one of `parent` that it names."""
    return any(key.column.table.name == parent and key.ondelete == "CASCADE" for key in column.foreign_keys)


async def _index_numbers(session: ReadSession, projects: Sequence[ProjectId]) -> tuple[int, ...]:
    if session.get_bind().dialect.name != "sqlite":
        return ()
    found: list[int] = []
    for project_id in projects:
        asked = text("SELECT number FROM search_projects WHERE project_id = :id").bindparams(id=project_id.hex)
        found += (await session.scalars(asked)).all()
    return tuple(found)


async def _in_indexes(session: ReadSession, theirs: Belongings) -> dict[str, int]:
    """Return how many entries of the full text are theirs; PostgreSQL's indexes are of the rows themselves."""
    texts = await session.scalar(text(TEXT_INDEX).bindparams(owner=f'owner:"u{theirs.user_id.hex}"'))
    passages = 0
    for number in theirs.index_numbers:
        ends = {"first": number << PASSAGE_BITS, "end": (number + 1) << PASSAGE_BITS}
        passages += await session.scalar(text(PASSAGE_INDEX).bindparams(**ends)) or 0
    return {"search_text": texts or 0, "search_passages": passages}


def _batches(ids: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    return (ids[at : at + AT_ONCE] for at in range(0, len(ids), AT_ONCE))


NAMING = frozenset(
    {table.name for table in Base.metadata.sorted_tables if _rules(table, UserId(UUID(int=0)))} | {"search_text"}
)
"""Tables, and the index, whose rows name a person themselves, so that they can be looked for at any time."""
