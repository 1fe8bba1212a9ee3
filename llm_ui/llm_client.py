"""The pages' client of the LLM API: asks, follows answers through lost connections, stops them, tests providers."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx2
from pydantic import TypeAdapter, ValidationError

from llm_ui.contract import (
    RUN_EVENT,
    Aftermath,
    ChatRequest,
    CompleteEvent,
    ErrorBody,
    ErrorEvent,
    ModelView,
    Preview,
    PreviewRequest,
    RunEvent,
    SentRequest,
    StartEvent,
    TemporaryRequest,
)
from llm_ui.contract.auto import AutoTry, AutoTryRequest
from llm_ui.contract.filters import FilterTry, FilterTryRequest
from llm_ui.contract.passages import (
    BenchFound,
    BenchRequest,
    CutPreview,
    CutRequest,
    MeasureReport,
    MeasureRequest,
)
from llm_ui.contract.probes import AlertTest, EmbeddingTest, FoundServer, Health, ProviderTest
from llm_ui.contract.trials import TrialRequest
from llm_ui.errors import ApiDown, LLMUIError, ProviderError, ProviderFault
from llm_ui.kit.http import new_client, read_out
from llm_ui.kit.i18n import language
from llm_ui.kit.ids import SessionId, UserId
from llm_ui.kit.signing import Signer
from llm_ui.observability.export import call_span
from llm_ui.observability.origin import origin

TICKET_S = 60.0
CONNECT_S = 2.0
REQUEST_S = 30.0
MEASURE_S = 180.0
SILENCE_S = 40.0
"""The API sends a ping every 15 s: two missed ones mean that the connection is dead."""
PAUSES_S = (0.1, 0.2, 0.4, 0.8, 1.6, 2.0)
"""Between attempts to reach the API; the last one repeats."""
PATIENCE_S = 30.0
"""How long the API may be away before whoever waits is told. A restart takes two or three seconds."""

STREAMS: dict[type[object], str] = {
    TrialRequest: "/v1/models/trial/stream",
    TemporaryRequest: "/v1/chat/temporary/stream",
    ChatRequest: "/v1/chat/stream",
}
"""Where to ask what, the most special first."""
FOUND_SERVERS: TypeAdapter[list[FoundServer]] = TypeAdapter(list[FoundServer])
MODELS: TypeAdapter[list[ModelView]] = TypeAdapter(list[ModelView])


@dataclass(frozen=True, slots=True)
class Numbered:
    """An event with its number."""

    id: int
    event: RunEvent


class LLMClient:
    """A pool of connections to the LLM API. One in each process."""

    def __init__(self, base_url: str, signer: Signer) -> None:
        self._http = new_client(base_url=base_url)
        self._signer = signer

    def signed_in(self, user_id: UserId, session_id: SessionId) -> "UserClient":
        """Return the client of one person."""
        return UserClient(self._http, self._signer, user_id, session_id)

    async def health(self) -> Health:
        """Return whether the LLM API can work. Raises `ApiDown` when it does not answer."""
        try:
            response = await self._http.get("/readyz", timeout=REQUEST_S)
            return Health.model_validate_json(response.content)
        except (httpx2.TransportError, ValidationError):
            raise ApiDown from None

    async def aclose(self) -> None:
        """Close every connection."""
        await self._http.aclose()


class UserClient:
    """The LLM API as one signed-in person; each request carries a fresh ticket and the language that is spoken here."""

    def __init__(self, http: httpx2.AsyncClient, signer: Signer, user_id: UserId, session_id: SessionId) -> None:
        self._http = http
        self._signer = signer
        self._claims = {"sub": str(user_id), "sid": str(session_id)}

    async def chat_stream(self, request: ChatRequest | TemporaryRequest) -> AsyncGenerator[Numbered]:
        """Ask, and yield the run's events to its end, through lost connections and a restarted API.

        Until the start event the same request is sent again: its idempotency key makes that safe. Raises our errors
        when it is refused, and `ApiDown` when the API stays away.
        """
        body = request.model_dump(mode="json", exclude_defaults=True)
        path = next(path for kind, path in STREAMS.items() if isinstance(request, kind))
        follower = _Follower(self, "POST", path, body)
        async with aclosing(follower.events()) as events:
            async for numbered in events:
                yield numbered

    async def follow(self, run_id: UUID, after: int = 0) -> AsyncGenerator[Numbered]:
        """Yield a run's events after a number, to its end."""
        follower = _Follower(self, "GET", f"/v1/runs/{run_id}/events", None, after)
        async with aclosing(follower.events()) as events:
            async for numbered in events:
                yield numbered

    async def stop(self, run_id: UUID) -> None:
        """End a run and keep what was said."""
        await self._send("POST", f"/v1/runs/{run_id}/stop")

    async def stop_for(self, run_id: UUID) -> None:
        """End a run of somebody, as an administrator."""
        await self._send("POST", f"/v1/live/{run_id}/stop")

    async def test_alert(self, rule_id: UUID) -> str:
        """Have an alert rule tell something; return why it could not, empty when it did."""
        return AlertTest.model_validate_json(await self._send("POST", f"/v1/live/alerts/{rule_id}/test")).problem

    async def aftermath(self, run_id: UUID) -> Aftermath:
        """Return what was made after a run's answer; waits for it for a while."""
        return Aftermath.model_validate_json(await self._send("GET", f"/v1/runs/{run_id}/aftermath"))

    async def sent_request(self, run_id: UUID) -> SentRequest:
        """Return the HTTP request with which a run's provider was asked, without its key."""
        return SentRequest.model_validate_json(await self._send("GET", f"/v1/runs/{run_id}/request"))

    async def preview(self, request: PreviewRequest) -> Preview:
        """Return what a new message would be sent with."""
        return Preview.model_validate_json(await self._send("POST", "/v1/preview", request.model_dump(mode="json")))

    async def models(self) -> list[ModelView]:
        """Return the models that may be asked, the default one first."""
        return MODELS.validate_json(await self._send("GET", "/v1/models/offered"))

    async def test_provider(self, provider_id: UUID) -> ProviderTest:
        """Test a provider's address and key; the result also tells what it serves."""
        return ProviderTest.model_validate_json(await self._send("POST", f"/v1/providers/{provider_id}/test"))

    async def try_filters(self, text: str) -> FilterTry:
        """Return what each safety filter finds in a text."""
        sent = FilterTryRequest(text=text).model_dump(mode="json")
        return FilterTry.model_validate_json(await self._send("POST", "/v1/filters/try", sent))

    async def try_auto(self, request: AutoTryRequest) -> AutoTry:
        """Return what an Auto model would pick for a question."""
        sent = request.model_dump(mode="json")
        return AutoTry.model_validate_json(await self._send("POST", "/v1/models/auto/try", sent))

    async def preview_cut(self, request: CutRequest) -> CutPreview:
        """Return how a document would be cut into passages."""
        sent = request.model_dump(mode="json")
        return CutPreview.model_validate_json(await self._send("POST", "/v1/passages/preview", sent))

    async def try_search(self, request: BenchRequest) -> BenchFound:
        """Return what a question finds in each way."""
        sent = request.model_dump(mode="json")
        return BenchFound.model_validate_json(await self._send("POST", "/v1/passages/search", sent))

    async def measure_cases(self, request: MeasureRequest) -> MeasureReport:
        """Return how well the test set of a project is answered."""
        sent = request.model_dump(mode="json")
        found = await self._send("POST", "/v1/passages/measure", sent, timeout_s=MEASURE_S)
        return MeasureReport.model_validate_json(found)

    async def test_reranking(self, model_id: UUID) -> EmbeddingTest:
        """Have a model put two sentences in order."""
        return EmbeddingTest.model_validate_json(await self._send("POST", f"/v1/models/{model_id}/reranking"))

    async def test_embedding(self, model_id: UUID, text: str = "") -> EmbeddingTest:
        """Have an embedding model make a vector of a text; empty: of a sample."""
        body = {"text": text} if text else None
        return EmbeddingTest.model_validate_json(await self._send("POST", f"/v1/models/{model_id}/embedding", body))

    async def find_local(self) -> list[FoundServer]:
        """Look for model servers on the API's own host."""
        return FOUND_SERVERS.validate_json(await self._send("POST", "/v1/providers/local"))

    def headers(self) -> dict[str, str]:
        """Return the headers of a request: a ticket that lasts a minute, and the id that the page has for it."""
        ticket = self._signer.sign(self._claims, TICKET_S)
        headers = {"Authorization": f"Bearer {ticket}", "Accept-Language": language()}
        return {**headers, "X-Request-ID": request_id} if (request_id := origin().request_id) else headers

    async def _send(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, timeout_s: float = REQUEST_S
    ) -> bytes:
        try:
            with self._span(method, path) as within:
                headers = {**self.headers(), **within}
                response = await self._http.request(method, path, json=body, headers=headers, timeout=timeout_s)
        except httpx2.TransportError:
            raise ApiDown from None
        if response.status_code >= 400:
            raise refused(response.content)
        return response.content

    @asynccontextmanager
    async def open(self, method: str, path: str, body: dict[str, Any] | None, after: int) -> AsyncGenerator[Any]:
        """Open an event stream; what was received last is `after`."""
        timeout = httpx2.Timeout(SILENCE_S, connect=CONNECT_S)
        with self._span(method, path) as within:
            headers = {**self.headers(), **within, "Last-Event-ID": str(after)}
            async with self._http.sse(
                path, method=method, json=body, headers=headers, timeout=timeout, max_event_size=None
            ) as events:
                yield events

    def _span(self, method: str, path: str) -> AbstractContextManager[dict[str, str]]:
        return call_span(method, path, self._http.base_url.host, self._http.base_url.port)


class _Follower:
    """Follows one run; knows what it has seen, so that it can go on elsewhere."""

    def __init__(self, client: UserClient, method: str, path: str, body: dict[str, Any] | None, after: int = 0) -> None:
        self._client = client
        self._method, self._path, self._body = method, path, body
        self._seen = after
        self._failed_since: float | None = None
        self._failures = 0

    async def events(self) -> AsyncGenerator[Numbered]:
        """Yield events until the run's last one."""
        while True:
            try:
                async with self._client.open(self._method, self._path, self._body, self._seen) as source:
                    if source.response.status_code >= 400:
                        raise refused(await source.response.aread())
                    events = aiter(source)
                    async for sse in events:
                        numbered = self._numbered(sse)
                        yield numbered
                        if isinstance(numbered.event, CompleteEvent | ErrorEvent):
                            await read_out(events)
                            return
            except httpx2.TransportError:
                pass
            except LLMUIError as error:
                if not error.retryable or not self._has_begun:
                    raise
            await self._pause()

    @property
    def _has_begun(self) -> bool:
        return self._method == "GET"

    def _numbered(self, sse: httpx2.ServerSentEvent) -> Numbered:
        self._failed_since, self._failures = None, 0
        numbered = Numbered(int(sse.id), RUN_EVENT.validate_python({"type": sse.event, **json.loads(sse.data)}))
        self._seen = numbered.id
        if isinstance(numbered.event, StartEvent):
            # From here on the run is followed, never asked for again.
            self._method, self._path, self._body = "GET", f"/v1/runs/{numbered.event.run_id}/events", None
            if numbered.event.is_replay:
                # Its numbers are of this one replay: another one begins anew.
                self._seen = 0
        return numbered

    async def _pause(self) -> None:
        instant = asyncio.get_running_loop().time()
        self._failed_since = self._failed_since or instant
        if instant - self._failed_since > PATIENCE_S:
            raise ApiDown
        await asyncio.sleep(PAUSES_S[min(self._failures, len(PAUSES_S) - 1)])
        self._failures += 1


def _kinds(root: type[LLMUIError]) -> dict[str, type[LLMUIError]]:
    found = {root.code: root} if "code" in vars(root) else {}
    for kind in root.__subclasses__():
        found |= _kinds(kind)
    return found


KINDS = _kinds(LLMUIError)
"""Our errors by code. A provider's have their fault as code."""
FAULTS = frozenset(ProviderFault)


def refused(content: bytes) -> LLMUIError:
    """Return the error that a refused request's body tells."""
    try:
        detail = ErrorBody.model_validate_json(content).error
    except ValidationError:
        return ApiDown()
    if detail.code in FAULTS and detail.code not in KINDS:
        return ProviderError(detail.message, ProviderFault(detail.code), retry_after=detail.retry_after)
    kind = KINDS.get(detail.code, LLMUIError)
    error = kind.__new__(kind)
    # Not the kind's own: some have a sentence of their own, and here it is the API's that counts.
    LLMUIError.__init__(error, detail.message, retry_after=detail.retry_after)
    error.code, error.retryable = detail.code, detail.retryable
    return error
