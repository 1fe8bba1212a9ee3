"""How SQLite reads what dashboards ask for: by the time, never all booked calls. Its plans need no rows to be true."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Select, text

from llm_ui.db import Database
from llm_ui.kit.ids import UserId, uuid7
from llm_ui.models import UsageKind, UsageLog
from llm_ui.services import run_list, user_list
from llm_ui.services.access import SYSTEM
from llm_ui.services.listing import Asked
from llm_ui.services.usage import calls, statements
from llm_ui.services.usage.slots import Period
from llm_ui.services.usage.statements import By, Filters
from llm_ui.services.usage.zones import segments

END = datetime(2026, 5, 4, 12, 7, tzinfo=UTC)
MONTH = Period(END - timedelta(days=30), END)
FILTERS = {
    "all": Filters(), "a person": Filters(user_id=UserId(uuid7())), "people": Filters(people=(UserId(uuid7()),)),
    "a kind": Filters(kind=UsageKind.API),
}  # fmt: skip
NARROWED = {
    "user_id": "ix_usage_dimensions_user_id", "team_id": "ix_usage_dimensions_team",
    "project_id": "ix_usage_dimensions_project", "agent_id": "ix_usage_dimensions_agent",
}  # fmt: skip
"""What is filtered by, and the index of combinations that finds it."""
ZONE = segments(MONTH, ZoneInfo("Asia/Kathmandu"))


def asked_for(filters: Filters) -> dict[str, Select[object]]:
    """Return each statement of a dashboard."""
    found: dict[str, Select[object]] = {f"ranking by {by}": statements.ranking(filters, MONTH, by, 200) for by in By}
    return found | {
        "tiles": statements.totals(filters, MONTH),
        "bars": statements.series(filters, ZONE, 86_400),
        "hours of the week": statements.heat(filters, ZONE),
        "percentiles": statements.latencies(filters, MONTH),
        "who is active": statements.active(filters, MONTH),
        "calls": calls.statement(filters, MONTH).limit(25),
    }


async def plan(database: Database, statement: Select[object]) -> list[str]:
    """Return the steps in which SQLite reads it."""
    async with database.reading() as session:
        said = await session.execute(
            text(f"EXPLAIN QUERY PLAN {statements.as_sql(statement, database.engine.dialect)}")
        )
        return [row.detail for row in said]


@pytest.mark.parametrize("filters", FILTERS.values(), ids=FILTERS)
async def test_no_figure_reads_all_calls(sqlite_database: Database, filters: Filters) -> None:
    for name, statement in asked_for(filters).items():
        steps = await plan(sqlite_database, statement)

        whole = [step for step in steps if step.startswith(("SCAN usage_logs", "SCAN usage_rollups"))]
        assert not whole, f"{name}: {whole}"


@pytest.mark.parametrize("filters", FILTERS.values(), ids=FILTERS)
async def test_what_waits_is_found_by_that_and_never_person_by_person(
    sqlite_database: Database, filters: Filters
) -> None:
    for name, statement in asked_for(filters).items():
        steps = await plan(sqlite_database, statement)

        assert not [step for step in steps if "ANY(" in step], f"{name}: {steps}"
        if any("usage_totals" in step or "usage_rollups" in step for step in steps):
            assert any("ix_usage_logs_waiting" in step for step in steps), f"{name}: {steps}"


@pytest.mark.parametrize("narrowed", NARROWED)
async def test_what_few_used_is_found_by_whom_it_is_of(sqlite_database: Database, narrowed: str) -> None:
    filters = Filters(**{narrowed: uuid7()})
    for name in ("ranking by model", "tiles", "bars"):
        steps = await plan(sqlite_database, asked_for(filters)[name])

        of_rollups = [step for step in steps if "usage_rollups" in step]
        assert of_rollups, steps
        assert all("ix_usage_rollups_dimension_id_span_slot" in step for step in of_rollups), f"{name}: {steps}"
        assert any(NARROWED[narrowed] in step for step in steps), f"{name}: {steps}"


async def test_lists_find_rare_calls_and_what_people_used_by_an_index(sqlite_database: Database) -> None:
    asked = Asked(filters={"status": "failed"}, sort="at", is_descending=True)
    failed = run_list.rows(SYSTEM, asked).query
    by_cost = user_list.rows(SYSTEM, Asked(sort="cost"))

    of_calls = await plan(sqlite_database, failed.order_by(UsageLog.created_at.desc()).limit(50))
    of_people = await plan(sqlite_database, by_cost.joined(by_cost.query, "cost"))

    assert any("ix_usage_logs_status_created_at" in step for step in of_calls)
    assert not any("TEMP B-TREE" in step for step in of_calls)
    assert not any(step.startswith("SCAN usage_logs") for step in of_people)
