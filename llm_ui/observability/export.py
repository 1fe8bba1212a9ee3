"""What leaves for a collector of OpenTelemetry: lines of the log in the trace that they are a part of, and spans.

https://opentelemetry.io/docs/specs/otel/logs/data-model/, https://opentelemetry.io/docs/specs/semconv/http/http-spans/

Only with `llm-ui[otel]` and where its environment says. Both wait in bounded queues and leave from threads of their
own. Of an exception its kind and its places leave, not its words; of libraries their names, for nobody knows what they
say.
"""

import logging
import os
import re
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from llm_ui import __version__
from llm_ui.errors import ConfigurationError
from llm_ui.observability.logging import OURS
from llm_ui.observability.origin import origin
from llm_ui.observability.tracing import HEADER, Trace, be_within, take_up, trace

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.trace import Span

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
"""OpenTelemetry's own variables: where both go, or each. Its others are followed too."""
ENDPOINTS = {"traces": "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "logs": "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"}
NONE = "none"
ITS_OWN = ("opentelemetry", "urllib3", "requests")
"""Loggers of what exports: what they say of a failure must not be exported again."""
CONVENTIONS = {
    "model": "gen_ai.request.model",
    "input_tokens": "gen_ai.usage.input_tokens",
    "output_tokens": "gen_ai.usage.output_tokens",
    "code": "error.type",
}
"""Fields of the log that OpenTelemetry has names for."""

IDS = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
"""What addresses of the LLM API hold that is somebody's."""

_tells_spans = False

Attributes = dict[str, str | int | float | bool]


class Exported(logging.Handler):
    """Hands lines of the log to OpenTelemetry."""

    def __init__(self, provider: "LoggerProvider") -> None:
        super().__init__()
        self._provider = provider
        self._logger = provider.get_logger(OURS, __version__)

    def emit(self, record: logging.LogRecord) -> None:
        """Hand a line on."""
        library = record.name.partition(".")[0]
        if library in ITS_OWN:
            return
        try:
            attributes = _attributes(getattr(record, "fields", {}))
            if record.exc_info and record.exc_info[0] is not None:
                attributes["exception.type"] = record.exc_info[0].__qualname__
                attributes["exception.stacktrace"] = "".join(traceback.format_tb(record.exc_info[2]))
            event = record.getMessage() if library == OURS else record.name
            self.tell(event, attributes, record.levelno, int(record.created * 1e9))
        except Exception:  # noqa: BLE001 - nobody is failed for what cannot be told
            self.handleError(record)

    def tell(self, event: str, attributes: Attributes, level: int = logging.INFO, at_ns: int | None = None) -> None:
        """Hand an event on, as a part of the trace that is followed now."""
        from opentelemetry._logs import SeverityNumber  # noqa: PLC0415 - see `send`

        if request_id := origin().request_id:
            attributes.setdefault("llm_ui.request_id", request_id)
        # Both count levels in steps; theirs are four apart and begin at 1 (data model, "Field: SeverityNumber").
        severity = SeverityNumber(min(level, logging.CRITICAL) // 10 * 4 + 1)
        self._logger.emit(
            timestamp=at_ns, context=_context(), severity_number=severity, severity_text=logging.getLevelName(level),
            body=event, event_name=event, attributes=attributes,
        )  # fmt: skip

    def close(self) -> None:
        """Let what waits be sent; the log calls it when the process ends."""
        self._provider.shutdown()
        super().close()


def send(process: str) -> None:
    """Send spans and the log where the environment says.

    Raises `ConfigurationError` when what that needs is not installed.
    """
    global _tells_spans
    spans, logs = _is_wanted("traces"), _is_wanted("logs")
    if not spans and not logs:
        return
    # Only who wants it loads it.
    try:
        from opentelemetry import trace as tracing  # noqa: PLC0415
        from opentelemetry.exporter.otlp.proto.http._log_exporter import (  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415
            OTLPLogExporter,
        )
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415
            OTLPSpanExporter,
        )
        from opentelemetry.sdk._logs import LoggerProvider  # noqa: PLC0415
        from opentelemetry.sdk._logs.export import BatchLogRecordProcessor  # noqa: PLC0415
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError:
        raise ConfigurationError(
            f"{ENDPOINT} is set, but OpenTelemetry is not installed. Install llm-ui[otel], or unset it."
        ) from None
    resource = Resource.create({"service.name": f"llm-ui-{process}", "service.version": __version__})
    if spans:
        tracers = TracerProvider(resource=resource)
        tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        tracing.set_tracer_provider(tracers)
        _tells_spans = True
    if logs:
        # Not told to OpenTelemetry itself: others would write into it what people sent.
        provider = LoggerProvider(resource=resource, shutdown_on_exit=False)
        provider.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
        logging.getLogger().addHandler(Exported(provider))


def tell(event: str, attributes: Mapping[str, str | int | float]) -> None:
    """Tell a collector of an event that the log has in other words, where one listens."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, Exported):
            handler.tell(event, dict(attributes))


class RequestSpan:
    """What is told of a request; nothing where nobody wants spans."""

    def ended(self, path: str, status: int) -> None:
        """Note how it ended: its address as it is written down, and the status."""


@contextmanager
def request_span(headers: Mapping[bytes, bytes], method: str) -> Iterator[RequestSpan]:
    """Be within the trace of a request: the one it came with, or a new one.

    FastAPI's own spans would hold what is searched for and names of files, which are in addresses.
    """
    # FastAPI has loaded it.
    from opentelemetry import trace as tracing  # noqa: PLC0415
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

    given = headers.get(HEADER.encode(), b"").decode("latin-1")
    if isinstance(tracing.get_tracer_provider(), tracing.ProxyTracerProvider):
        take_up(given)
        yield RequestSpan()
        return
    above = TraceContextTextMapPropagator().extract({HEADER: given.strip()})
    with tracing.get_tracer(OURS).start_as_current_span(
        method, above, tracing.SpanKind.SERVER, {"http.request.method": method},
        record_exception=False, set_status_on_exception=False,
    ) as span:  # fmt: skip
        be_within(_trace_of(span))

        class Told(RequestSpan):
            def ended(self, path: str, status: int) -> None:
                span.update_name(f"{method} {path}")
                span.set_attributes({"http.route": path, "http.response.status_code": status})
                if status >= 500:
                    span.set_attribute("error.type", str(status))
                    span.set_status(tracing.StatusCode.ERROR)

        yield Told()


@contextmanager
def call_span(method: str, path: str, host: str, port: int | None) -> Iterator[dict[str, str]]:
    """Tell of a call to another process of ours while it lasts; yield the headers that make what it does a part of it.

    None where nobody wants spans. The span is made nobody's current one: a call may end in another task than it began.
    """
    if not _tells_spans:
        yield {}
        return
    from opentelemetry import trace as tracing  # noqa: PLC0415 - see `send`

    template = IDS.sub("{id}", path.partition("?")[0])
    where: Attributes = {"server.address": host} if port is None else {"server.address": host, "server.port": port}
    span = tracing.get_tracer(OURS).start_span(
        f"{method} {template}", _context(), tracing.SpanKind.CLIENT,
        {"http.request.method": method, "url.template": template, **where},
    )  # fmt: skip
    try:
        yield {HEADER: _trace_of(span).header()}
    except Exception as error:
        span.set_attribute("error.type", type(error).__qualname__)
        span.set_status(tracing.StatusCode.ERROR)
        raise
    finally:
        span.end()


def _trace_of(span: "Span") -> Trace:
    now = span.get_span_context()
    return Trace(f"{now.trace_id:032x}", f"{now.span_id:016x}", f"{now.trace_flags:02x}")


def _is_wanted(signal: str) -> bool:
    if os.environ.get(f"OTEL_{signal.upper()}_EXPORTER", "").strip() == NONE:
        return False
    return bool(os.environ.get(ENDPOINTS[signal]) or os.environ.get(ENDPOINT))


def _attributes(fields: Mapping[str, object]) -> Attributes:
    return {
        CONVENTIONS.get(name, f"llm_ui.{name}"): value if isinstance(value, str | int | float) else str(value)
        for name, value in fields.items()
        if value is not None
    }


def _context() -> "Context | None":
    """Return OpenTelemetry's context of the trace that is followed now, None where there is none."""
    if (now := trace()) is None:
        return None
    from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context  # noqa: PLC0415

    flags = TraceFlags(int(now.flags, 16))
    span = SpanContext(int(now.trace_id, 16), int(now.span_id, 16), is_remote=False, trace_flags=flags)
    return set_span_in_context(NonRecordingSpan(span))
