"""Booking what a model was asked where no run is stored: what it used and cost, and nothing of what was said."""

from llm_ui.contract import Metrics, Usage
from llm_ui.kit.clock import now
from llm_ui.kit.ids import RunId, UserId
from llm_ui.models import RunStatus, UsageLog, UsagePurpose, UsageSource
from llm_ui.services.ai_models import ModelTarget
from llm_ui.services.prices import cost


def booking(
    run_id: RunId,
    purpose: UsagePurpose,
    user_id: UserId,
    target: ModelTarget,
    *,
    status: RunStatus,
    usage: Usage,
    metrics: Metrics,
) -> UsageLog:
    """Return the row to add; the price is the model's of this moment."""
    return UsageLog(
        run_id=run_id,
        purpose=purpose,
        user_id=user_id,
        model_id=target.model_id,
        provider_id=target.provider_id,
        model_name=target.display_name,
        provider_name=target.provider_name,
        status=status,
        input_tokens=usage.input_tokens,
        cached_tokens=usage.cached_tokens,
        output_tokens=usage.output_tokens,
        reasoning_tokens=usage.reasoning_tokens,
        usage_source=UsageSource(usage.source),
        cost_usd=cost(
            target.prices,
            input_tokens=usage.input_tokens,
            cached_tokens=usage.cached_tokens,
            output_tokens=usage.output_tokens,
        ),
        ttft_ms=metrics.ttft_ms,
        total_ms=metrics.total_ms,
        created_at=now(),
    )
