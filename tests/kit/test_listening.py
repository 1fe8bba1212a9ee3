import logging

import pytest
import uvicorn

from llm_ui.kit.listening import Server

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


def test_the_sentence_is_that_of_uvicorn() -> None:
    assert CANCELLED in (Server.__mro__[1].shutdown.__code__.co_consts)
