"""The usage page: of everybody for administrators, of oneself for everybody."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import panel as pn

from llm_ui.admin.limits import left_rows, rates_rows
from llm_ui.admin.notices import page_notices
from llm_ui.admin.usage import rows
from llm_ui.admin.usage.charts import OverTime, Ranking, Week
from llm_ui.admin.usage.parts import Behind, Filters, Tiles
from llm_ui.admin.usage.state import CALLS, Figures, UsageState
from llm_ui.kit.i18n import gettext as _
from llm_ui.ui.form import BELOW, page
from llm_ui.ui.parts import Heading, Message, Notice, Table


class UsagePage(pn.viewable.Viewer):
    """Filters, tiles, charts with what is behind them, budgets, and the calls."""

    def __init__(self, state: UsageState) -> None:
        super().__init__()
        self._state = state
        shown = state.param.shown
        self._filters = Filters(
            fields=pn.bind(lambda found: rows.fields(found, state.bys), shown),
            is_current=pn.bind(_is_current, shown),
            on_message=self._on_filter,
        )
        self._over_time, self._ranking, self._week = OverTime(self._tapped_bar), Ranking(self._tapped_rank), Week()
        # Kept: a watcher lives as long as its page.
        state.param.watch(self._draw, ["shown", "is_dark"])
        self._layout = page(
            self._heading(),
            page_notices(state),
            self._filters,
            Tiles(label=_("Figures"), items=pn.bind(rows.tiles, shown)),
            Notice(text=pn.bind(rows.source, shown), margin=BELOW),
            *self._charts(),
            *self._limits(),
            *self._budgets(),
            Heading(title=_("Calls"), sentence=_("Each answer, and what else models did; the newest first."), level=2),
            Table(
                caption=_("Calls"),
                columns=rows.call_columns(state.bys),
                rows=pn.bind(rows.call_rows, shown, state.bys),
                empty=_("Nothing was used. Choose a longer range, or fewer filters."),
                total=pn.bind(lambda found: 0 if found is None else found.calls.total, shown),
                offset=pn.bind(lambda found: 0 if found is None else found.calls.offset, shown),
                size=CALLS,
                on_message=self._on_calls,
            ),
        )

    def __panel__(self) -> Any:
        """Return what is drawn."""
        return self._layout

    def _heading(self) -> Heading:
        if self._state.is_own:
            return Heading(title=_("My usage"), sentence=_("What was used for you, and what it cost."))
        return Heading(
            title=_("Usage"), sentence=_("What everybody uses, and what it costs. Chats that are deleted still count.")
        )

    def _charts(self) -> list[Any]:
        shown = self._state.param.shown
        return [
            *self._chart(
                "series", _("Over time"), rows.over_time_sentence(is_own=self._state.is_own),
                self._over_time.figure, columns=rows.columns(_("When")), found=pn.bind(rows.over_time, shown),
            ),
            *self._chart(
                "ranking", _("Ranking"), _("A bar leads to just that."), self._ranking.figure,
                columns=pn.bind(rows.ranking_columns, shown), found=pn.bind(rows.ranking, shown),
            ),
            *self._chart(
                "week", _("Hours of the week"), _("When most is used, in your time zone."), self._week.figure,
                columns=rows.week_columns(), found=pn.bind(rows.week, shown),
            ),
        ]  # fmt: skip

    def _chart(self, name: str, title: str, sentence: str, figure: Any, *, columns: Any, found: Any) -> list[Any]:
        def file(shown: Figures | None) -> str:
            where = "/usage" if self._state.is_own else "/admin/usage"
            place = "UTC" if shown is None else shown.place.key
            return "" if shown is None else f"{where}/{name}.csv?{shown.asked.query()}&zone={place}"

        drawn = pn.pane.Bokeh(figure, sizing_mode="stretch_width", margin=0)
        behind = Behind(
            caption=title, columns=columns, rows=found, file=pn.bind(file, self._state.param.shown),
            sql=pn.bind(lambda shown: "" if shown is None else shown.sql.get(name, ""), self._state.param.shown),
        )  # fmt: skip
        return [Heading(title=title, sentence=sentence, level=2), drawn, behind]

    def _budgets(self) -> list[Any]:
        shown = self._state.param.shown
        sentence = _(
            "What is left of this month's. The forecast of the month adds to what was spent, for each day that is "
            "left, the mean of its weekday over the last four weeks."
        )
        return [
            Heading(title=_("Budgets"), sentence=sentence, level=2),
            Table(
                caption=_("Budgets"), columns=rows.allowance_columns(), rows=pn.bind(rows.allowances, shown),
                empty=_("Neither a project nor a team here has a budget. Owners of a project set one in its settings."),
                margin=BELOW,
            ),
        ]  # fmt: skip

    def _limits(self) -> list[Any]:
        if not self._state.is_own:
            return []
        sentence = _("What may be used, and what is left of it. Administrators set these.")
        return [
            Heading(title=_("Limits"), sentence=sentence, level=2),
            Table(
                caption=_("Limits"), columns=left_rows.columns(), rows=pn.bind(rows.limits, self._state.param.shown),
                margin=BELOW,
            ),
            Table(
                caption=_("Rates and money"), columns=rates_rows.columns(has_action=False), margin=BELOW,
                rows=pn.bind(rows.rates, self._state.param.shown),
                visible=pn.bind(lambda shown: bool(shown and shown.rates), self._state.param.shown),
            ),
        ]  # fmt: skip

    def _draw(self, *_events: Any) -> None:
        shown = self._state.shown
        if shown is None:
            return
        with pn.io.hold():
            for chart in (self._over_time, self._ranking, self._week):
                chart.fill(shown, is_dark=self._state.is_dark)

    def _tapped_bar(self, index: int) -> None:
        shown = self._state.shown
        if shown is not None and rows.are_bars_shortest(shown):
            self._filters.open(rows.runs_of_bar(shown, index))
            return
        self._go(lambda shown: rows.tapped_bar(shown, index))

    def _tapped_rank(self, index: int) -> None:
        self._go(lambda shown: rows.tapped_rank(shown, index))

    def _go(self, query: Callable[[Figures], str]) -> None:
        if self._state.shown is not None:
            self._filters.go(query(self._state.shown))

    async def _on_filter(self, message: Message) -> None:
        match message.action:
            case "look":
                await self._state.look(message.value, message.name)
            case "theme":
                self._state.choose_theme(message.name)
            case "tick":
                await self._state.follow()

    async def _on_calls(self, message: Message) -> None:
        if message.action == "turn":
            turned = message.pages * CALLS
            self._go(lambda shown: replace(shown.asked, offset=max(0, shown.calls.offset + turned)).query())


def _is_current(shown: Figures | None) -> bool:
    """Return whether the range goes on: then the page moves by itself."""
    return shown is not None and shown.period.start <= shown.at < shown.period.end
