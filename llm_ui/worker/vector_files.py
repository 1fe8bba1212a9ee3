"""Keeping the files up in which the vectors of large projects are searched."""

import asyncio
import contextlib

from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.documents.vector_upkeep import Upkeep
from llm_ui.errors import LLMUIError
from llm_ui.observability.logging import get_logger

log = get_logger(__name__)

LOOK_S = 10.0
"""Between two looks whether a file is due: it reads a row of each document."""


async def keep_vector_files(config: Config, database: Database, stop: asyncio.Event) -> None:
    """Make the files that are due until `stop` is set; one that is being made then is begun anew by the next worker."""
    upkeep = Upkeep(database, config.vectors_path, stop)
    while not stop.is_set():
        try:
            await upkeep.look()
        except LLMUIError as error:
            log.warning("vectors.not_kept_up", code=error.code)
        except Exception:
            # The edge of a job: it is told, and tried again. Until then all vectors are compared.
            log.exception("vectors.upkeep_crashed")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_S):
                await stop.wait()
