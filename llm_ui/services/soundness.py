"""Whether the database is sound: its file, its references, and what must hold between its rows."""

from sqlalchemy import Select, exists, func, select, text

from llm_ui.db import ReadSession
from llm_ui.models import LIVE_STATUSES, ChatMessage, MessageRole, MessageStatus, Run, UsageLog


async def find_problems(session: ReadSession, dialect: str) -> list[str]:
    """Return a sentence for each thing that is wrong; empty when the database is sound."""
    problems = await _file_problems(session) if dialect == "sqlite" else []
    for sentence, query in _rules().items():
        count = await session.scalar(query)
        if count:
            problems.append(sentence.format(count=count))
    return problems


async def _file_problems(session: ReadSession) -> list[str]:
    checked = (await session.execute(text("PRAGMA quick_check"))).scalars().all()
    problems = [f"The file is damaged: {line}" for line in checked if line != "ok"]
    broken = (await session.execute(text("PRAGMA foreign_key_check"))).all()
    return problems + [f"A row of {row[0]} refers to one of {row[2]} that is not there." for row in broken]


def _rules() -> dict[str, Select[int]]:
    # rights: counts over everybody's rows, for whoever runs the server; no content
    count = select(func.count())
    is_live = Run.status.in_(LIVE_STATUSES)
    has_run = exists().where(Run.answer_id == ChatMessage.id)
    has_live_run = exists().where(Run.answer_id == ChatMessage.id, is_live)
    is_answer = ChatMessage.role == MessageRole.ASSISTANT
    is_streaming = ChatMessage.status == MessageStatus.STREAMING
    return {
        "{count} answers have no run.": count.select_from(ChatMessage).where(is_answer, ~has_run),
        "{count} answers are being written by nobody.": count.select_from(ChatMessage).where(
            is_streaming, ~has_live_run
        ),
        "{count} ended runs are not booked.": count.select_from(Run).where(
            ~is_live, ~exists().where(UsageLog.run_id == Run.id)
        ),
    }
