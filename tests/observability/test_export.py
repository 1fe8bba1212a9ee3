"""The log leaves for a collector of OpenTelemetry, in the traces of what it tells of; never what people say."""

import gzip
import re
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from playwright.sync_api import expect, sync_playwright

from tests.browser.conftest import ARGUMENTS, CHROMIUM, ask, sign_in
from tests.fakes.web import Answer, Web, a_web_elsewhere
from tests.product import Product, running, wait_until

TRACE_ID, ABOVE = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
JSON = {"Content-Type": "application/json"}
LOGS, TRACES = "/v1/logs", "/v1/traces"
ASKED = "POST /v1/chat/stream"


def read(body: bytes) -> bytes:
    return gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body


def received(web: Web, path: str) -> list[tuple[Any, Any]]:
    """Return every record or span that came, each after its resource."""
    kind = ExportLogsServiceRequest if path == LOGS else ExportTraceServiceRequest
    sent = [kind.FromString(read(body)) for asked, body in zip(web.asked, web.bodies, strict=False) if asked == path]
    if path == LOGS:
        return [
            (r.resource, one)
            for every in sent
            for r in every.resource_logs
            for s in r.scope_logs
            for one in s.log_records
        ]
    return [(r.resource, one) for every in sent for r in every.resource_spans for s in r.scope_spans for one in s.spans]


def attributes(of: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in of.attributes}


def ask_as_a_script(product: Product, key: str) -> None:
    connection = HTTPConnection("127.0.0.1", product.config.api_port, timeout=30)
    headers = {"Authorization": f"Bearer {key}", "traceparent": f"00-{TRACE_ID}-{ABOVE}-01"}
    connection.request(
        "POST", "/v1/chat?why=heron", '{"idempotency_key": "trace-one", "text": "A heron?"}', headers | JSON
    )
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    connection.close()


def test_the_log_arrives_in_its_trace_and_without_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with a_web_elsewhere() as web:
        web.answers = {LOGS: Answer(), TRACES: Answer()}
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", web.url(""))
        monkeypatch.setenv("OTEL_BLRP_SCHEDULE_DELAY", "100")
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
        product = Product(tmp_path / "data")
        with running(product):
            product.add_person("ann")
            ask_as_a_script(product, product.command("keys", "create", "script", "--user", "ann").strip())
            wait_until(lambda: {"llm-ui-api", "llm-ui-ui", "llm-ui-worker"} <= services(web), "the log of each process")
            wait_until(
                lambda: any(one.name.startswith("chat ") for _, one in received(web, TRACES)), "the answer's span"
            )
        logs, spans = received(web, LOGS), [one for _, one in received(web, TRACES)]
        everything = b"".join(map(read, web.bodies))

    (request,) = [one for one in spans if one.name == "POST /v1/chat"]
    (answer,) = [one for one in spans if one.name.startswith("chat ")]
    assert (request.trace_id.hex(), request.parent_span_id.hex()) == (TRACE_ID, ABOVE)
    assert answer.parent_span_id == request.span_id
    ((resource, finished),) = [(of, one) for of, one in logs if one.event_name == "run.finished"]
    assert (finished.trace_id, finished.span_id) == (request.trace_id, request.span_id)
    assert (finished.severity_number, finished.severity_text) == (9, "INFO")
    assert attributes(finished)["llm_ui.status"] == "completed"
    assert attributes(finished)["llm_ui.request_id"]
    told = attributes(resource)
    assert (told["service.name"], told["service.version"]) == ("llm-ui-api", "0.1.0")
    (details,) = [one for _, one in logs if one.event_name == "gen_ai.client.inference.operation.details"]
    assert details.trace_id == request.trace_id
    assert attributes(details)["gen_ai.operation.name"] == "chat"
    assert attributes(details)["gen_ai.usage.output_tokens"] > 0
    assert b"heron" not in everything.lower()


def services(web: Web) -> set[str]:
    return {attributes(resource)["service.name"] for resource, _ in received(web, LOGS)}


def test_a_call_of_the_pages_is_a_span_and_what_the_api_does_lies_below_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with a_web_elsewhere() as web:
        web.answers = {LOGS: Answer(), TRACES: Answer()}
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", web.url(""))
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
        product = Product(tmp_path / "data")
        with running(product), sync_playwright() as playwright:
            product.add_person("ann")
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            page = browser.new_page()
            sign_in(page, product, "ann")
            ask(page, "What is 6 * 7?")
            expect(page.get_by_role("article", name="Assistant")).to_contain_text("42")
            wait_until(lambda: {"llm-ui-ui", "llm-ui-api"} <= asked(web, ASKED).keys(), "the spans of both sides")
            browser.close()
        spans, everything = asked(web, ASKED), [one.name for _, one in received(web, TRACES)]

    call, request = spans["llm-ui-ui"], spans["llm-ui-api"]
    assert (request.trace_id, request.parent_span_id) == (call.trace_id, call.span_id)
    assert (call.kind, request.kind) == (call.SPAN_KIND_CLIENT, call.SPAN_KIND_SERVER)
    assert attributes(call)["server.port"] == product.config.api_port
    assert not any(re.search(r"[0-9a-f]{8}-", name) for name in everything)


def asked(web: Web, name: str) -> dict[str, Any]:
    """Return the last span of this name of each process."""
    found = [(attributes(of)["service.name"], one) for of, one in received(web, TRACES)]
    return {service: one for service, one in found if one.name == name}
