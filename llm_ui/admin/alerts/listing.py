"""The list of what alert rules told: its columns and filters."""

from llm_ui.admin.alerts import words
from llm_ui.admin.listing.listing import Column, Filter, Listing
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import instant, later, told
from llm_ui.models import AlertChange
from llm_ui.services import alerts
from llm_ui.services.alerts import Told

TONES = {AlertChange.FIRING: "error", AlertChange.RESOLVED: "ok"}


def _change(one: Told) -> dict[str, str]:
    return {"text": _(words.CHANGES[one.change]), "tone": TONES.get(one.change, "quiet")}


def _sent(one: Told) -> dict[str, str]:
    if one.sent_at is not None:
        return {"text": instant(one.sent_at), "detail": _(words.CHANNELS[one.channel])}
    return {"text": _("Not told"), "tone": "quiet", "detail": told(one.error or "")}


ALERTS: Listing[Told] = Listing(
    name="alerts",
    caption=later("History"),
    searched="",
    columns=(
        Column("at", later("When"), lambda one: instant(one.at), lambda one: one.at.isoformat()),
        Column("kind", later("Rule"), lambda one: _(words.KINDS[one.kind]), lambda one: one.kind.value),
        Column("change", later("What"), _change, lambda one: one.change.value, is_sorted=False),
        Column("value", later("Found"), lambda one: words.measured(one.kind, one.value), lambda one: one.value,
               is_sorted=False, is_number=True),
        Column("limit", later("Limit"), lambda one: words.measured(one.kind, one.threshold),
               lambda one: one.threshold, is_sorted=False, is_number=True),
        Column("sent", later("Told"), _sent, lambda one: None if one.sent_at is None else one.sent_at.isoformat(),
               is_sorted=False),
        Column("error", later("Error"), None, lambda one: one.error or "", is_sorted=False),
    ),
    rows=alerts.rows,
    key=lambda one: one.id,
    newest_by="at",
    empty=later("Nothing was told yet."),
    filters=(
        Filter("kind", later("Rule"), {kind.value: label for kind, label in words.KINDS.items()}),
        Filter("change", later("What"), {change.value: label for change, label in words.CHANGES.items()}),
    ),
)  # fmt: skip
