import asyncio
import logging
import socket

import pytest
import uvicorn

from llm_ui.kit.listening import Server, bound
from tests.fakes.postgresql import free_port

CANCELLED = "Cancel %s running task(s), timeout graceful shutdown exceeded"
"""As uvicorn logs it."""


async def nothing(*_: object) -> None:
    """Serve nothing."""


def test_only_answers_that_were_cut_off_are_an_error(caplog: pytest.LogCaptureFixture) -> None:
    Server(uvicorn.Config(nothing, log_config=None))
    log = logging.getLogger("uvicorn.error")

    log.error(CANCELLED, 0)
    log.error(CANCELLED, 2)
    log.error("Something else")

    assert [record.getMessage() for record in caplog.records] == [CANCELLED % 2, "Something else"]


async def test_small_pieces_do_not_wait_for_each_other() -> None:
    taken: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def note(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken.set_result(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    port = free_port()
    server = await asyncio.start_server(note, sock=bound("127.0.0.1", port, "server", "--port"))
    async with server:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.timeout(5):
            assert await taken != 0
        writer.close()


def test_the_sentence_is_that_of_uvicorn() -> None:
    assert CANCELLED in (Server.__mro__[1].shutdown.__code__.co_consts)
