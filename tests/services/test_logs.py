"""The log of all processes: what is kept of a line, how it is found, and what is let go of."""

import logging
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select, update

from llm_ui.db import Database
from llm_ui.errors import Forbidden
from llm_ui.kit.clock import now
from llm_ui.models import LogEntry
from llm_ui.observability.logging import Line, Recent, get_logger
from llm_ui.observability.origin import Origin, come_from
from llm_ui.services import logs
from llm_ui.services.access import Actor
from llm_ui.services.listing import Asked, find
from llm_ui.services.processes import Reporter


@pytest.fixture
def recent() -> Recent:
    handler = Recent()
    logging.getLogger().addHandler(handler)
    yield handler
    logging.getLogger().removeHandler(handler)


async def found(database: Database, actor: Actor, search: str = "", **filters: str) -> list[str]:
    asked = Asked(search=search, filters=filters)
    async with database.reading() as session:
        return [line.event for line in (await find(session, logs.rows(actor, asked), asked)).items]


async def test_lines_are_written_down_and_found(
    database: Database, an_admin: Actor, a_user: Actor, recent: Recent
) -> None:
    log = get_logger("llm_ui.somewhere")
    come_from(Origin(request_id="r-7"))
    log.warning("disk.slow", ms=5)
    come_from(Origin())
    log.error("run.lost", user_id=a_user.user_id, request_id="r-8")
    try:
        int("the secret plan of somebody")
    except ValueError:
        log.exception("page.crashed")
    logging.getLogger("tornado.access").warning("GET /setup?token=%s", "a token")

    await Reporter(database, "api").note_log()

    events = ["disk.slow", "run.lost", "page.crashed", "tornado.access"]
    assert await found(database, an_admin) == events
    assert await found(database, an_admin, level=str(logging.ERROR)) == ["run.lost", "page.crashed"]
    assert await found(database, an_admin, "r-7") == ["disk.slow"]
    assert await found(database, an_admin, "ms=5 DISK") == ["disk.slow"]
    assert await found(database, an_admin, a_user.name) == ["run.lost"]
    assert await found(database, an_admin, process="ui") == []
    assert await found(database, an_admin, hours="1") == events
    assert await found(database, an_admin, "secret") == await found(database, an_admin, "token") == []
    assert await found(database, an_admin, "ValueError test_logs.py") == ["page.crashed"]
    with pytest.raises(Forbidden):
        logs.rows(a_user, Asked())


async def test_what_is_old_or_too_much_is_let_go_of(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MOST", 3)

    async def kept() -> int:
        async with database.writing() as session:
            await logs.forget(session)
            return await session.scalar(select(func.count()).select_from(LogEntry)) or 0

    for _ in range(5):
        async with database.writing() as session:
            await logs.add(session, "ui", [Line(now(), logging.INFO, "a.b", {"user_id": str(uuid4())}, "")])
    assert await kept() == 3
    async with database.writing() as session:
        await session.execute(update(LogEntry).values(at=now() - logs.KEPT - timedelta(minutes=1)))
    assert await kept() == 0
