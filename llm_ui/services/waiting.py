"""How much waits to be worked on, in numbers."""

from sqlalchemy import func, select

from llm_ui.db import ReadSession
from llm_ui.models import BackgroundJob, Document, DocumentStage, JobState, Run, RunStatus


async def waiting(session: ReadSession) -> dict[str, int]:
    """Return how many answers, documents and jobs wait; for whoever watches the product, without any content."""
    # rights: counts only
    runs = select(func.count()).select_from(Run).where(Run.status == RunStatus.QUEUED)
    is_waiting = Document.stage.not_in((DocumentStage.READY, DocumentStage.FAILED))
    documents = select(func.count()).select_from(Document).where(is_waiting)
    jobs = select(func.count()).select_from(BackgroundJob).where(BackgroundJob.state == JobState.QUEUED)
    named = {"answers": runs, "documents": documents, "jobs": jobs}
    return {name: await session.scalar(query) or 0 for name, query in named.items()}
