"""The last event of a run."""

from decimal import Decimal

from llm_ui.contract import CompleteEvent, ErrorDetail, ErrorEvent, Metrics, Usage
from llm_ui.kit.money import plain
from llm_ui.models import RunStatus
from llm_ui.runs.live_run import Ending


def end_event(
    ending: Ending, *, usage: Usage, cost_usd: Decimal | None, metrics: Metrics, request_id: str
) -> CompleteEvent | ErrorEvent:
    """Return the event that tells how a run ended and what it used."""
    cost = None if cost_usd is None else plain(cost_usd)
    if ending.status in (RunStatus.COMPLETED, RunStatus.STOPPED):
        return CompleteEvent(
            status="completed" if ending.status is RunStatus.COMPLETED else "stopped",
            finish_reason=ending.finish_reason,
            usage=usage,
            cost_usd=cost,
            metrics=metrics,
        )
    error = ErrorDetail(
        code=ending.error_code or "interrupted",
        message=ending.error_message or "",
        retryable=ending.is_retryable,
        retry_after=ending.retry_after,
        request_id=request_id,
    )
    return ErrorEvent(
        status="failed" if ending.status is RunStatus.FAILED else "interrupted",
        error=error,
        usage=usage,
        cost_usd=cost,
        metrics=metrics,
    )
