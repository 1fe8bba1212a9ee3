"""What a month will cost, by the mean of each weekday."""

from datetime import date, timedelta
from decimal import Decimal

from llm_ui.services.usage.forecast import foretold

TODAY = date(2026, 5, 13)
"""A Wednesday; eighteen days of the month are left after it."""
BEGIN = date(2026, 4, 15)
WEEKEND = 5


def days(cost_of: dict[bool, int], until: date = TODAY) -> list[tuple[date, Decimal]]:
    """Return days until today, with what a workday and a day of the weekend cost."""
    listed = (BEGIN + timedelta(days=number) for number in range((until - BEGIN).days))
    return [(day, Decimal(cost_of[day.weekday() >= WEEKEND])) for day in listed]


def test_each_day_that_is_left_costs_the_mean_of_its_weekday() -> None:
    found = foretold([*days({False: 10, True: 1}), (TODAY, Decimal(4))], TODAY)

    # Until yesterday eight workdays and four others; twelve and six more, and six that today lacks to its mean.
    assert found.spent_usd == 8 * 10 + 4 * 1 + 4
    assert found.forecast_usd == found.spent_usd + 6 + 12 * 10 + 6 * 1
    assert len(found.days) == TODAY.day


def test_a_day_above_its_mean_takes_nothing_back() -> None:
    found = foretold([*days({False: 10, True: 10}), (TODAY, Decimal(50))], TODAY)

    assert found.forecast_usd == found.spent_usd + 18 * 10


def test_without_a_day_before_the_month_costs_what_it_cost() -> None:
    assert foretold([(TODAY, Decimal(3))], TODAY).forecast_usd == 3
    assert foretold([], TODAY).forecast_usd == 0


def test_of_weekdays_that_have_not_come_yet_the_mean_of_all_is_taken() -> None:
    found = foretold([(TODAY - timedelta(days=1), Decimal(8)), (TODAY, Decimal(8))], TODAY)

    assert found.forecast_usd == 16 + 18 * 8
