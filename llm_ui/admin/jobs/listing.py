"""The list of documents that are not ready: its columns and filters."""

from llm_ui.admin.listing.listing import Column, Filter, Listing
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import instant, later, ngettext, number, told
from llm_ui.models import DocumentStage
from llm_ui.services import job_list
from llm_ui.services.job_list import ListedDocument

MB = 1_000_000
STAGES = {
    DocumentStage.RECEIVED: later("Waits to be read"),
    DocumentStage.PARSED: later("Waits for its passages"),
    DocumentStage.FAILED: later("Failed"),
}


def _stage(one: ListedDocument) -> dict[str, str]:
    if one.stage is DocumentStage.FAILED:
        return {"text": _("Failed"), "tone": "error", "detail": told(one.error_message)}
    pages = ngettext("{count} page so far", "{count} pages so far", one.page_count)
    detail = pages.format(count=number(one.page_count)) if one.page_count else ""
    return {"text": _("Is being read") if one.is_held else _(STAGES[one.stage]), "tone": "quiet", "detail": detail}


def _size(one: ListedDocument) -> str:
    return f"{number(one.size_bytes / MB, ',.1f')} MB"


def _actions(one: ListedDocument) -> list[dict[str, str]]:
    if one.stage is DocumentStage.FAILED:
        return [{"action": "retry", "label": _("Try again")}]
    return [{"action": "cancel", "label": _("Cancel"), "tone": "danger"}]


DOCUMENTS: Listing[ListedDocument] = Listing(
    name="documents",
    caption=later("Documents that are not ready"),
    searched="",
    columns=(
        Column("at", later("Last change"), lambda one: instant(one.at), lambda one: one.at.isoformat()),
        Column("who", later("Person"), lambda one: one.user_name or _("Gone by now"), lambda one: one.user_name,
               is_sorted=False),
        Column("stage", later("State"), _stage, lambda one: one.stage.value),
        Column("error", later("Error"), None, lambda one: one.error_message, is_sorted=False),
        Column("attempts", later("Attempts"), lambda one: number(one.attempts), lambda one: one.attempts,
               is_number=True),
        Column("size", later("Size"), _size, lambda one: one.size_bytes, is_number=True),
    ),
    rows=job_list.rows,
    key=lambda one: one.id,
    newest_by="at",
    empty=later("All documents are read."),
    filters=(Filter("stage", later("State"), {stage.value: label for stage, label in STAGES.items()}),),
    actions=_actions,
)  # fmt: skip
