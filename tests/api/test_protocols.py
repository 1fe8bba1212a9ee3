"""Every protocol of a client to every protocol of a provider, spoken by the clients of others themselves."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from sqlalchemy import update

from llm_ui.api.edge import MAX_BODY_BYTES
from llm_ui.kit.clock import now
from llm_ui.models import ApiKey, RunStatus
from tests.api.speakers import QUESTION, RESULT, SPEAKERS, Bird
from tests.api.stage import PNG, TOOL_PAGE, Stage, booked, played, saying, stage
from tests.fakes.embeddings import embeddings_reply, vector
from tests.fakes.provider import PROTOCOLS, Received, Reply, reply
from tests.fakes.tools import Scripted, calling

__all__ = ["played", "stage"]
pytestmark = pytest.mark.asyncio(loop_scope="module")
CALL = Scripted("weather", {"city": "Köln"})

ADDRESSES = {
    "/v1/chat/completions": {"model": "openai", "messages": [{"role": "user", "content": "x"}]},
    "/v1/responses": {"model": "openai", "input": "x"},
    "/api/v1/messages": {"model": "openai", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]},
    "/v1beta/models/openai:streamGenerateContent?alt=sse": {"contents": [{"parts": [{"text": "x"}]}]},
    "/api/generate": {"model": "openai", "prompt": "x"},
}
"""One of each protocol, with what is asked there."""


@pytest_asyncio.fixture(loop_scope="module", params=SPEAKERS)
async def speaker(stage: Stage, request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    """The client of somebody else."""
    one = SPEAKERS[request.param](stage.url, stage.key)
    yield one
    await one.close()


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_an_answer_whole(stage: Stage, speaker: Any, protocol: str) -> None:
    said = await speaker.chat(protocol)

    assert (said.text, said.reason, said.tokens) == ("A heron.", speaker.whole, (7, 2))
    (sent,) = stage.sent
    assert all(one in sent for one in ("Be brief.", QUESTION, "0.5", "0.9", "99"))
    assert ("END" in sent) == (type(speaker) is not SPEAKERS["responses"])
    (row,) = await booked(stage.database)
    assert (row.status, row.input_tokens, row.output_tokens) == (RunStatus.COMPLETED, 7, 2)


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_limit_that_was_reached_is_told(stage: Stage, speaker: Any, protocol: str) -> None:
    stage.say = saying(
        reason={"openai": "length", "anthropic": "max_tokens", "google": "MAX_TOKENS", "ollama": "length"}
    )

    assert (await speaker.chat(protocol)).reason == speaker.cut


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_an_answer_streamed(stage: Stage, speaker: Any, protocol: str) -> None:
    stage.say = saying(delay_s=0.05)

    assert [piece async for piece in speaker.stream(protocol)] == ["A ", "heron."]


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_tools_go_there_and_back(stage: Stage, speaker: Any, protocol: str) -> None:
    replies = iter([reply(protocol, calling(protocol, [CALL])), saying("It rains.")])

    def next_one(request: Received) -> Reply:
        found = next(replies)
        return found if isinstance(found, Reply) else found(request)

    stage.say = next_one

    assert await speaker.tools(protocol) == ("weather", {"city": "Köln"}, "It rains.")
    first, second = stage.sent
    assert '"object"' in first
    assert RESULT in second
    # What Google wants back with a call comes back from clients that have no place for it.
    assert ("signed call_1" in second) == (protocol == "google")


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_an_answer_has_the_form_that_was_asked_for(stage: Stage, speaker: Any, protocol: str) -> None:
    heron = {"name": "Heron", "legs": 2}

    def formed(request: Received) -> Reply:
        if protocol != "anthropic":
            return saying(json.dumps(heron))(request)
        # Anthropic's models are given the form as a tool.
        tool = request.json()["tools"][-1]["name"]
        return reply(protocol, calling(protocol, [Scripted(tool, heron)]))

    stage.say = formed

    assert await speaker.structured(protocol) == Bird(name="Heron", legs=2)
    assert '"legs"' in stage.sent[0]


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_images_reach_the_model(stage: Stage, speaker: Any, protocol: str) -> None:
    assert await speaker.vision(protocol, PNG) == "A heron."
    assert PNG in stage.sent[0]
    assert QUESTION in stage.sent[0]


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_embeddings(stage: Stage, speaker: Any, protocol: str) -> None:
    if not hasattr(speaker, "embed"):
        return
    stage.say = embeddings_reply
    texts = ["a heron", "a boat"]

    if protocol == "anthropic":
        with pytest.raises(Exception, match="offers no embeddings") as caught:
            await speaker.embed("anthropic-embed", texts)
        assert speaker.refusal(caught.value).status == 400
    else:
        assert await speaker.embed(f"{protocol}-embed", texts) == list(map(vector, texts))


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_providers_refusal_arrives_as_the_clients_own_error(stage: Stage, speaker: Any, protocol: str) -> None:
    error = json.dumps({"error": {"message": "the ibis says no"}}).encode()
    stage.say = lambda _: Reply([error], status=400, headers={"Content-Type": "application/json"})

    with pytest.raises(Exception, match="ibis says no") as caught:
        await speaker.chat(protocol)
    with pytest.raises(type(caught.value), match="ibis says no"):
        await anext(speaker.stream(protocol))

    assert speaker.refusal(caught.value).status == 400


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_who_goes_away_ends_the_providers_work(stage: Stage, speaker: Any, protocol: str) -> None:
    stage.say = saying(*["word "] * 2_000, delay_s=0.02)

    begun = asyncio.Event()

    async def reading() -> None:
        async for _ in speaker.stream(protocol):
            begun.set()

    task = asyncio.create_task(reading())
    async with asyncio.timeout(20):
        await begun.wait()
    task.cancel()
    await asyncio.wait({task})

    async with asyncio.timeout(20):
        while not (rows := await booked(stage.database)):
            await asyncio.sleep(0.02)
    assert [row.status for row in rows] == [RunStatus.INTERRUPTED]
    async with asyncio.timeout(20):
        while stage.fake.open_connections:
            await asyncio.sleep(0.02)


async def test_models_are_listed_and_unknown_ones_refused(stage: Stage, speaker: Any) -> None:
    assert {*PROTOCOLS, "openai-embed"} <= set(await speaker.models())

    with pytest.raises(Exception, match="no model nobody") as caught:
        await speaker.chat("nobody")

    assert speaker.refusal(caught.value).status == 404


async def test_a_wrong_key_is_refused(stage: Stage, speaker: Any) -> None:
    stranger = type(speaker)(stage.url, "llmui-wrong")

    with pytest.raises(Exception, match="This key is not valid") as caught:
        await stranger.chat("openai")

    await stranger.close()
    assert speaker.refusal(caught.value).status == 401


@pytest_asyncio.fixture(loop_scope="module")
async def http(stage: Stage) -> AsyncIterator[httpx2.AsyncClient]:
    """Somebody without a client of a protocol."""
    async with httpx2.AsyncClient(base_url=stage.url, trust_env=False, timeout=30) as one:
        yield one


def told(path: str, body: Any) -> str:
    """Return the sentence of an error, which has to have the shape of the protocol at the path."""
    if path.startswith("/api/") and not path.startswith("/api/v1"):
        assert body.keys() == {"error"}
        return str(body["error"])
    if "messages" in path:
        assert (body["type"], body["error"].keys()) == ("error", {"type", "message"})
    elif "v1beta" in path:
        assert body["error"].keys() == {"code", "message", "status"}
    else:
        assert body["error"].keys() == {"message", "type", "param", "code"}
    return str(body["error"]["message"])


@pytest.mark.parametrize("path", ADDRESSES)
async def test_what_goes_wrong_before_a_question_is_told_in_the_protocols_shape(
    stage: Stage, http: httpx2.AsyncClient, path: str
) -> None:
    headers = {"Authorization": f"Bearer {stage.key}"}
    large = b" " * (MAX_BODY_BYTES + 1)
    below = path.partition("?")[0] + "/nothing"
    asked = [
        (await http.post(path, content=b"{", headers=headers), 400, "cannot be read as JSON"),
        (await http.post(path, json={}, headers=headers), 400, "Correct it"),
        (await http.post(path, json={}), 401, "needs a key"),
        (await http.get(below, headers=headers), 404, "There is no"),
        (await http.put(path, json={}, headers=headers), 405, "does not take this method"),
        (await http.post(path, content=large, headers=headers), 413, "larger than 16 MB"),
    ]

    for response, status, sentence in asked:
        assert response.status_code == status
        assert sentence in told(path, response.json())
        assert response.headers["x-request-id"] == response.headers["request-id"]


REFUSED = [
    ("/v1/chat/completions", {"top_logprobs": 2}, "needs logprobs"),
    ("/v1/chat/completions", {"reasoning_effort": "endless"}, "reasoning_effort is one of none, minimal"),
    ("/v1/chat/completions", {"modalities": ["text", "audio"]}, "answers are text here"),
    ("/v1/responses", {"previous_response_id": "resp_1"}, "Send the whole conversation as input"),
    ("/v1/responses", {"background": True}, "not stored here"),
    ("/v1/responses", {"tools": [{"type": "web_search"}]}, "tools[0]: only functions are taken"),
    (
        "/v1/responses",
        {"input": [{"type": "function_call_output", "call_id": "no", "output": "x"}]},
        "no message before",
    ),
    ("/api/v1/messages", {"thinking": {"type": "enabled", "budget_tokens": 2_000}}, "has to be below max_tokens"),
    (
        "/api/v1/messages",
        {
            "messages": [
                {"role": "user", "content": [{"type": "image", "source": {"type": "base64", "media_type": ["x"]}}]}
            ]
        },
        "images are PNG, JPEG, WebP or GIF",
    ),
    ("/v1beta/models/openai:generateContent", {"tools": [{"googleSearch": {}}]}, "only functionDeclarations"),
    ("/v1beta/models/openai:generateContent", {"cached_content": "cachedContents/1"}, "nothing is kept here"),
    ("/v1beta/models/openai:generateContent", {"generationConfig": {"candidateCount": 2}}, "one answer is made"),
    ("/v1beta/models/openai:streamGenerateContent", {}, "Add ?alt=sse"),
    ("/api/generate", {"context": [1, 2]}, "context is not taken here"),
    ("/api/generate", {"format": "yaml"}, "format is json"),
]


@pytest.mark.parametrize(("path", "wrong", "sentence"), REFUSED)
async def test_what_would_be_missed_in_the_answer_is_refused_in_one_sentence(
    stage: Stage, http: httpx2.AsyncClient, path: str, wrong: dict[str, Any], sentence: str
) -> None:
    usual = next(body for address, body in ADDRESSES.items() if address.startswith(path.partition(":")[0]))

    response = await http.post(path, json={**usual, **wrong}, headers={"Authorization": f"Bearer {stage.key}"})

    assert response.status_code == 400
    assert sentence in told(path, response.json())
    assert stage.sent == []


@pytest.mark.parametrize("path", ADDRESSES)
async def test_more_requests_than_a_key_may_make_are_told_when_to_come_back(
    stage: Stage, http: httpx2.AsyncClient, path: str
) -> None:
    headers = await stage.made(requests_per_minute=1)

    first = await http.post(path, json=ADDRESSES[path], headers=headers)
    second = await http.post(path, json=ADDRESSES[path], headers=headers)

    assert (first.status_code, first.headers["x-ratelimit-remaining-requests"]) == (200, "0")
    assert second.status_code == 429
    assert "more requests or tokens" in told(path, second.json())
    assert int(second.headers["retry-after"]) >= 1


@pytest.mark.parametrize("path", ADDRESSES)
async def test_a_key_that_is_revoked_ends_its_answer(stage: Stage, http: httpx2.AsyncClient, path: str) -> None:
    stage.say = saying(*["word "] * 5_000, delay_s=0.02)
    headers = await stage.made()

    async with http.stream("POST", path, json={**ADDRESSES[path], "stream": True}, headers=headers) as response:
        frames = response.aiter_lines()
        while "word" not in await anext(frames):
            pass
        async with stage.database.writing() as session:
            await session.execute(update(ApiKey).where(ApiKey.name == "other").values(revoked_at=now()))
        rest = [json.loads(line.removeprefix("data: ")) async for line in frames if line.startswith(("data: {", "{"))]

    if path == "/v1/responses":
        assert [event["type"] for event in rest[-2:]] == ["error", "response.failed"]
        assert rest[-1]["response"]["error"]["code"] == "invalid_api_key"
    else:
        assert "not valid" in told(path, rest[-1])


async def test_pages_elsewhere_may_ask_where_they_are_listed(stage: Stage, http: httpx2.AsyncClient) -> None:
    wanted = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    listed = await http.options("/v1/chat/completions", headers={"Origin": TOOL_PAGE, **wanted})
    other = await http.options("/v1/chat/completions", headers={"Origin": "https://evil.example.org", **wanted})

    assert (listed.status_code, listed.headers["access-control-allow-origin"]) == (200, TOOL_PAGE)
    assert "access-control-allow-credentials" not in listed.headers
    assert "access-control-allow-origin" not in other.headers


async def test_a_key_in_an_address_is_google_s_alone(stage: Stage, http: httpx2.AsyncClient) -> None:
    statuses = [
        (await http.get(f"{path}?key={stage.key}")).status_code
        for path in ("/v1beta/models", "/v1/models", "/api/tags")
    ]

    assert statuses == [200, 401, 401]
