"""The last event of a run."""

from decimal import Decimal

from llm_ui.contract import CompleteEvent, ErrorDetail, ErrorEvent, Metrics, Usage
from llm_ui.errors import unforeseen
from llm_ui.kit.money import plain
from llm_ui.models import RunStatus
from llm_ui.observability.logging import get_logger
from llm_ui.runs.ending import Ending
from llm_ui.runs.live_run import LiveRun

log = get_logger(__name__)


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


def bad_end(live: LiveRun) -> RunStatus:
    """Return how a run ends that went wrong: text that was shown is kept (I5: and nothing is tried again)."""
    return RunStatus.INTERRUPTED if live.has_begun else RunStatus.FAILED


def crashed(live: LiveRun, error: BaseException) -> Ending:
    """Return the ending for an error that is nobody's but ours, and log it."""
    log.crashed("run.crashed", error, run_id=live.turn.run_id, request_id=live.request_id)
    said = unforeseen(live.request_id)
    return Ending(bad_end(live), error_code=said.code, error_message=said.message)
