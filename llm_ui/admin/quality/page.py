"""The quality page."""

from typing import Any

import panel as pn

from llm_ui.admin.listing.part import list_part
from llm_ui.admin.notices import page_notices
from llm_ui.admin.quality.listing import EVALUATIONS
from llm_ui.admin.quality.rows import model_rows, week_rows
from llm_ui.admin.quality.state import QualityState
from llm_ui.kit.i18n import gettext as _
from llm_ui.ui.form import BELOW, page
from llm_ui.ui.parts import Heading, Links, Table


class QualityPage(pn.viewable.Viewer):
    """Ratings by model, by week and one by one, and what was measured."""

    def __init__(self, state: QualityState) -> None:
        super().__init__()
        self._layout = page(
            Heading(title=_("Quality"), sentence=_(
                    "What people think of answers, and what was measured. Model, time, rating and reason are chosen "
                    "under Ratings and hold for the figures above them too."
                )),
            page_notices(state),
            Heading(
                title=_("Models"),
                sentence=_(
                    "Best first, by the share of good ratings that is at least certain (Wilson's lower bound at 95 %): "
                    "one good rating alone tells little. Invented citations were taken out before anybody saw them."
                ),
                level=2,
            ),
            _models(state),
            Heading(title=_("By week"), sentence=_("Ratings of the last twelve weeks."), level=2),
            _weeks(state),
            Heading(
                title=_("Ratings"),
                sentence=_("Comments are written for administrators; what was asked and answered is not shown."),
                level=2,
            ),
            list_part(state),
            Heading(
                title=_("Measured"),
                sentence=_("What commands have measured, and the comparisons on benches of projects of which one way "
                           "was taken over: figures alone, of at most the last 50."),
                level=2,
            ),
            _measured(state),
            Links(
                links=[
                    {"label": kind.upper(), "name": _("Download what was measured as {kind}").format(kind=kind.upper()),
                     "href": EVALUATIONS.export_address(state.asked, kind)}
                    for kind in ("csv", "json")
                ]
            ),
        )  # fmt: skip

    def __panel__(self) -> Any:
        """Return what is drawn."""
        return self._layout


def _columns(*columns: tuple[str, str, bool]) -> list[dict[str, str]]:
    return [{"key": key, "label": label, "align": "right" if is_number else ""} for key, label, is_number in columns]


def _models(state: QualityState) -> Table:
    return Table(
        caption=_("Models"),
        columns=_columns(
            ("model", _("Model"), False), ("at_least", _("Good, at least"), True), ("count", _("Ratings"), True),
            ("up", _("Good"), True), ("down", _("Bad"), True), ("invented", _("Invented citations"), True),
        ),
        rows=pn.bind(model_rows, state.param.models),
        empty=_("Nobody has rated an answer yet. People do so with the thumbs under each answer."),
        margin=BELOW,
    )  # fmt: skip


def _weeks(state: QualityState) -> Table:
    return Table(
        caption=_("By week"),
        columns=_columns(
            ("week", _("Week from"), False), ("share", _("Share of good ones"), True), ("up", _("Good"), True),
            ("down", _("Bad"), True),
        ),
        rows=pn.bind(week_rows, state.param.weeks),
        empty=_("No ratings in these weeks."),
        margin=BELOW,
    )  # fmt: skip


def _measured(state: QualityState) -> Table:
    return Table(
        caption=_("Measured"),
        columns=EVALUATIONS.drawn_columns(),
        rows=pn.bind(lambda found: EVALUATIONS.drawn_rows(found.items), state.param.measured),
        empty=_(EVALUATIONS.empty),
        margin=BELOW,
    )
