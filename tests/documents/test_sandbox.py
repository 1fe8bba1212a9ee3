"""The process that reads a file: whatever becomes of it, this one gets pages or a sentence."""

import asyncio
import os
import shutil
import signal
import sys
import textwrap
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from llm_ui.documents import parse, sandbox
from llm_ui.documents.nursery import INHERITED, Nursery
from llm_ui.documents.sandbox import LIMITS, End, read_file
from llm_ui.errors import InvalidInput
from llm_ui.kit.reading import Page
from tests.documents.files import read, refusal

PARAGRAPHS = "\n\n".join(f"Paragraph {number} " + "says little. " * 100 for number in range(3000))

Children = Callable[[], list[psutil.Process]]


@pytest.fixture
def children() -> Children:
    """Return what lists the processes that began since: an earlier test may have left one that colours code."""
    before = psutil.Process().children(recursive=True)

    def new() -> list[psutil.Process]:
        running = psutil.Process().children(recursive=True)
        # The one that makes processes waits for more to do.
        known = {each.pid for each in before} | {sandbox.NURSERY.pid}
        return [each for each in running if each.pid not in known and each.status() != psutil.STATUS_ZOMBIE]

    return new


@pytest.fixture
def instead(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """Let another program run in the process: what a reader would do that was taken over by its file."""
    nursery = Nursery(tmp_path)

    def run(program: str) -> None:
        folder = tmp_path / "llm_ui" / "documents" / "parse"
        folder.mkdir(parents=True)
        for above in (folder.parent, folder.parent.parent):
            (above / "__init__.py").write_text("")
        for each in ("__init__.py", "__main__.py"):
            shutil.copy(Path(parse.__file__).with_name(each), folder)
        (folder / "reading.py").write_text(INSTEAD + textwrap.indent(program, "    "))
        monkeypatch.setattr(sandbox, "NURSERY", nursery)

    yield run
    nursery.end()


INSTEAD = """
import json, os, signal, sys, time
def prepare():
    pass
def main(channel, parent):
    os.read(channel, 10_000)
    sys.stdout = os.fdopen(channel, "w", buffering=1)
"""


async def test_the_process_is_gone_after_the_end(tmp_path: Path, children: Children) -> None:
    found = await read(tmp_path, "text", "a.txt")

    assert found.end.media_type == "text/plain"
    assert children() == []


async def test_the_process_ends_when_nobody_wants_the_rest(tmp_path: Path, children: Children) -> None:
    (tmp_path / "file").write_text(PARAGRAPHS)

    async with aclosing(read_file(tmp_path / "file", "a.txt")) as pages:
        first = await anext(pages)
        assert children()

    assert isinstance(first, Page)
    assert children() == []


async def test_the_process_ends_when_its_reader_is_cancelled(
    tmp_path: Path, instead: Callable[[str], None], children: Children
) -> None:
    instead("time.sleep(60)")
    task = asyncio.create_task(read(tmp_path, "text", "a.txt"))
    while not children():
        await asyncio.sleep(0.01)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert children() == []


LEFT_ALONE = """
import asyncio, sys
from pathlib import Path
from llm_ui.documents import parse, sandbox
async def main():
    reading = sandbox.read_file(Path(sys.argv[1]), "a.txt")
    task = asyncio.create_task(anext(reading))
    while not sandbox.NURSERY.pid:
        await asyncio.sleep(0.01)
    print(sandbox.NURSERY.pid, flush=True)
    await task
asyncio.run(main())
"""


async def test_the_processes_end_with_whoever_started_them(tmp_path: Path) -> None:
    pipe = tmp_path / "endless"
    os.mkfifo(pipe)
    arguments = [sys.executable, "-c", LEFT_ALONE, str(pipe)]
    starter = await asyncio.create_subprocess_exec(*arguments, stdout=asyncio.subprocess.PIPE)
    assert starter.stdout is not None
    nursery = psutil.Process(int(await starter.stdout.readline()))
    written = await opened_for_writing(pipe)
    both = [nursery, *nursery.children()]
    assert len(both) == 2

    # It waits for something to read, and would do so for ever.
    starter.kill()
    await starter.wait()

    while any(each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in both):
        await asyncio.sleep(0.05)
    os.close(written)


async def test_the_process_that_makes_others_ends_when_idle_and_is_made_anew_when_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nursery = Nursery(Path(sandbox.__file__).parents[2], idle_s=0.2)
    monkeypatch.setattr(sandbox, "NURSERY", nursery)

    assert (await read(tmp_path, "text", "a.txt")).text == "text"
    process = nursery.pid
    assert process
    # Nobody asks for it, and yet nothing of it is left.
    while psutil.pid_exists(process):
        await asyncio.sleep(0.05)
    for _ in range(2):
        assert (await read(tmp_path, "text", "a.txt")).text == "text"
        assert nursery.pid
        os.kill(nursery.pid, signal.SIGKILL)
    await asyncio.to_thread(nursery.end)


async def test_one_process_knows_nothing_of_the_file_of_another(tmp_path: Path, instead: Callable[[str], None]) -> None:
    instead("print(json.dumps({'refused': ' '.join(os.readlink(f'/proc/self/fd/{n}') for n in range(3, 30) "
            "if os.path.exists(f'/proc/self/fd/{n}') or os.path.islink(f'/proc/self/fd/{n}'))}))")  # fmt: skip

    async def handles() -> list[str]:
        return (await refusal(tmp_path, "text", "a.txt")).split()

    # Its own channel, and nothing of those that are read beside it or of the process that made it.
    assert [len(found) for found in await asyncio.gather(handles(), handles(), handles())] == [1, 1, 1]


async def opened_for_writing(pipe: Path) -> int:
    """Return the pipe's other end, once somebody reads from it."""
    while True:
        try:
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", "breaks the program that reads it"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "needs too much memory"),
        ("os.kill(os.getpid(), signal.SIGXCPU)", "takes too long to read"),
        ("sys.exit(1)", "breaks the program that reads it"),
        ("sys.exit(0)", "breaks the program that reads it"),
        ("print('no JSON')", "breaks the program that reads it"),
        ("print('[]')", "breaks the program that reads it"),
        ("print('{}')", "breaks the program that reads it"),
        ("print(json.dumps({'page': 1, 'blocks': [{'kind': 'odd', 'text': ''}]}))", "breaks the program that reads it"),
        ("sys.stdout.write('x' * 10_000_000)", "breaks the program that reads it"),
        ("time.sleep(60)", "takes too long to read"),
        ("if os.fork() or True: time.sleep(60)", "takes too long to read"),
    ],
)  # fmt: skip
async def test_whatever_becomes_of_the_process_is_told(
    tmp_path: Path, instead: Callable[[str], None], children: Children, program: str, said: str
) -> None:
    instead(program)

    sentence = await refusal(tmp_path, "text", "{odd} name.txt", limits=replace(LIMITS, page_s=0.5))

    assert sentence.startswith("{odd} name.txt ")
    assert said in sentence
    assert children() == []


async def test_a_page_that_comes_and_then_nothing_is_told(tmp_path: Path, instead: Callable[[str], None]) -> None:
    instead("print(json.dumps({'page': 1, 'blocks': []}), flush=True)\nos.kill(os.getpid(), signal.SIGSEGV)")

    pages = read_file(tmp_path / "file", "a.txt")

    assert await anext(pages) == Page(1, ())
    with pytest.raises(InvalidInput, match="breaks the program"):
        await anext(pages)


async def test_only_waiting_for_the_process_counts(tmp_path: Path) -> None:
    (tmp_path / "file").write_text(PARAGRAPHS)

    seen = 0
    async for found in read_file(tmp_path / "file", "a.txt", limits=replace(LIMITS, page_s=2, total_s=2)):
        seen += 1
        if seen == 1:
            await asyncio.sleep(2.1)
        last = found

    assert isinstance(last, End)


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (replace(LIMITS, pages=3), "has more than 3 pages. Split it and add the parts."),
        (replace(LIMITS, text_chars=2_000_000), "holds more text than can be read. Split it and add the parts."),
        (replace(LIMITS, page_chars=1_000), "holds more text than can be read. Split it and add the parts."),
        (replace(LIMITS, total_s=0.001), "takes too long to read. Split it, or save it anew, and add that."),
        (replace(LIMITS, memory_mb=20), "needs too much memory to be read. Split it and add the parts."),
    ],
)  # fmt: skip
async def test_limits_are_told(tmp_path: Path, limits: sandbox.Limits, said: str) -> None:
    assert await refusal(tmp_path, PARAGRAPHS, "a.txt", limits=limits) == f"a.txt {said}"


PROBE = """
from pathlib import Path
from llm_ui.documents.parse.reading import confine
from llm_ui.documents.parse.source import Limits
confine(Limits())
import os, socket, subprocess
def tried(what):
    try:
        what()
    except OSError as error:
        return type(error).__name__
    return "done"
found = [
    tried(lambda: socket.create_connection(("127.0.0.1", 1))),
    tried(lambda: socket.getaddrinfo("localhost", 1)),
    tried(lambda: subprocess.run(["true"])),
    tried(lambda: os.system("true")),
    tried(lambda: Path(PATH).write_text("x")),
]
print(found, sorted(os.environ))
"""


async def test_the_process_can_neither_connect_nor_start_nor_write_and_has_no_secrets(tmp_path: Path) -> None:
    probe = PROBE.replace("PATH", repr(str(tmp_path / "written")))

    process = await asyncio.create_subprocess_exec(sys.executable, "-c", probe, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()

    assert out.decode().startswith(str(["PermissionError"] * 4 + ["OSError"]))
    assert not (tmp_path / "written").exists() or not (tmp_path / "written").stat().st_size


async def test_the_process_gets_no_secret(
    tmp_path: Path, instead: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLM_UI_DATABASE_URL", "secret")
    instead("print(json.dumps({'refused': ' '.join(sorted(os.environ))}))")

    assert set((await refusal(tmp_path, "text", "a.txt")).split()) <= {
        *INHERITED, "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "LC_CTYPE",
    }  # fmt: skip


async def test_memory_here_stays_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "file").write_text(PARAGRAPHS * 5)
    process = psutil.Process()

    async def everything() -> AsyncGenerator[Page | End]:
        async for found in read_file(tmp_path / "file", "a.txt"):
            yield found

    before, most = process.memory_info().rss, 0
    async for _ in everything():
        most = max(most, process.memory_info().rss)

    assert (most - before) / 1e6 < 10
