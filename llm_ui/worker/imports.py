"""Bringing in the files that people have uploaded, one after the other.

What there is to do stands in the database, so whichever worker lives does it; a killed one's job is gone on with where
its last commit left it.
"""

import asyncio
import contextlib
import secrets
import time
from pathlib import Path

from llm_ui.config import Config
from llm_ui.db import Database, Session
from llm_ui.errors import LLMUIError, Unavailable, unforeseen
from llm_ui.kit.file_store import FileStore
from llm_ui.kit.i18n import later
from llm_ui.models import JobState
from llm_ui.observability.logging import get_logger
from llm_ui.services import jobs
from llm_ui.services.import_progress import Progress
from llm_ui.services.imports import import_file, upload_path
from llm_ui.services.jobs import Claim
from llm_ui.worker.loop import keep_working

log = get_logger(__name__)

LOOK_S = 1.0
"""Between two looks for work."""
KEPT_S = 7 * 86_400
"""A file that nobody brings in, such as of an upload during which the server ended, is deleted after a week."""
MISSING = later("The uploaded file is not on this server any more. Upload it again.")


async def keep_importing(config: Config, database: Database, stop: asyncio.Event) -> None:
    """Do what there is to do until `stop` is set; what is being done then is given back."""
    await asyncio.to_thread(_clear_up, config.folder / "imports")

    async def work(held: Claim) -> None:
        await _work(config, database, held, stop)

    await keep_working(database, stop, LOOK_S, jobs.is_any_waiting, jobs.claim, work)


async def _work(config: Config, database: Database, held: Claim, stop: asyncio.Event) -> None:
    path = upload_path(config.folder, held.id)
    log.info("import.started", job_id=held.id, user_id=held.actor.user_id)
    state, said = JobState.COMPLETED, None
    try:
        is_done = await _import(config, database, held, stop)
        if not is_done and stop.is_set():
            async with database.writing() as session:
                await jobs.release(session, held)
            return
    except Unavailable:
        raise
    except LLMUIError as error:
        state, said = JobState.FAILED, error.message
    except FileNotFoundError:
        state, said = JobState.FAILED, MISSING
    except Exception:
        # The edge of a job: it is told, and the next one is done.
        error_id = secrets.token_hex(4)
        log.exception("import.crashed", job_id=held.id, error_id=error_id)
        state, said = JobState.FAILED, unforeseen(error_id).message
    async with database.writing() as session:
        is_over = await jobs.finish(session, held, state, said)
    if is_over:
        await asyncio.to_thread(path.unlink, missing_ok=True)
    log.info("import.ended", job_id=held.id, state=state)


async def _import(config: Config, database: Database, held: Claim, stop: asyncio.Event) -> bool:
    async def note(session: Session, progress: Progress, done: int, total: int) -> bool:
        is_mine = await jobs.note(session, held, done, total, progress.stored())
        return is_mine and not stop.is_set()

    path, store = upload_path(config.folder, held.id), FileStore(config.files_path)
    begun, most = Progress.of(held.progress), config.max_document_mb
    return await import_file(database, store, held.actor, path, begun, note, max_document_mb=most)


def _clear_up(folder: Path) -> None:
    """Delete what has lain in the folder for long."""
    for path in folder.glob("*"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > KEPT_S:
                path.unlink()
