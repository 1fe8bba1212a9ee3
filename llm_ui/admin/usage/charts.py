"""The charts: drawn by Bokeh, in the colours of the page's theme. Their figures are beside them as tables."""

from collections.abc import Callable
from typing import Any

from bokeh.models import ColumnDataSource, FixedTicker, HoverTool, LinearColorMapper, NoOverlap, Range1d, TapTool
from bokeh.plotting import figure

from llm_ui.admin.usage import words
from llm_ui.admin.usage.state import Figures, Ranked
from llm_ui.kit.i18n import gettext as _

TICKS = 8
"""Most names below a chart over time."""
RANKED = 12
"""Most bars of a ranking."""
BAR_PX = 28
COLOURS = {
    False: {"text": "#5d606b", "line": "#dfe0e5", "accent": "#3e63dd", "other": "#a84b00", "ground": "#ffffff"},
    True: {"text": "#a4a7b3", "line": "#32343c", "accent": "#5b7cf0", "other": "#f2ad6b", "ground": "#17181c"},
}
"""As theme.css has them, by whether the theme is dark: a canvas knows no variables."""
HEAT = {
    False: ["#f3f5fd", "#d5defa", "#aebff3", "#839de9", "#5b7ce0", "#3e63dd", "#2a479f"],
    True: ["#1e2130", "#26305a", "#2f4084", "#3d55b4", "#5b7cf0", "#88a1f7", "#c0cdff"],
}

OnTap = Callable[[int], None]


class Chart:
    """A figure that is made once and filled anew."""

    def __init__(self, on_tap: OnTap | None = None, **look: Any) -> None:
        self.figure = figure(
            sizing_mode="stretch_width", toolbar_location=None, tools="", outline_line_color=None,
            background_fill_color=None, border_fill_color=None, min_border_left=8, **look,
        )  # fmt: skip
        # On a phone there is room for fewer names.
        self.figure.xaxis.major_label_policy = NoOverlap()
        self.source = ColumnDataSource({})
        self._on_tap = on_tap
        if on_tap is not None:
            self.source.selected.on_change("indices", self._tapped)
            self.figure.add_tools(TapTool())

    def _tapped(self, _name: str, _old: list[int], chosen: list[int]) -> None:
        if chosen and self._on_tap is not None:
            self.source.selected.indices = []
            self._on_tap(chosen[0])

    def hover(self, renderer: Any) -> None:
        """Tell what a bar is of when it is pointed at."""
        self.figure.add_tools(HoverTool(renderers=[renderer], tooltips=[("", "@name"), ("", "@value")]))

    def colour(self, *, is_dark: bool) -> dict[str, str]:
        """Draw axes in the colours of a theme; return them."""
        colours = COLOURS[is_dark]
        for axis in self.figure.axis:
            axis.major_label_text_color = colours["text"]
            axis.axis_line_color = axis.major_tick_line_color = colours["line"]
            axis.minor_tick_line_color = None
        self.figure.grid.grid_line_color = colours["line"]
        return colours


class OverTime(Chart):
    """A bar for each hour, day, week or month; a line for the time before."""

    def __init__(self, on_tap: OnTap) -> None:
        super().__init__(on_tap, height=260)
        self.before = ColumnDataSource({"x": [], "y": []})
        self.source.data = {"x": [], "top": [], "name": [], "value": []}
        self._bars = self.figure.vbar(x="x", top="top", width=0.8, source=self.source, line_color=None)
        self._line = self.figure.line("x", "y", source=self.before, line_width=2, line_dash="dashed")
        self.figure.xgrid.visible = False
        self.figure.y_range.start = 0
        self.figure.x_range = Range1d(-0.5, 0.5)
        self.hover(self._bars)

    def fill(self, shown: Figures, *, is_dark: bool) -> None:
        """Draw figures."""
        metric = shown.asked.metric
        tops = [words.value_of(bar.used, metric) for bar in shown.bars]
        before = [words.value_of(bar.used, metric) for bar in shown.bars_before][: len(tops)]
        names = [words.bar_name(bar.begins_at, shown.step, shown.place) for bar in shown.bars]
        said = [words.written(bar.used, metric) for bar in shown.bars]
        self.source.data = {"x": list(range(len(tops))), "top": tops, "name": names, "value": said}
        self.before.data = {"x": list(range(len(before))), "y": before}
        every = max(1, -(-len(names) // TICKS))
        self.figure.xaxis.ticker = FixedTicker(ticks=list(range(0, len(names), every)))
        self.figure.xaxis.major_label_overrides = dict(enumerate(names))
        self.figure.x_range.update(start=-0.5, end=max(0.5, len(names) - 0.5))
        colours = self.colour(is_dark=is_dark)
        self._bars.glyph.fill_color = colours["accent"]
        self._line.glyph.line_color = colours["other"]


class Ranking(Chart):
    """A bar for each person, model …, the largest above."""

    def __init__(self, on_tap: OnTap) -> None:
        super().__init__(on_tap, height=BAR_PX * 3, y_range=Range1d(0.5, -0.5))
        self.source.data = {"y": [], "right": [], "name": [], "value": []}
        self._bars = self.figure.hbar(y="y", right="right", height=0.7, source=self.source, line_color=None)
        self.figure.ygrid.visible = False
        self.figure.x_range.start = 0
        self.hover(self._bars)

    def fill(self, shown: Figures, *, is_dark: bool) -> None:
        """Draw figures."""
        metric = shown.asked.metric
        ranked = drawn(shown)
        names = [words.called(one.name, one.key, shown.asked.by) for one in ranked]
        rights = [words.value_of(one.used, metric) for one in ranked]
        said = [words.written(one.used, metric) for one in ranked]
        self.source.data = {"y": list(range(len(names))), "right": rights, "name": names, "value": said}
        self.figure.yaxis.ticker = FixedTicker(ticks=list(range(len(names))))
        self.figure.yaxis.major_label_overrides = dict(enumerate(map(_short, names)))
        self.figure.y_range.update(start=max(0.5, len(names) - 0.5), end=-0.5)
        self.figure.height = BAR_PX * max(1, len(names)) + 48
        self._bars.glyph.fill_color = self.colour(is_dark=is_dark)["accent"]


class Week(Chart):
    """A square for each hour of each weekday."""

    def __init__(self) -> None:
        super().__init__(height=260, x_range=Range1d(-0.5, 23.5), y_range=Range1d(6.5, -0.5))
        self.source.data = {"x": [], "y": [], "amount": [], "name": [], "value": []}
        self._mapper = LinearColorMapper(palette=HEAT[False], low=0, high=1)
        fill = {"field": "amount", "transform": self._mapper}
        self._squares = self.figure.rect("x", "y", 0.94, 0.9, source=self.source, fill_color=fill, line_color=None)
        self.figure.grid.visible = False
        self.figure.xaxis.ticker = FixedTicker(ticks=list(range(0, 24, 3)))
        self.figure.yaxis.ticker = FixedTicker(ticks=list(range(7)))
        self.hover(self._squares)

    def fill(self, shown: Figures, *, is_dark: bool) -> None:
        """Draw figures."""
        metric = shown.asked.metric
        squares = [(day, hour, shown.week[day][hour]) for day in range(7) for hour in range(24)]
        amounts = [words.value_of(used, metric) for _day, _hour, used in squares]
        self._mapper.update(palette=HEAT[is_dark], high=max(amounts, default=0) or 1)
        self.source.data = {
            "x": [hour for _day, hour, _used in squares],
            "y": [day for day, _hour, _used in squares],
            "amount": amounts,
            "name": [f"{_(words.WEEKDAYS[day])}, {hour:02}:00" for day, hour, _used in squares],
            "value": [words.written(used, metric) for _day, _hour, used in squares],
        }
        self.figure.xaxis.major_label_overrides = {hour: f"{hour:02}:00" for hour in range(24)}
        self.figure.yaxis.major_label_overrides = {day: _(name) for day, name in enumerate(words.WEEKDAYS)}
        self.colour(is_dark=is_dark)


def drawn(shown: Figures) -> list[Ranked]:
    """Return what a ranking draws: the largest by what is asked for."""
    metric = shown.asked.metric
    return sorted(shown.ranked, key=lambda one: -words.value_of(one.used, metric))[:RANKED]


def _short(name: str) -> str:
    return name if len(name) <= 22 else f"{name[:21]}…"
