"""What is done after an answer, never in its way: a title, tags, questions to ask next, a summary."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx2

from llm_ui.db import Database
from llm_ui.errors import LLMUIError
from llm_ui.kit.encryption import Sealer
from llm_ui.kit.ids import RunId
from llm_ui.observability.logging import get_logger
from llm_ui.runs.follow_ups import suggest
from llm_ui.runs.helper import HelperModel
from llm_ui.runs.live_run import LiveRun
from llm_ui.runs.summary import sum_up
from llm_ui.runs.tags import make_tags
from llm_ui.runs.titles import make_title
from llm_ui.services.helper import Helper, find_helper
from llm_ui.services.targets import ModelTarget

log = get_logger(__name__)

MOST = 200
"""Answers whose afterwork waits or goes on; of more than that the newest get none."""
CLOSE_S = 2.0
"""How long is waited, once all is given up, until what was used is booked."""

Work = Callable[[Database, HelperModel, ModelTarget, LiveRun], Awaitable[None]]


def wanted(helper: Helper) -> list[Work]:
    """Return what the workspace wants to be done."""
    works: list[tuple[bool, Work]] = [
        (helper.makes_titles, make_title), (helper.makes_tags, make_tags), (helper.suggests_follow_ups, suggest),
        (helper.sums_up, sum_up),
    ]  # fmt: skip
    return [work for is_wanted, work in works if is_wanted]


class Background:
    """Works after answers. One in each process of the LLM API."""

    def __init__(self, database: Database, sealer: Sealer, http: httpx2.AsyncClient) -> None:
        self._database = database
        self._model = HelperModel(database, sealer, http)
        self._tasks: dict[RunId, asyncio.Task[None]] = {}
        self._is_closed = False
        self._has_failed = False

    def after(self, live: LiveRun) -> None:
        """Begin to work after an answer that has ended, and was told so."""
        if self._is_closed or live.is_lost or len(self._tasks) >= MOST:
            return
        run_id = live.turn.run_id
        task = asyncio.create_task(self._work(live), name=f"after run {run_id}")
        self._tasks[run_id] = task
        task.add_done_callback(lambda _: self._tasks.pop(run_id))

    async def wait(self, run_id: RunId, limit_s: float) -> bool:
        """Return whether all is done after a run, once it is or the time is over."""
        task = self._tasks.get(run_id)
        if task is not None:
            await asyncio.wait({task}, timeout=limit_s)
        return task is None or task.done()

    async def close(self) -> None:
        """Give up what goes on, and begin nothing more."""
        self._is_closed = True
        tasks = set(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=CLOSE_S)

    async def _work(self, live: LiveRun) -> None:
        try:
            async with self._database.reading() as session:
                helper = await find_helper(session)
        except LLMUIError as error:
            self._failed(live, error)
            return
        if helper is None:
            return
        works = [work(self._database, self._model, helper.target, live) for work in wanted(helper)]
        outcomes = await asyncio.gather(*works, return_exceptions=True)
        failures = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        for failure in failures:
            self._failed(live, failure)
        self._has_failed = self._has_failed and bool(failures or not works)

    def _failed(self, live: LiveRun, error: BaseException) -> None:
        """Log a failure; one that goes on is told once, until something succeeds again."""
        if not isinstance(error, LLMUIError):
            log.crashed("helper.crashed", error, run_id=live.turn.run_id)
        elif not self._has_failed:
            self._has_failed = True
            log.warning("helper.failed", run_id=live.turn.run_id, code=error.code)
