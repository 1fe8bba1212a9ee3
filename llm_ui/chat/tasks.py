"""What one page has begun and nobody waits for."""

import asyncio
import contextvars
from collections.abc import Callable, Coroutine

from llm_ui.errors import LLMUIError


class Tasks:
    """The tasks of one page. `refuse` is told our errors, `crashed` is called inside the handler of any other."""

    def __init__(self, refuse: Callable[[LLMUIError], None], crashed: Callable[[], None]) -> None:
        self._refuse = refuse
        self._crashed = crashed
        self._running: set[asyncio.Task[None]] = set()
        # Tasks begin in this page's context, also those that another page's change begins. Each goes on in its own.
        self._context = contextvars.copy_context()

    def spawn(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Run work in a task that ends with the page."""
        task = asyncio.get_running_loop().create_task(self._guarded(work), context=self._context.copy())
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        # One that is cancelled before its first step has not begun its work.
        task.add_done_callback(lambda _: work.close())
        return task

    def close(self) -> None:
        """End them all."""
        for task in list(self._running):
            task.cancel()

    async def _guarded(self, work: Coroutine[object, object, None]) -> None:
        try:
            await work
        except LLMUIError as error:
            self._refuse(error)
        except Exception:  # noqa: BLE001 - the root of a task
            self._crashed()
