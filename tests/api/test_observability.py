"""What is told to those who watch the product: figures, traces and the log; never what people say."""

import json
import logging
import re
import sys
from pathlib import Path

import httpx2
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import SecretStr

from llm_ui.config import Config
from llm_ui.errors import ConfigurationError
from llm_ui.observability import tracing
from llm_ui.observability.export import ENDPOINT, send
from llm_ui.observability.logging import JsonFormatter
from llm_ui.observability.metrics import MAX_SERIES, OTHER, REGISTRY, Counter, exposition
from llm_ui.observability.origin import API, Origin, come_from
from llm_ui.services.access import Actor
from tests.api.conftest import AddModel, RunningApi
from tests.api.test_answers import ClientOf, asking, everything
from tests.fakes.provider import FakeProvider, answer, reply

DASHBOARD = Path(__file__).parents[2] / "deploy" / "grafana.json"
SAMPLE = re.compile(r'[a-z_]+(\{([a-z_]+="([^"\\]|\\.)*",?)+\})? [-+.e0-9]+|# (HELP|TYPE) [a-z_]+ .+')
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
TOKEN = "a-token-of-prometheus"


@pytest.fixture(params=[None, TOKEN], ids=["no token", "token"])
def database_config(request: pytest.FixtureRequest, sqlite_config: Config) -> Config:
    """SQLite only: nothing here depends on the database."""
    token = None if request.param is None else SecretStr(request.param)
    return sqlite_config.model_copy(update={"metrics_token": token})


@pytest.fixture(scope="module")
def everything_sent() -> InMemorySpanExporter:
    """Take in all spans of the process; which is decided once."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return exporter


@pytest.fixture
def spans(everything_sent: InMemorySpanExporter) -> InMemorySpanExporter:
    everything_sent.clear()
    return everything_sent


async def test_figures_of_answers_are_told_to_whom_they_are_meant_for(
    api: RunningApi, database_config: Config, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    async with FakeProvider(reply("openai", answer("openai", ["Hello ", "heron"]))) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        await everything(client_of(a_user), asking("A question about herons", model_id=model_id))
    async with httpx2.AsyncClient(base_url=database_config.llm_api_url, trust_env=False) as http:
        sent = {} if database_config.metrics_token is None else {"Authorization": f"Bearer {TOKEN}"}
        told = await http.get("/metrics", headers=sent)
        through_a_proxy = await http.get("/metrics", headers={"X-Forwarded-For": "192.0.2.7"})
        wrong = await http.get("/metrics", headers={"Authorization": "Bearer wrong"})

    assert told.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    lines = told.text.splitlines()
    assert [line for line in lines if SAMPLE.fullmatch(line) is None] == []
    assert any(line.startswith('llm_ui_answers_total{via="chat",model="fake",status="completed"} ') for line in lines)
    assert any(line.startswith('llm_ui_provider_answers_total{provider="fake",status="completed"} ') for line in lines)
    assert any(line.startswith('llm_ui_tokens_total{model="fake",direction="output"} ') for line in lines)
    assert any(line.startswith('llm_ui_requests_total{method="POST",path="/v1/chat/stream"') for line in lines)
    assert 'llm_ui_waiting{what="documents"} 0' in lines
    assert "heron" not in told.text
    assert through_a_proxy.status_code == 401
    assert wrong.status_code == (200 if database_config.metrics_token is None else 401)


async def test_a_trace_goes_on_to_the_provider(
    api: RunningApi, database_config: Config, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    given = f"00-{TRACE_ID}-00f067aa0ba902b7-01"
    async with FakeProvider(reply("openai", answer("openai", ["Well."]))) as fake:
        model_id = str(await add_model(fake.base_url("openai"), "fake"))
        async with httpx2.AsyncClient(base_url=database_config.llm_api_url, trust_env=False) as http:
            for header in (given, "junk"):
                body = {"idempotency_key": f"trace-{header}", "text": "hi", "model_id": model_id}
                headers = {**client_of(a_user).headers(), "traceparent": header}
                assert (await http.post("/v1/chat", json=body, headers=headers)).status_code == 200
        sent = [one.headers.get("traceparent", "") for one in fake.requests]

    ours = [one for one in sent if one.startswith(f"00-{TRACE_ID}-") and one.endswith("-01")]
    assert ours
    assert given not in sent
    assert all(tracing.GIVEN.fullmatch(one) for one in sent)
    assert any(TRACE_ID not in one for one in sent)


async def test_a_span_tells_of_an_answer_and_not_what_it_says(
    spans: InMemorySpanExporter, api: RunningApi, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    async with FakeProvider(reply("openai", answer("openai", ["A ", "heron."]))) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        await everything(client_of(a_user), asking("Which heron?", model_id=model_id))

    (span,) = [span for span in spans.get_finished_spans() if span.name == "chat fake"]
    told = span.attributes or {}
    assert (told["gen_ai.operation.name"], told["gen_ai.provider.name"]) == ("chat", "openai")
    assert (told["gen_ai.usage.input_tokens"], told["gen_ai.usage.output_tokens"]) == (7, 2)
    assert told["llm_ui.status"] == "completed"
    assert "heron" not in span.to_json()


def test_spans_are_not_asked_for_in_vain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:4318")

    monkeypatch.setitem(sys.modules, "opentelemetry.exporter", None)

    with pytest.raises(ConfigurationError, match="llm-ui\\[otel\\]"):
        send("api")


def test_the_dashboard_shows_figures_that_there_are() -> None:
    dashboard = json.loads(DASHBOARD.read_text())
    named = {
        re.sub(r"_(bucket|sum|count)$", "", name)
        for panel in dashboard["panels"]
        for target in panel["targets"]
        for name in re.findall(r"llm_ui_\w+", target["expr"])
    }

    assert named == set(REGISTRY)


def test_no_label_fills_the_memory() -> None:
    figure = Counter("test_total", "Tried.", "who")
    try:
        for number in range(MAX_SERIES + 10):
            figure.add(f'"{number}"\n')
        lines = [line for line in exposition().splitlines() if line.startswith("test_total")]
    finally:
        del REGISTRY[figure.name]

    assert len(lines) == MAX_SERIES + 1
    assert f'test_total{{who="{OTHER}"}} 10' in lines
    assert all(SAMPLE.fullmatch(line) for line in lines)


def test_a_line_of_the_log_is_one_object_with_its_request() -> None:
    come_from(Origin(API, "127.0.0.1", "", "request-7"))
    tracing.take_up(f"00-{TRACE_ID}-00f067aa0ba902b7-01")
    record = logging.LogRecord("llm_ui", logging.INFO, "", 0, "run.finished", None, None)
    record.fields = {"status": "completed", "text": "two\nlines"}

    line = JsonFormatter("api").format(record)

    assert "\n" not in line
    told = json.loads(line)
    assert (told["event"], told["request_id"], told["trace_id"]) == ("run.finished", "request-7", TRACE_ID)
    assert (told["level"], told["process"], told["text"]) == ("info", "api", "two\nlines")
