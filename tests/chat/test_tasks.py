import asyncio
import inspect

from llm_ui.chat.tasks import Tasks


async def test_work_that_is_ended_before_it_began_leaves_nothing_behind() -> None:
    tasks = Tasks(lambda _: None, lambda: None)
    work = asyncio.sleep(60)

    task = tasks.spawn(work)
    tasks.close()
    await asyncio.wait([task])
    await asyncio.sleep(0)

    assert inspect.getcoroutinestate(work) == inspect.CORO_CLOSED
