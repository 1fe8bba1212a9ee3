"""What a month will cost.

The formula: what was spent since the month began, and for each day that is left the mean of the same weekday over the
28 whole days before today. Of today what is still missing to its mean counts. Where there are fewer days since the
first use, those; of a weekday that has not come yet the mean of all days. All days are the viewer's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from llm_ui.db import ReadSession
from llm_ui.services.access import Actor
from llm_ui.services.usage import figures
from llm_ui.services.usage.slots import Period
from llm_ui.services.usage.statements import Filters
from llm_ui.services.usage.zones import DAY, Step, first_day, midnight, next_day

LOOKED_BACK = 28 * DAY
"""Four of each weekday."""


@dataclass(frozen=True, slots=True)
class Month:
    """What a month cost so far, and what it will."""

    spent_usd: Decimal
    forecast_usd: Decimal
    days: tuple[tuple[date, Decimal], ...]
    """What each of its days until today cost."""


async def month(session: ReadSession, actor: Actor, filters: Filters, place: ZoneInfo, at: datetime) -> Month:
    """Return the month of an instant. Raises `Forbidden` for others' use."""
    today = at.astimezone(place).date()
    start = min(first_day(today, Step.MONTH), today - LOOKED_BACK)
    period = Period(midnight(start, place), midnight(today + DAY, place))
    bars = await figures.series(session, actor, filters, period, place=place, step=Step.DAY)
    return foretold([(bar.begins_at.astimezone(place).date(), bar.used.cost_usd) for bar in bars], today)


def foretold(days: Sequence[tuple[date, Decimal]], today: date) -> Month:
    """Return the month of today, of what each day until today cost."""
    first = first_day(today, Step.MONTH)
    spent = {day: cost for day, cost in days if day >= first}
    began = next((day for day, cost in days if cost), today)
    before = [(day, cost) for day, cost in days if max(began, today - LOOKED_BACK) <= day < today]
    so_far = sum(spent.values(), Decimal(0))
    if not before:
        return Month(so_far, so_far, tuple(spent.items()))
    all_days = sum((cost for _, cost in before), Decimal(0)) / len(before)

    def mean(day: date) -> Decimal:
        same = [cost for one, cost in before if one.weekday() == day.weekday()]
        return sum(same, Decimal(0)) / len(same) if same else all_days

    left = max(Decimal(0), mean(today) - spent.get(today, Decimal(0)))
    day = today + timedelta(days=1)
    while day < next_day(first, Step.MONTH):
        left += mean(day)
        day += DAY
    return Month(so_far, so_far + left, tuple(spent.items()))
