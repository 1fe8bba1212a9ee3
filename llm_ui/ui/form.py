"""Fields and buttons: Panel's widgets made from a state's parameters, in our colours and each with its label."""

from collections.abc import Awaitable, Callable
from typing import Any

import panel as pn
import param

from llm_ui.kit import assets
from llm_ui.ui.parts import Heading

Handler = Callable[[], Awaitable[None]]

STYLESHEETS = [assets.url("widgets.css")]
BELOW = (0, 0, 16, 0)
"""Margin of what has something below it, in pixels."""


def words(source: param.Parameter, label: str) -> Any:
    """Return a field of several lines for a text parameter."""
    return pn.widgets.TextAreaInput.from_param(source, rows=8, auto_grow=True, max_rows=24, **_look(label))


def line(source: param.Parameter, label: str) -> Any:
    """Return a field of one line for a text parameter."""
    return pn.widgets.TextInput.from_param(source, **_look(label))


def search_field(label: str, on_search: Callable[[str], Awaitable[None]], *, placeholder: str = "") -> Any:
    """Return a field that searches while somebody types."""
    field = pn.widgets.TextInput(placeholder=placeholder, **{**_look(label), "max_width": 420, "margin": BELOW})

    async def act(event: param.parameterized.Event) -> None:
        await on_search(event.new)

    field.param.watch(act, "value_input")
    return field


def chooser(source: param.Parameter, label: str, options: Any, on_change: Callable[[str], Awaitable[None]]) -> Any:
    """Return a drop-down list whose change is an action; it shows what holds, also when the action was refused.

    `options` is a reference to a mapping from label to value.
    """
    return _acting(pn.widgets.Select(options=options, value=_now(source), **_look(label)), source, on_change)


def _acting(widget: Any, source: param.Parameter, on_change: Callable[[Any], Awaitable[None]]) -> Any:
    def show(_: object = None) -> None:
        widget.value = _now(source)

    async def act(event: param.parameterized.Event) -> None:
        if event.new != _now(source):
            await on_change(event.new)
            show()

    source.owner.param.watch(show, source.name)
    widget.param.watch(act, "value")
    return widget


def _now(source: param.Parameter) -> Any:
    return getattr(source.owner, source.name)


def picker(source: param.Parameter, label: str) -> Any:
    """Return a drop-down list for a bar: its label is only for screen readers."""
    look = {**_look(label), "stylesheets": [*STYLESHEETS, assets.url("picker.css")]}
    return pn.widgets.Select.from_param(source, **look)


def number_field(source: param.Parameter, label: str, *, placeholder: str, step: float) -> Any:
    """Return a field for a number that may be left empty."""
    kind = pn.widgets.IntInput if isinstance(source, param.Integer) else pn.widgets.FloatInput
    return kind.from_param(source, placeholder=placeholder, step=step, **_look(label))


def button(label: Any, handler: Handler, *, tone: str = "default", **options: Any) -> Any:
    """Return a button; `tone` is `default`, `primary` or `danger`."""
    widget = pn.widgets.Button(name=label, button_type=tone, **{"stylesheets": STYLESHEETS, "margin": 0, **options})
    _on(widget, "clicks", handler)
    return widget


def stack(*items: Any, **options: Any) -> Any:
    """Return the items one below the other, evenly spaced."""
    for item in items[:-1]:
        item.margin = BELOW
    return pn.Column(*items, **{"sizing_mode": "stretch_width", "margin": 0, **options})


def page(*items: Any, styles: dict[str, str] | None = None) -> Any:
    """Return a page's parts one below the other; each keeps its own distance, so that what is empty takes no room."""
    return pn.Column(*items, sizing_mode="stretch_width", margin=0, styles=styles or {})


def section(title: str, sentence: str, *items: Any) -> Any:
    """Return a part of a page: what it decides beside its fields, on a phone above them."""
    about = Heading(title=title, sentence=sentence, level=2, css_classes=["about"])
    look = {"css_classes": ["section"], "stylesheets": STYLESHEETS, "sizing_mode": "stretch_width"}
    return pn.Column(about, stack(*items), margin=BELOW, **look)


def _look(label: str) -> dict[str, Any]:
    # Without a description of its own a widget shows the parameter's documentation behind a question mark.
    look: dict[str, Any] = {"name": label, "description": None, "stylesheets": STYLESHEETS}
    return {**look, "sizing_mode": "stretch_width", "margin": 0}


def _on(widget: Any, event: str, handler: Handler) -> None:
    async def act(_: object) -> None:
        await handler()

    widget.param.watch(act, event)
