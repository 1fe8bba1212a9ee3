"""The list of runs: its columns and filters."""

from typing import Any

from llm_ui.admin.listing.listing import Column, Filter, Listing
from llm_ui.admin.usage import words
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import instant, later, number
from llm_ui.models import RunStatus
from llm_ui.services import run_list
from llm_ui.services.run_list import ListedRun
from llm_ui.services.usage.behind import FIELDS
from llm_ui.ui.amounts import money

HOURS = {
    "1": later("Last hour"),
    "24": later("Last 24 hours"),
    "168": later("Last 7 days"),
    "720": later("Last 30 days"),
}
BAD = (RunStatus.FAILED, RunStatus.INTERRUPTED)


def status(of: RunStatus, error_code: str = "") -> dict[str, str]:
    """Return how a run ended, as a cell."""
    tone = "error" if of in BAD else "ok" if of is RunStatus.COMPLETED else "quiet"
    return {"text": _(words.ENDS.get(of, later("Running"))), "tone": tone, "detail": error_code}


def _at(run: ListedRun) -> dict[str, str]:
    return {"text": instant(run.call.at), "href": f"/admin/runs/{run.call.id}"}


def _who(run: ListedRun) -> dict[str, str]:
    return {"text": run.call.user_name or _("Gone by now"), "detail": _(words.KINDS[run.call.kind])}


def _tokens(run: ListedRun) -> dict[str, str]:
    call = run.call
    detail = _("estimated") if call.is_estimate else ""
    return {"text": f"{number(call.input_tokens)} · {number(call.output_tokens)}", "detail": detail}


def _cost(run: ListedRun) -> Any:
    return _("no price") if run.call.cost_usd is None else money(run.call.cost_usd)


RUNS: Listing[ListedRun] = Listing(
    name="runs",
    caption=later("Runs"),
    searched=later("Person, model, provider or request"),
    columns=(
        Column("at", later("When"), _at, lambda run: run.call.at.isoformat()),
        Column("who", later("Person"), _who, lambda run: run.call.user_name, is_sorted=False),
        Column("model", later("Model"), lambda run: {"text": run.call.model_name, "detail": run.call.provider_name},
               lambda run: run.call.model_name),
        Column("provider", later("Provider"), None, lambda run: run.call.provider_name, is_sorted=False),
        Column("kind", later("Kind of use"), None, lambda run: run.call.kind.value, is_sorted=False),
        Column("status", later("Ended"), lambda run: status(run.call.status, run.error_code),
               lambda run: run.call.status.value),
        Column("error", later("Error"), None, lambda run: run.error_code, is_sorted=False),
        Column("ttft", later("First token"), lambda run: words.seconds(run.call.ttft_ms), lambda run: run.call.ttft_ms,
               is_number=True),
        Column("total", later("In all"), lambda run: words.seconds(run.call.total_ms), lambda run: run.call.total_ms,
               is_number=True),
        Column("tokens", later("Tokens in and out"), _tokens,
               lambda run: run.call.input_tokens + run.call.output_tokens, is_number=True),
        Column("input_tokens", "", None, lambda run: run.call.input_tokens, is_sorted=False),
        Column("output_tokens", "", None, lambda run: run.call.output_tokens, is_sorted=False),
        Column("cost", later("Cost"), _cost,
               lambda run: None if run.call.cost_usd is None else str(run.call.cost_usd), is_number=True),
        Column("run", "", None, lambda run: str(run.call.id), is_sorted=False),
        Column("request", "", None, lambda run: run.request_id, is_sorted=False),
    ),
    rows=run_list.rows,
    key=lambda run: run.call.id,
    newest_by="at",
    empty=later("Nothing was asked yet."),
    narrowed=FIELDS,
    filters=(
        Filter("hours", later("When"), HOURS),
        Filter("status", later("Ended"), {one.value: label for one, label in words.ENDS.items()}),
        Filter("kind", later("Kind of use"), {one.value: label for one, label in words.KINDS.items()}),
    ),
)  # fmt: skip
