"""The figures of a chart as CSV, in no language: instants as ISO 8601, money in dollars, times in milliseconds."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from llm_ui.admin.usage.asked import Asked, asked
from llm_ui.db import ReadSession
from llm_ui.kit.clock import now
from llm_ui.kit.money import plain
from llm_ui.kit.spreadsheet import Cell, csv_lines
from llm_ui.services.access import Actor
from llm_ui.services.usage import figures
from llm_ui.services.usage.figures import MONEY, Used
from llm_ui.services.usage.names import names
from llm_ui.services.usage.rollups import SUMS
from llm_ui.services.usage.zones import zone

FILES = ("series", "ranking", "week")


async def lines(session: ReadSession, actor: Actor, name: str, address: str, place: str, *, is_own: bool) -> str:
    """Return the file of a chart. Raises `Forbidden`."""
    wanted = asked(address)
    if is_own:
        wanted = replace(wanted, filters=replace(wanted.filters, user_id=actor.user_id))
    made = {"series": _series, "ranking": _ranking, "week": _week}[name]
    return csv_lines(await made(session, actor, wanted, place))


async def _series(session: ReadSession, actor: Actor, wanted: Asked, place: str) -> list[list[Cell]]:
    where, at = await zone(place), now()
    step = wanted.drawn_step(where, at)
    period = wanted.period(where, at)
    found = await figures.series(session, actor, wanted.filters, period, place=where, step=step)
    rows = [[bar.begins_at.astimezone(where).isoformat(), *_sums(bar.used)] for bar in found]
    return [[step.value, *SUMS], *rows]


async def _ranking(session: ReadSession, actor: Actor, wanted: Asked, place: str) -> list[list[Cell]]:
    by = wanted.by
    found = await figures.ranking(session, actor, wanted.filters, wanted.period(await zone(place), now()), by)
    called = await names(session, by, list(found))
    rows = [[called.get(key, ""), _text(key), *_sums(used)] for key, used in found.items()]
    return [[by.value, by.column, *SUMS], *rows]


async def _week(session: ReadSession, actor: Actor, wanted: Asked, place: str) -> list[list[Cell]]:
    where = await zone(place)
    week = await figures.heat(session, actor, wanted.filters, wanted.period(where, now()), where)
    rows = [[day + 1, hour, *_sums(used)] for day, hours in enumerate(week) for hour, used in enumerate(hours)]
    return [["iso_weekday", "hour", *SUMS], *rows]


def _sums(used: Used) -> Iterable[Cell]:
    for name in SUMS:
        value: Any = getattr(used, name)
        yield plain(value) if name in MONEY else value


def _text(key: Any) -> str:
    return "" if key is None else str(key)
