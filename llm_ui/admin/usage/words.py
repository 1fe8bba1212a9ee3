"""Figures of usage as words and numbers of the viewer's language."""

from datetime import datetime
from zoneinfo import ZoneInfo

from llm_ui.admin.usage.asked import Metric, Range
from llm_ui.kit.i18n import day, later, number, short
from llm_ui.kit.i18n import gettext as _
from llm_ui.models import RunStatus, UsageKind
from llm_ui.services.usage.figures import Used
from llm_ui.services.usage.statements import By
from llm_ui.services.usage.zones import Step
from llm_ui.ui.amounts import in_currency, money

RANGES = {
    Range.TODAY: later("Today"),
    Range.WEEK: later("Last 7 days"),
    Range.MONTH: later("Last 30 days"),
    Range.QUARTER: later("Last 90 days"),
    Range.YEAR: later("Last 12 months"),
    Range.CUSTOM: later("From … to …"),
}
STEPS = {
    Step.HOUR: later("By the hour"),
    Step.DAY: later("By the day"),
    Step.WEEK: later("By the week"),
    Step.MONTH: later("By the month"),
}
METRICS = {
    Metric.COST: later("Cost"),
    Metric.TOKENS: later("Tokens"),
    Metric.REQUESTS: later("Requests"),
    Metric.ERRORS: later("Errors"),
}
BYS = {
    By.USER: later("Person"),
    By.PROJECT: later("Project"),
    By.TEAM: later("Team"),
    By.MODEL: later("Model"),
    By.PROVIDER: later("Provider"),
    By.AGENT: later("Agent"),
    By.KIND: later("Kind of use"),
}
KINDS = {
    UsageKind.CHAT: later("Chats"),
    UsageKind.TEMPORARY: later("Temporary chats"),
    UsageKind.API: later("API"),
    UsageKind.HELPER: later("Helper model"),
    UsageKind.EMBEDDING: later("Embeddings"),
    UsageKind.RERANKING: later("Reranking"),
}
ENDS = {
    RunStatus.COMPLETED: later("Completed"),
    RunStatus.STOPPED: later("Stopped"),
    RunStatus.FAILED: later("Failed"),
    RunStatus.INTERRUPTED: later("Interrupted"),
}
WEEKDAYS = (
    later("Monday"), later("Tuesday"), later("Wednesday"), later("Thursday"), later("Friday"), later("Saturday"),
    later("Sunday"),
)  # fmt: skip


def tile(label: str, value: str, detail: str, tone: str = "") -> dict[str, str]:
    """Return a figure with its name and what is said of it."""
    return {"label": label, "value": value, "detail": detail, "tone": tone}


def counted(label: str, count: int, detail: str) -> dict[str, str]:
    """Return a count as such a figure: short, and whole where it is pointed at."""
    return {**tile(label, short(count), detail), "exact": number(count)}


def value_of(used: Used, metric: Metric) -> float:
    """Return what a chart draws of some sums."""
    match metric:
        case Metric.COST:
            return float(in_currency(used.cost_usd))
        case Metric.TOKENS:
            return used.tokens
        case Metric.ERRORS:
            return used.errors
        case _:
            return used.requests


def written(used: Used, metric: Metric) -> str:
    """Return the same in words."""
    return money(used.cost_usd) if metric is Metric.COST else number(int(value_of(used, metric)))


def share(part: float | None) -> str:
    """Return a share as a percentage."""
    return "–" if part is None else f"{number(part * 100, '.1f')} %"


def seconds(ms: float | None) -> str:
    """Return a time; below a second in milliseconds."""
    if ms is None:
        return "–"
    return f"{number(round(ms), ',')} ms" if ms < 1_000 else f"{number(ms / 1_000, '.1f')} s"


def bar_name(at: datetime, step: Step, place: ZoneInfo) -> str:
    """Return what a bar is of."""
    local = at.astimezone(place)
    match step:
        case Step.HOUR:
            # With what it is ahead of UTC: when clocks go back an hour comes twice.
            return f"{day(local)}, {local:%H:%M} {local:%Z}"
        case Step.WEEK:
            return _("Week of {day}").format(day=day(local))
        case Step.MONTH:
            return f"{local:%Y-%m}"
        case _:
            return day(local)


def compared(value: float, before: float | None) -> str:
    """Return how far a figure is from that of the time before."""
    if before is None:
        return ""
    if before == 0:
        return _("none before") if value else ""
    return _("{change} % to before").format(change=number((value / before - 1) * 100, "+.0f"))


def called(name: str, key: object, by: By) -> str:
    """Return what a row of a ranking is called."""
    if by is By.KIND:
        return _(KINDS[UsageKind(str(key))])
    if name:
        return name
    return _("None") if key is None else _("Gone by now")
