"""What is told of an answer of a model, once it has ended: figures, and a span; never what was said.

The span is OpenTelemetry's (https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/), below that of the
request. Without its SDK it goes nowhere. The event has the same attributes, in the same trace
(https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-events/).
"""

import time
from dataclasses import dataclass

from llm_ui.observability import export, metrics

DETAILS = "gen_ai.client.inference.operation.details"
"""The event that tells of an answer; what was said is left out of it."""
GOOD = ("completed", "stopped")


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer of a model."""

    via: str
    """By which way it was asked for."""
    model: str
    provider: str
    kind: str
    """The provider's protocol."""
    status: str
    input_tokens: int
    output_tokens: int
    cost_usd: float
    ttft_ms: float | None
    total_ms: float | None
    error_code: str | None = None
    is_cached: bool = False
    """Whether it was there already."""


def note(one: Answered) -> None:
    """Count an answer, and tell of it."""
    metrics.ANSWERS.add(one.via, one.model, one.status)
    metrics.PROVIDER_ANSWERS.add(one.provider, one.status)
    if one.is_cached:
        metrics.CACHED_ANSWERS.add(one.via)
    metrics.TOKENS.add(one.model, "input", amount=one.input_tokens)
    metrics.TOKENS.add(one.model, "output", amount=one.output_tokens)
    metrics.COST.add(one.model, amount=one.cost_usd)
    if one.ttft_ms is not None:
        metrics.FIRST_TOKEN.observe(one.ttft_ms / 1000, one.model)
    _span(one)


def _span(one: Answered) -> None:
    # FastAPI has loaded it; other processes make no answers.
    from opentelemetry import trace  # noqa: PLC0415

    end = time.time_ns()
    attributes: dict[str, str | int | float] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": one.kind,
        "gen_ai.request.model": one.model,
        "gen_ai.usage.input_tokens": one.input_tokens,
        "gen_ai.usage.output_tokens": one.output_tokens,
        "llm_ui.provider": one.provider,
        "llm_ui.via": one.via,
        "llm_ui.status": one.status,
        "llm_ui.cost_usd": one.cost_usd,
    }
    if one.ttft_ms is not None:
        attributes["gen_ai.response.time_to_first_chunk"] = one.ttft_ms / 1000
    if one.error_code is not None:
        attributes["error.type"] = one.error_code
    export.tell(DETAILS, attributes)
    span = trace.get_tracer("llm_ui").start_span(
        f"chat {one.model}",
        kind=trace.SpanKind.CLIENT,
        start_time=end - int((one.total_ms or 0) * 1_000_000),
        attributes=attributes,
    )
    if one.status not in GOOD:
        span.set_status(trace.StatusCode.ERROR)
    span.end(end)
