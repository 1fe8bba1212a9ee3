"""Whether the database is sound: its file, its references, what must hold between its rows, and who uses it."""

from sqlalchemy import Enum, Select, and_, exists, func, or_, select, text

from llm_ui.db import ReadSession
from llm_ui.models import (
    LIVE_STATUSES,
    Base,
    ChatMessage,
    Document,
    DocumentChunk,
    DocumentStage,
    MessageOrigin,
    MessageRole,
    MessageStatus,
    Run,
    RunStatus,
    UsageLog,
)

ENDS = {
    RunStatus.COMPLETED: MessageStatus.COMPLETE,
    RunStatus.STOPPED: MessageStatus.STOPPED,
    RunStatus.FAILED: MessageStatus.FAILED,
    RunStatus.INTERRUPTED: MessageStatus.INTERRUPTED,
}
"""How the answer of an ended run stands."""


async def find_problems(session: ReadSession, dialect: str) -> list[str]:
    """Return a sentence for each thing that is wrong; empty when the database is sound."""
    problems = await _file_problems(session) if dialect == "sqlite" else []
    for sentence, query in {**_rules(), **_legal_values()}.items():
        count = await session.scalar(query)
        if count:
            problems.append(sentence.format(count=count))
    return problems


async def _file_problems(session: ReadSession) -> list[str]:
    checked = (await session.execute(text("PRAGMA quick_check"))).scalars().all()
    problems = [f"The file is damaged: {line}" for line in checked if line != "ok"]
    broken = (await session.execute(text("PRAGMA foreign_key_check"))).all()
    return problems + [f"A row of {row[0]} refers to one of {row[2]} that is not there." for row in broken]


async def count_other_connections(session: ReadSession) -> int:
    """Return how many others are connected to this PostgreSQL database."""
    others = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
    return int((await session.execute(others)).scalar_one())


def _rules() -> dict[str, Select[int]]:
    # rights: counts over everybody's rows, for whoever runs the server; no content
    count = select(func.count())
    is_live = Run.status.in_(LIVE_STATUSES)
    has_run = exists().where(Run.answer_id == ChatMessage.id)
    has_live_run = exists().where(Run.answer_id == ChatMessage.id, is_live)
    is_answer = ChatMessage.role == MessageRole.ASSISTANT
    passages = select(func.count()).where(DocumentChunk.document_id == Document.id)
    is_streaming = ChatMessage.status == MessageStatus.STREAMING
    return {
        "{count} answers have no run.": count.select_from(ChatMessage).where(
            is_answer, ChatMessage.origin == MessageOrigin.CHAT, ~has_run
        ),
        "{count} answers are being written by nobody.": count.select_from(ChatMessage).where(
            is_streaming, ~has_live_run
        ),
        "{count} ended runs are not booked.": count.select_from(Run).where(
            ~is_live, ~exists().where(UsageLog.run_id == Run.id)
        ),
        "{count} runs and their answers disagree about how they ended.": count.select_from(Run)
        .join(ChatMessage, ChatMessage.id == Run.answer_id)
        .where(or_(*(and_(Run.status == end, ChatMessage.status != status) for end, status in ENDS.items()))),
        "{count} documents are ready with other passages than were cut.": count.select_from(Document).where(
            Document.stage == DocumentStage.READY, Document.chunk_count != passages.scalar_subquery()
        ),
        "{count} runs ended at no time.": count.select_from(Run).where(~is_live, Run.finished_at.is_(None)),
    }


def _legal_values() -> dict[str, Select[int]]:
    """Return a query for each column that holds a closed set: how many rows hold something else."""
    return {
        f"{{count}} rows of {table.name} hold an unknown {column.name}.": select(func.count())
        .select_from(table)
        .where(column.not_in(column.type.enums))
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, Enum)
    }
