import asyncio
import inspect
from contextvars import ContextVar

from llm_ui.chat.tasks import Tasks


async def test_work_that_is_ended_before_it_began_leaves_nothing_behind() -> None:
    tasks = Tasks(lambda _: None, lambda: None)
    work = asyncio.sleep(60)

    task = tasks.spawn(work)
    tasks.close()
    await asyncio.wait([task])
    await asyncio.sleep(0)

    assert inspect.getcoroutinestate(work) == inspect.CORO_CLOSED


async def test_what_a_task_sets_for_itself_is_not_seen_by_another_of_the_page() -> None:
    said = ContextVar("said", default="nothing")
    tasks = Tasks(refuse=lambda _: None, crashed=lambda: None)
    heard: list[str] = []

    async def tells() -> None:
        said.set("something")

    async def listens() -> None:
        heard.append(said.get())

    await tasks.spawn(tells())
    await tasks.spawn(listens())

    assert heard == ["nothing"]
