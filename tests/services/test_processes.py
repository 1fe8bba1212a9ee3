"""What processes say of themselves, what circuits did, and which statements were slow."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text, update

from llm_ui.db import Database, Slow, without_values
from llm_ui.errors import Forbidden
from llm_ui.kit.clock import now
from llm_ui.models import AiProvider, ProcessReport, ProviderEvent, Role
from llm_ui.services import processes, session_list, system
from llm_ui.services.access import Actor
from llm_ui.services.listing import Asked, find
from llm_ui.services.processes import Reporter, add_slow
from tests.conftest import make_actor


@pytest.mark.parametrize(
    ("statement", "kept"),
    [
        ("SELECT a\n FROM b WHERE c = 'it''s' AND d = 12.5", "SELECT a FROM b WHERE c = ? AND d = ?"),
        ("SELECT t1.a2 FROM t1 WHERE a2 IN (?, ?, ?)", "SELECT t1.a2 FROM t1 WHERE a2 IN (…)"),
        ("… IN (%(id_1)s::UUID, %(id_2)s::UUID) LIMIT 5", "… IN (…) LIMIT ?"),
    ],
)
def test_a_slow_statement_is_kept_without_its_values(statement: str, kept: str) -> None:
    assert without_values(statement) == kept


async def test_a_process_says_how_it_does_and_what_was_slow(seeded: Database, an_admin: Actor) -> None:
    async with seeded.reading() as session:
        provider = (await session.scalars(select(AiProvider))).one()
    open_now = {provider.id}
    seeded.slow._slow_ms = 0
    reporter = Reporter(seeded, "api", at_work=lambda: 3, left_alone=lambda: frozenset(open_now))
    async with seeded.reading() as session:
        await session.execute(text("SELECT 4711"))

    await reporter.note_circuits()
    await reporter.report()
    open_now.clear()
    await reporter.note_circuits()
    await reporter.report()

    async with seeded.reading() as session:
        shown = await system.read(session, an_admin)
        sizes = await system.table_sizes(session, an_admin)
    (process,) = shown.processes
    assert (process.name, process.at_work, process.is_alive) == ("api", 3, True)
    assert process.memory_bytes > 1_000_000
    assert [(one.openings, one.is_open, len(one.stretches)) for one in shown.providers] == [(1, False, 3)]
    assert "SELECT ?" in [one.text for one in shown.statements]
    assert not any("4711" in one.text for one in shown.statements)
    assert len(sizes) == system.MOST_SHOWN
    assert sizes[0][1] >= sizes[-1][1] > 0
    assert shown.database_bytes > 0
    async with seeded.writing() as session:
        await session.execute(update(ProcessReport).values(reported_at=now() - timedelta(minutes=2)))
        await system.forget_statements(session, an_admin)
    async with seeded.reading() as session:
        later = await system.read(session, an_admin)
    assert not later.processes[0].is_alive
    assert later.statements == ()


async def test_of_many_slow_statements_the_longest_are_kept(
    seeded: Database, an_admin: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "MOST_STATEMENTS", 2)
    async with seeded.writing() as session:
        for name, ms in (("a", 5.0), ("b", 9.0), ("c", 7.0), ("b", 3.0)):
            await add_slow(session, {name: Slow(1, ms, ms)}, now())
        shown = await system.read(session, an_admin)

    assert [(one.text, one.count, one.mean_ms) for one in shown.statements] == [("b", 2, 6.0), ("c", 1, 7.0)]


def test_a_provider_is_left_alone_while_one_circuit_is_open() -> None:
    at = now()

    def event(hours: float, process: int, *, is_open: bool) -> ProviderEvent:
        return ProviderEvent(process_id=UUID(int=process), is_open=is_open, at=at - timedelta(hours=hours))

    found = system.health(
        "p",
        [event(12, 1, is_open=True), event(9, 2, is_open=True), event(6, 1, is_open=False), event(3, 2, is_open=False)],
        at,
    )

    assert (found.openings, found.is_open) == (1, False)
    assert [(round(one.share, 3), one.is_open) for one in found.stretches] == [
        (0.5, False), (0.125, True), (0.125, True), (0.125, True), (0.125, False),
    ]  # fmt: skip


async def test_sessions_are_seen_by_administrators_and_ended_by_them(
    seeded: Database, an_admin: Actor, a_user: Actor
) -> None:
    operator = await make_actor(seeded, "olga", Role.OPERATOR)

    async def seen(actor: Actor, search: str = "") -> list[str]:
        asked = Asked(search=search)
        async with seeded.reading() as session:
            found = await find(session, session_list.rows(actor, asked), asked)
        return sorted(one.user_name for one in found.items)

    assert await seen(an_admin) == ["ada", "bob", "olga"]
    assert await seen(an_admin, "BO") == ["bob"]
    assert await seen(operator) == ["olga"]
    async with seeded.writing() as session:
        with pytest.raises(Forbidden):
            await session_list.end(session, operator, a_user.session_id)
        await session_list.end(session, an_admin, a_user.session_id)
    assert await seen(an_admin) == ["ada", "olga"]
