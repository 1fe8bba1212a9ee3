"""Vectors of texts over the real wire of each protocol that has them, and what a provider may do wrong."""

import json
from collections.abc import AsyncIterator

import httpx2
import pytest

from llm_ui.errors import ProviderError, ProviderFault
from llm_ui.kit.http import new_client
from llm_ui.models import ProviderKind
from llm_ui.providers.base import Embedded, Endpoint, Texts, Timeouts
from llm_ui.providers.embedding import MAX_DIMENSIONS, embedder
from llm_ui.services.capabilities import makes_embeddings
from tests.fakes.embeddings import embeddings_reply, vector
from tests.fakes.provider import FakeProvider, Reply

KEY = "sk-a-key-that-must-not-leak"
TEXTS = ("A heron stands in the reeds.", "The ship is late.", "日本語")
TIMEOUTS = Timeouts(connect_s=5, first_byte_s=5, idle_s=5, total_s=20)
JSON = {"Content-Type": "application/json"}
PROTOCOLS = ("openai", "google", "ollama")


@pytest.fixture
async def http() -> AsyncIterator[httpx2.AsyncClient]:
    async with new_client() as client:
        yield client


async def embed(http: httpx2.AsyncClient, protocol: str, fake: FakeProvider, *, is_question: bool = False) -> Embedded:
    texts = Texts("an-embedder", TEXTS, is_question)
    endpoint = Endpoint(fake.base_url(protocol), KEY)
    return await embedder(ProviderKind(protocol)).embed(http, endpoint, texts, TIMEOUTS)


def as_protocol(protocol: str, vectors: list[object]) -> bytes:
    if protocol == "openai":
        return json.dumps({"data": [{"index": at, "embedding": one} for at, one in enumerate(vectors)]}).encode()
    return json.dumps({"embeddings": [{"values": one} if protocol == "google" else one for one in vectors]}).encode()


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_each_text_has_its_vector(http: httpx2.AsyncClient, protocol: str) -> None:
    async with FakeProvider(embeddings_reply) as fake:
        found = await embed(http, protocol, fake)

    assert found.vectors == tuple(tuple(vector(text)) for text in TEXTS)
    assert found.input_tokens == (None if protocol == "google" else 9)
    (request,) = fake.requests
    assert KEY not in request.path
    assert KEY in str(request.headers)
    assert all(text in json.dumps(request.json(), ensure_ascii=False) for text in TEXTS)


async def test_google_is_told_what_a_text_is(http: httpx2.AsyncClient) -> None:
    async with FakeProvider(embeddings_reply) as fake:
        await embed(http, "google", fake)
        await embed(http, "google", fake, is_question=True)

    tasks = [{one["taskType"] for one in request.json()["requests"]} for request in fake.requests]
    assert tasks == [{"RETRIEVAL_DOCUMENT"}, {"RETRIEVAL_QUERY"}]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "vectors",
    [
        [],
        [[1.0], [2.0]],
        [[1.0], [2.0], [3.0, 4.0]],
        [[], [], []],
        [[1.0], [2.0], ["x"]],
        [[1.0], [2.0], [None]],
        [[1.0], [2.0], [1e999]],
        [[1.0], [2.0], "abc"],
        [[0.0] * (MAX_DIMENSIONS + 1)] * 3,
    ],
    ids=["none", "too few", "uneven", "empty", "words", "null", "infinite", "a text", "too long"],
)
async def test_what_is_no_vector_for_each_text_is_refused(
    http: httpx2.AsyncClient, protocol: str, vectors: list[object]
) -> None:
    async with FakeProvider(Reply([as_protocol(protocol, vectors)], headers=JSON)) as fake:
        with pytest.raises(ProviderError, match="a vector for each text") as raised:
            await embed(http, protocol, fake)

    assert raised.value.fault is ProviderFault.PROTOCOL_BROKEN


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("reply", "fault"),
    [
        (Reply([b"{}"], status=401, headers=JSON), ProviderFault.KEY_REFUSED),
        (Reply([b"{}"], status=429, headers=JSON), ProviderFault.RATE_LIMITED),
        (Reply([b"{}"], status=503, headers=JSON), ProviderFault.OVERLOADED),
        (Reply([b"<html>"], headers={"Content-Type": "text/html"}), ProviderFault.NOT_A_MODEL_ENDPOINT),
        (Reply([b'{"data": [', b"[1"], headers=JSON, end="reset"), ProviderFault.CUT_OFF),
    ],
    ids=["key", "rate", "overload", "page", "reset"],
)
async def test_a_refusal_is_told_in_our_words(
    http: httpx2.AsyncClient, protocol: str, reply: Reply, fault: ProviderFault
) -> None:
    async with FakeProvider(reply) as fake:
        with pytest.raises(ProviderError) as raised:
            await embed(http, protocol, fake)

    assert raised.value.fault is fault
    assert KEY not in raised.value.message


@pytest.mark.parametrize("kind", [ProviderKind.ANTHROPIC, ProviderKind.DEMO])
def test_some_have_no_embeddings(kind: ProviderKind) -> None:
    with pytest.raises(ProviderError, match="offers no embeddings"):
        embedder(kind)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("text-embedding-3-small", True), ("nomic-embed-text:latest", True), ("BAAI/bge-m3", True),
        ("models/gemini-embedding-001", True), ("all-minilm:22m", True), ("intfloat/multilingual-e5-large", True),
        ("gpt-5", False), ("llama3.2", False), ("claude-sonnet-4", False), ("qwen3:8b", False),
    ],
)  # fmt: skip
def test_embedding_models_are_known_by_their_names(name: str, expected: bool) -> None:
    assert makes_embeddings(name) is expected
