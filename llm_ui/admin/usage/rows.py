"""Figures of a usage page as fields, tiles and rows."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from llm_ui.admin.limits import left_rows, rates_rows
from llm_ui.admin.usage import words
from llm_ui.admin.usage.asked import Asked, Metric, Range
from llm_ui.admin.usage.charts import drawn
from llm_ui.admin.usage.state import Figures
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import instant, ngettext, number
from llm_ui.kit.ids import RunId
from llm_ui.services.usage import behind
from llm_ui.services.usage.calls import CallInfo
from llm_ui.services.usage.figures import Used
from llm_ui.services.usage.slots import Period
from llm_ui.services.usage.statements import By, Filters
from llm_ui.services.usage.zones import Step
from llm_ui.ui.amounts import money

Field = dict[str, Any]
NEARLY_ALL = 0.999
MANY_FAILED = 0.05
"""Of the requests: from here on it is shown as a problem."""


def fields(shown: Figures | None, bys: tuple[By, ...]) -> list[Field]:
    """Return the filters."""
    asked = Asked() if shown is None else shown.asked
    choices: Mapping[By, Mapping[Any, str]] = {} if shown is None else shown.choices
    days: list[Field] = []
    if asked.range is Range.CUSTOM:
        days = [
            {"name": name, "label": label, "type": "day", "value": str(value), "usual": ""}
            for name, label, value in (("first", _("From"), asked.first), ("last", _("Until"), asked.last))
        ]
    steps = [("", _("As suits the range")), *_named(words.STEPS)]
    return [
        _choice("range", _("Range"), asked.range, _named(words.RANGES), Range.MONTH),
        *days,
        _choice("step", _("Bars"), asked.step or "", steps),
        _choice("metric", _("Figure"), asked.metric, _named(words.METRICS), Metric.COST),
        _choice("by", _("Ranking"), asked.by, [(by.value, _(words.BYS[by])) for by in bys], By.MODEL),
        *(_filter(by, asked, choices.get(by, {})) for by in bys),
        {
            "name": "compare", "label": _("Compare with the time before"), "type": "check",
            "value": "yes" if asked.is_compared else "no", "usual": "yes",
        },
    ]  # fmt: skip


def _named(labels: Mapping[Any, str]) -> list[tuple[str, str]]:
    return [(one.value, _(label)) for one, label in labels.items()]


def _choice(name: str, label: str, value: str, options: list[tuple[str, str]], usual: str = "") -> Field:
    return {
        "name": name,
        "label": label,
        "value": str(value),
        "usual": str(usual),
        "options": [list(one) for one in options],
    }


def _filter(by: By, asked: Asked, named: Mapping[Any, str]) -> Field:
    chosen = getattr(asked.filters, by.column)
    options = _named(words.KINDS) if by is By.KIND else [(str(key), name) for key, name in named.items()]
    if chosen is not None and str(chosen) not in dict(options):
        options = [*options, (str(chosen), _("Gone by now"))]
    return _choice(by.value, _(words.BYS[by]), str(chosen or ""), [("", _("All")), *options])


def tiles(shown: Figures | None) -> list[dict[str, str]]:
    """Return the figures that are told first."""
    if shown is None:
        return []
    used, before = shown.used, shown.before

    def than(name: str) -> str:
        return words.compared(float(getattr(used, name)), None if before is None else float(getattr(before, name)))

    def took(label: str, name: str) -> dict[str, str]:
        ms: float | None = getattr(shown.times, name)
        was = None if shown.times_before is None else getattr(shown.times_before, name)
        return words.tile(label, words.seconds(ms), "" if ms is None else words.compared(ms, was))

    cached = used.cached_tokens / used.input_tokens if used.input_tokens else None
    speed = used.tokens_per_second
    so_far = _("{amount} so far").format(amount=money(shown.month.spent_usd))
    failed = "error" if (used.error_rate or 0) > MANY_FAILED else ""
    return [
        words.tile(_("Cost"), money(used.cost_usd), than("cost_usd")),
        words.tile(_("This month, forecast"), money(shown.month.forecast_usd), so_far),
        words.counted(_("Tokens"), used.tokens, than("tokens")),
        words.tile(_("of these cached"), words.share(cached), _("of the tokens sent")),
        words.counted(_("Requests"), used.requests, than("requests")),
        words.tile(_("Failed"), words.share(used.error_rate), than("errors"), failed),
        took(_("First token, half within"), "ttft_p50_ms"),
        took(_("First token, 95 % within"), "ttft_p95_ms"),
        took(_("Whole answer, 95 % within"), "total_p95_ms"),
        *_saved(used),
        words.tile(_("Tokens a second"), "–" if speed is None else number(speed, ".1f"), _("while they are written")),
    ]


def _saved(used: Used) -> list[dict[str, str]]:
    """Return what kept answers have saved; nothing where none was given."""
    if not used.hits:
        return []
    given = ngettext("{count} answer from the cache", "{count} answers from the cache", used.hits)
    return [words.tile(_("Saved"), money(used.saved_usd), given.format(count=number(used.hits)))]


def source(shown: Figures | None) -> str:
    """Return whose figures these are: the providers', or estimates, and what has no price."""
    if shown is None or not shown.used.requests:
        return ""
    used = shown.used
    said = _("All tokens are as the providers told them.")
    if used.estimates:
        said = _(
            "{share} of the requests are as the providers told them; the tokens of the others are estimated, {amount} "
            "of the cost."
        )
        told = min(1 - used.estimates / used.requests, NEARLY_ALL)
        said = said.format(share=words.share(told), amount=money(used.estimated_usd))
    unpriced = ngettext(
        "{count} request is of a model without a known price and is not in the cost.",
        "{count} requests are of models without a known price and are not in the cost.",
        used.unpriced,
    )
    more = unpriced.format(count=number(used.unpriced)) if used.unpriced else ""
    return f"{said} {more} " + _("Percentiles are off by 9 % at most.")


def columns(first: str) -> list[str]:
    """Return the labels of a table of figures."""
    sums = _("Requests"), _("Failed"), _("Tokens in"), _("of these cached"), _("Tokens out"), _("Cost")
    return [first, *sums]


def _sums(used: Used) -> list[str]:
    tokens = used.input_tokens, used.cached_tokens, used.output_tokens
    return [number(used.requests), number(used.errors), *map(number, tokens), money(used.cost_usd)]


def _linked(used: Used, runs: str) -> list[Any]:
    """Return the same, where the number of requests leads to the runs behind it."""
    requests, *others = _sums(used)
    if not runs or not used.requests:
        return [requests, *others]
    label = ngettext("The run behind it", "The {n} runs behind it", used.requests).format(n=requests)
    return [{"text": requests, "href": runs, "label": label}, *others]


def over_time_sentence(*, is_own: bool) -> str:
    """Return what a bar leads to."""
    if is_own:
        return _("A bar leads to its days; the dashed line is the time before.")
    return _("A bar leads to its days, that of an hour to its runs; the dashed line is the time before.")


def are_bars_shortest(shown: Figures) -> bool:
    """Return whether a bar leads to its runs, as there is nothing shorter that it could lead to."""
    return shown.step is Step.HOUR and not shown.is_own


def runs_of_bar(shown: Figures, index: int) -> str:
    """Return where the runs behind a bar are; nowhere for who may not see them."""
    ends = [*(bar.begins_at for bar in shown.bars[1:]), shown.period.end]
    return _runs(shown, Period(shown.bars[index].begins_at, ends[index]), shown.asked.filters)


def runs_of(shown: Figures, by: By, key: Any) -> str:
    """Return where the runs behind a bar of the ranking are."""
    return _runs(shown, shown.period, shown.asked.of(by, key).filters)


def _runs(shown: Figures, period: Period, filters: Filters) -> str:
    return "" if shown.is_own else f"/admin/runs?{urlencode(behind.said(period, filters))}"


def over_time(shown: Figures | None) -> list[list[Any]]:
    """Return a row for each bar; its name leads to just that."""
    if shown is None:
        return []
    return [
        [
            {
                "text": words.bar_name(bar.begins_at, shown.step, shown.place),
                "query": shown.asked.narrowed(shown.place, bar.begins_at, shown.step).query(),
            },
            *_linked(bar.used, runs_of_bar(shown, index)),
        ]
        for index, bar in enumerate(shown.bars)
    ]


def ranking(shown: Figures | None) -> list[list[Any]]:
    """Return a row for each person, model …; its name leads to just that."""
    if shown is None:
        return []
    by = shown.asked.by
    rows = []
    for one in shown.ranked:
        name = words.called(one.name, one.key, by)
        first = name if one.key is None else {"text": name, "query": shown.asked.of(by, one.key).query()}
        took = (None, None) if one.times is None else (one.times.ttft_p50_ms, one.times.ttft_p95_ms)
        runs = "" if one.key is None else runs_of(shown, by, one.key)
        rows.append([first, *_linked(one.used, runs), *map(words.seconds, took)])
    return rows


def ranking_columns(shown: Figures | None) -> list[str]:
    """Return the labels of the ranking's table."""
    by = By.MODEL if shown is None else shown.asked.by
    return [*columns(_(words.BYS[by])), _("First token, half within"), _("First token, 95 % within")]


def week(shown: Figures | None) -> list[list[Any]]:
    """Return a row for each weekday."""
    if shown is None:
        return []
    metric = shown.asked.metric
    return [
        [_(name), *(words.written(used, metric) for used in hours)]
        for name, hours in zip(words.WEEKDAYS, shown.week, strict=True)
    ]


def week_columns() -> list[str]:
    """Return the labels of the week's table."""
    return [_("Weekday"), *(f"{hour:02}" for hour in range(24))]


def tapped_bar(shown: Figures, index: int) -> str:
    """Return the query that shows just one bar."""
    return shown.asked.narrowed(shown.place, shown.bars[index].begins_at, shown.step).query()


def tapped_rank(shown: Figures, index: int) -> str:
    """Return the query that shows just one person, model …"""
    return shown.asked.of(shown.asked.by, drawn(shown)[index].key).query()


def allowance_columns() -> list[dict[str, str]]:
    """Return the columns of the budgets."""
    return [
        {"key": "of", "label": _("Project or team")},
        {"key": "amount", "label": _("Budget"), "align": "right"},
        {"key": "spent", "label": _("Spent"), "align": "right"},
        {"key": "left", "label": _("Left"), "align": "right"},
        {"key": "days", "label": _("Lasts for"), "align": "right"},
    ]


def _days(count: int) -> str:
    return ngettext("{count} day", "{count} days", count).format(count=number(count))


def allowances(shown: Figures | None) -> list[dict[str, Any]]:
    """Return a row for each budget."""
    return [
        {
            "id": str(one.key),
            "name": one.name,
            "cells": {
                "of": {"text": one.name, "detail": _("Team") if one.is_of_team else _("Project")},
                "amount": money(one.amount_usd),
                "spent": money(one.spent_usd),
                "left": {"text": money(one.left_usd), "tone": "error" if one.is_low else ""},
                "days": "" if one.days_left is None else _days(round(one.days_left)),
            },
            "actions": [],
        }
        for one in (() if shown is None else shown.allowances)
    ]  # fmt: skip


def limits(shown: Figures | None) -> list[dict[str, Any]]:
    """Return a row for each limit, and for what has none."""
    return left_rows.of_person(() if shown is None else shown.limits, _("You"))


def rates(shown: Figures | None) -> list[dict[str, Any]]:
    """Return a row for each limit of rates and money that holds for the person."""
    return rates_rows.limits(() if shown is None else shown.rates, may_change=False)


def call_columns(bys: tuple[By, ...]) -> list[dict[str, str]]:
    """Return the columns of the calls."""
    person = [{"key": "person", "label": _("Person")}] if By.USER in bys else []
    return [
        {"key": "at", "label": _("When")},
        *person,
        {"key": "model", "label": _("Model")},
        {"key": "kind", "label": _("Kind of use")},
        {"key": "state", "label": _("Ended")},
        {"key": "tokens", "label": _("Tokens in and out"), "align": "right"},
        {"key": "cost", "label": _("Cost"), "align": "right"},
        {"key": "took", "label": _("First token"), "align": "right"},
    ]


def call_rows(shown: Figures | None, bys: tuple[By, ...]) -> list[dict[str, Any]]:
    """Return a row for each call; of everybody's calls it leads to that run."""
    return [
        {
            "id": str(one.id),
            "name": instant(one.at),
            "cells": {
                "at": _when(one.at, one.id, bys),
                "person": one.user_name or _("Gone by now"),
                "model": {"text": one.model_name, "detail": one.provider_name},
                "kind": _(words.KINDS[one.kind]),
                "state": _(words.ENDS.get(one.status, one.status.value)),
                "tokens": {
                    "text": f"{number(one.input_tokens)} · {number(one.output_tokens)}",
                    "detail": _("estimated") if one.is_estimate else "",
                },
                "cost": _cost(one),
                "took": words.seconds(one.ttft_ms),
            },
            "actions": [],
        }
        for one in (() if shown is None else shown.calls.items)
    ]


def _cost(one: CallInfo) -> str | dict[str, str]:
    if one.is_cached:
        return {"text": money(Decimal(0)), "detail": _("from the cache")}
    return _("no price") if one.cost_usd is None else money(one.cost_usd)


def _when(at: datetime, run_id: RunId, bys: tuple[By, ...]) -> dict[str, str]:
    return {"text": instant(at), "href": f"/admin/runs/{run_id}" if By.USER in bys else ""}
