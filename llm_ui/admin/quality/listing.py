"""The lists of the quality page: ratings one by one, and what was measured."""

from typing import Any

from llm_ui.admin.listing.listing import Column, Filter, Listing
from llm_ui.kit.i18n import day, later
from llm_ui.kit.i18n import gettext as _
from llm_ui.models import FeedbackReason, Rating
from llm_ui.services import evaluations, ratings
from llm_ui.services.evaluations import EvaluationInfo
from llm_ui.services.ratings import RatingInfo

DAYS = {"7": later("7 days"), "30": later("30 days"), "90": later("90 days"), "365": later("A year")}
GIVEN = {"up": later("Good"), "down": later("Bad")}
TONES = {"up": "ok", "down": "warn"}
REASONS = {
    FeedbackReason.WRONG.value: later("Wrong"),
    FeedbackReason.INCOMPLETE.value: later("Incomplete"),
    FeedbackReason.NOT_FOLLOWED.value: later("Instructions not followed"),
    FeedbackReason.STYLE.value: later("Style"),
    FeedbackReason.SLOW.value: later("Too slow"),
    FeedbackReason.OTHER.value: later("Something else"),
}
KINDS = {
    "retrieval": later("Passages found"), "answers": later("Answers"), "bench": later("Bench of a project"),
}  # fmt: skip
STRATEGIES = {
    "lexical": later("By words"), "vector": later("By meaning"), "hybrid": later("By both"),
    "reranked": later("Reranked"),
}  # fmt: skip
SHOWN = {
    "ndcg@10": "nDCG@10", "recall@10": "Recall@10", "recall@100": "Recall@100", "mrr@10": "MRR@10",
    "citation_precision": later("Citation precision"), "groundedness": later("Groundedness"),
}  # fmt: skip
"""The figures that a page shows, in this order; a file has all of them."""


def _when(one: RatingInfo | EvaluationInfo) -> dict[str, str]:
    return {"text": day(one.at), "detail": f"{one.at:%H:%M} UTC"}


def _given(one: RatingInfo) -> str:
    return "up" if one.rating is Rating.UP else "down"


def _chip(one: RatingInfo) -> dict[str, str]:
    return {"text": _(GIVEN[_given(one)]), "tone": TONES[_given(one)]}


def _reason(one: RatingInfo) -> str:
    return "" if one.reason is None else _(REASONS[one.reason.value])


RATINGS: Listing[RatingInfo] = Listing(
    name="ratings",
    caption=later("Ratings"),
    searched=later("Model"),
    columns=(
        Column("at", later("When"), _when, lambda one: one.at.isoformat()),
        Column("model", later("Model"), lambda one: one.model, lambda one: one.model, is_sorted=False),
        Column("rating", later("Rating"), _chip, _given, is_sorted=False),
        Column("reason", later("Reason"), _reason, lambda one: one.reason and one.reason.value, is_sorted=False),
        Column("comment", later("Comment"), lambda one: one.comment, lambda one: one.comment, is_sorted=False),
    ),
    rows=ratings.rows,
    key=lambda one: one.id,
    newest_by="at",
    empty=later("Nobody has rated an answer yet. People do so with the thumbs under each answer."),
    filters=(
        Filter("days", later("Time"), DAYS),
        Filter("rating", later("Rating"), GIVEN),
        Filter("reason", later("Reason"), REASONS),
    ),
)


def _figures(one: EvaluationInfo) -> str:
    told = [(label, one.figures.get(name)) for name, label in SHOWN.items()]
    return " · ".join(f"{_(label)} {figure:.3f}" for label, figure in told if isinstance(figure, int | float))


def _what(one: EvaluationInfo) -> dict[str, str]:
    return {"text": _(KINDS[one.kind.value]), "detail": one.dataset or _("its test set")}


def _way(one: EvaluationInfo) -> dict[str, str]:
    name = STRATEGIES.get(one.strategy, "")
    used = _("taken over") if one.is_used else ""
    return {"text": _(name) if name else "–", "detail": " · ".join(filter(None, (one.cut, used)))}


def _by(one: EvaluationInfo) -> dict[str, str]:
    return {"text": one.measured_by or "–", "detail": _("version {version}").format(version=one.version)}


def _size(one: EvaluationInfo) -> str:
    return str(one.questions) if one.documents is None else f"{one.questions} / {one.documents}"


def _figure(name: str) -> Any:
    return lambda one: one.figures.get(name)


EVALUATIONS: Listing[EvaluationInfo] = Listing(
    name="evaluations",
    caption=later("Measured"),
    searched="",
    columns=(
        Column("what", later("What"), _what, lambda one: one.kind.value),
        Column("dataset", later("Data set"), None, lambda one: one.dataset),
        Column("way", later("Way"), _way, lambda one: one.strategy),
        Column("figures", later("Figures"), _figures, _figures),
        Column("questions", later("Questions / documents"), _size, lambda one: one.questions, is_number=True),
        Column("documents", later("Documents"), None, lambda one: one.documents),
        Column("cut", later("Passages"), None, lambda one: one.cut),
        Column("model", later("Models"), lambda one: one.model or "–", lambda one: one.model),
        Column("by", later("By"), _by, lambda one: one.measured_by),
        Column("at", later("When"), _when, lambda one: one.at.isoformat()),
        Column("version", later("Version"), None, lambda one: one.version),
        Column("taken_over", later("Taken over"), None, lambda one: one.is_used),
        *(
            Column(name, name, None, _figure(name))
            for name in (*SHOWN, "p50_ms", "p95_ms", "unwanted", "judged", "citations", "claims")
        ),
    ),
    rows=evaluations.rows,
    key=lambda one: one.id,
    newest_by="at",
    empty=later(
        "Nothing was measured yet. On the server, run “llm-ui eval retrieval DATASET” for how well passages are "
        "found, or “llm-ui eval answers FILE --user NAME --judge MODEL” for how well answers keep to their sources."
    ),
)
