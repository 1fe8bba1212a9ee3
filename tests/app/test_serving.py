"""The server as a whole: its limits, its end, what it leaves behind."""

import asyncio
import gc
import signal
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import param
import pytest
from bokeh.document import Document
from panel import state
from tornado.iostream import StreamClosedError
from tornado.tcpclient import TCPClient

from llm_ui.app import serving
from llm_ui.app.routing import applications as all_applications
from llm_ui.app.serving import MAX_BODY_BYTES, ActorOf, serve
from llm_ui.auth.site import Site
from llm_ui.config import Config
from llm_ui.errors import ConfigurationError
from llm_ui.services import users
from tests.app.browser import closed, pulled, until
from tests.app.conftest import Workspace, pages

SESSIONS = 200
SERVICE_RESTART = 1012


def in_memory() -> Counter[str]:
    """How many Bokeh documents are in memory, and how many states, views and widgets."""
    gc.collect()
    kept = (Document, param.Parameterized)
    return Counter(type(thing).__name__ for thing in gc.get_objects() if isinstance(thing, kept))


async def test_closing_tells_the_pages_and_runs_what_they_registered(site: Site, workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")
    page = await ann.open()
    (live,) = workspace.served.documents
    ended: list[object] = []
    live.document.on_session_destroyed(ended.append)

    await workspace.served.close()

    assert await closed(page) == SERVICE_RESTART
    assert len(ended) == 1
    workspace.served = serve(site, pages)


async def test_health_tells_whether_visitors_are_taken(workspace: Workspace) -> None:
    before = await workspace.browser().get("/healthz", Host="10.1.2.3:5006")
    workspace.served._readiness.is_ready = False
    closing = await workspace.browser().get("/healthz")

    assert (before.code, closing.code) == (200, 503)


async def test_a_port_that_is_taken_is_one_sentence(workspace: Workspace) -> None:
    with pytest.raises(ConfigurationError, match="Choose another port with --port"):
        serve(workspace.site, pages)


async def test_a_body_that_no_form_of_ours_has_is_refused(workspace: Workspace) -> None:
    port = workspace.site.backend.config.port
    stream = await TCPClient().connect("127.0.0.1", port)
    head = f"POST /login HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {MAX_BODY_BYTES + 1}\r\n\r\n"

    await stream.write(head.encode())

    try:
        answer = await stream.read_until_close()
    except StreamClosedError:
        answer = b""
    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 413"))


async def test_a_browser_that_never_finishes_its_headers_is_cut_off(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    await workspace.served.close()
    monkeypatch.setattr(serving, "SLOW_S", 0.2)
    workspace.served = serve(workspace.site, pages)
    stream = await TCPClient().connect("127.0.0.1", workspace.site.backend.config.port)

    await stream.write(b"GET / HTTP/1.1\r\nHost:")

    async with asyncio.timeout(5):
        assert await stream.read_until_close() == b""


async def test_the_watch_over_ended_sign_ins_failing_ends_the_serving(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> tuple[object, ...]:
        raise KeyError

    monkeypatch.setattr("llm_ui.app.sockets.ended_among", broken)
    await (await workspace.signed_in("ann")).open()

    with pytest.raises(KeyError):
        await workspace.served.until(asyncio.Event())


class TestTheRealPages:
    """With the workspace's own pages."""

    @pytest.fixture(autouse=True)
    def _blocking_calls_fail(self) -> None:
        """Not here: looking for blocking calls in so many pages takes longer than the pages."""

    @pytest.fixture
    def applications(self, site: Site) -> Callable[[ActorOf], Mapping[str, Callable[[], Any]]]:
        """The pages of the product."""
        return lambda actor_of: all_applications(site.backend, actor_of)

    async def test_sessions_that_are_closed_leave_no_document_behind(self, workspace: Workspace) -> None:
        ann = await workspace.signed_in("ann")
        await self._open_and_close(workspace, ann, 5)
        before = in_memory()

        await self._open_and_close(workspace, ann, SESSIONS)

        assert in_memory() == before
        assert not state._views

    async def _open_and_close(self, workspace: Workspace, browser: Any, times: int) -> None:
        for number in range(times):
            page = await browser.open("/" if number % 2 else "/c/1")
            await pulled(page)
            page.close()
            del page
            browser.sockets.clear()
        await until(lambda: not workspace.served._server._tornado._clients)
        for context in workspace.served._server._tornado.applications.values():
            for live in context.sessions:
                live.request_expiration()
            await context._cleanup_sessions(0)


class TestTheProcess:
    """`python -m llm_ui.app`."""

    async def start(self, config: Config) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "llm_ui.app", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env={"LLM_UI_DATA_DIR": str(config.folder), "LLM_UI_PORT": str(config.port), "PATH": ""},
        )  # fmt: skip

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    async def test_it_prints_the_setup_link_and_ends_well_when_told(
        self, sqlite_config: Config, number: signal.Signals
    ) -> None:
        process = await self.start(sqlite_config)
        assert process.stdout is not None
        line = b""
        async with asyncio.timeout(60):
            while b"/setup?token=" not in line:
                line = await process.stdout.readline()
                assert line, await process.communicate()

        process.send_signal(number)

        async with asyncio.timeout(30):
            assert await process.wait() == 0
        assert f"http://127.0.0.1:{sqlite_config.port}/setup?token=".encode() in line
        await process.communicate()

    async def test_a_taken_port_is_one_sentence_and_exit_code_1(self, workspace: Workspace) -> None:
        process = await self.start(workspace.site.backend.config)

        async with asyncio.timeout(60):
            _, said = await process.communicate()

        assert process.returncode == 1
        assert said.decode().splitlines()[-1].startswith("llm-ui: The pages cannot be served on 127.0.0.1:")
        assert b"Traceback" not in said


async def test_a_setup_link_is_made_anew_at_each_start_while_there_is_no_administrator(site: Site) -> None:
    async with site.backend.database.writing() as session:
        first = await users.new_setup_token(session)
    async with site.backend.database.writing() as session:
        second = await users.new_setup_token(session)

    assert first
    assert second
    assert first != second
