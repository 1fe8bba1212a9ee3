"""Whatever is sent to the addresses of the protocols, by whomever: an answer or a refusal, and no crash."""

import asyncio
import logging
import os
import random
from collections.abc import Callable

import httpx2
import pytest

from llm_ui.models import Role
from llm_ui.services import keys
from llm_ui.services.keys import NewKey
from tests.api.fuzz import BODIES, HEADERS, broken
from tests.api.stage import Stage, played, saying, stage
from tests.conftest import make_actor
from tests.fakes.embeddings import embeddings_reply
from tests.fakes.provider import Received, Reply

__all__ = ["played", "stage"]

EACH = int(os.environ.get("LLM_UI_FUZZ", "2"))
"""Bodies at each address; `LLM_UI_FUZZ=200` for a long look."""
SEED = int(os.environ.get("LLM_UI_FUZZ_SEED", "1"))

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def principals(stage: Stage) -> dict[str, dict[str, str]]:
    """Return the headers of everybody there can be."""
    found = {"anonymous": {}, "user": {"Authorization": f"Bearer {stage.key}"}}
    async with stage.database.writing() as session:
        gone = await keys.create(session, stage.actor, NewKey("gone"))
        await keys.revoke(session, stage.actor, gone.id)
    for name, role in (("other user", Role.USER), ("operator", Role.OPERATOR), ("admin", Role.ADMIN)):
        actor = await make_actor(stage.database, name, role)
        async with stage.database.writing() as session:
            made = await keys.create(session, actor, NewKey("script"))
        found[name] = {"x-api-key": made.token}
    return {**found, "revoked key": {"Authorization": f"Bearer {gone.token}"}}


def answering() -> Callable[[Received], Reply]:
    """Return providers that answer whatever they are asked."""
    said = saying()
    return lambda request: embeddings_reply(request) if "embed" in request.path.lower() else said(request)


@pytest.mark.timeout(3_600 if EACH > 2 else 240)
async def test_no_body_makes_a_protocol_crash(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    stage.say = answering()
    chance, everybody = random.Random(SEED), await principals(stage)
    statuses: dict[str, set[int]] = {name: set() for name in everybody}

    async with httpx2.AsyncClient(base_url=stage.url, trust_env=False, timeout=60) as http:
        for address, body in BODIES.items():
            method, _, path = address.partition(" ")
            for _ in range(EACH):
                sent = broken(chance, body)
                extra = {"Content-Type": "application/json", **chance.choice(HEADERS)}
                asked = (
                    http.request(method, path, content=sent, headers=_raw({**extra, **own}))
                    for own in everybody.values()
                )
                for name, response in zip(everybody, await asyncio.gather(*asked), strict=True):
                    statuses[name].add(response.status_code)
                    assert response.status_code < 500, (address, extra, sent, response.text)
                    assert "Something went wrong" not in response.text, (address, extra, sent, response.text)
                failed = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
                assert failed == [], (address, extra, sent)
    assert statuses["anonymous"] == {401}
    assert statuses["revoked key"] <= {401, 429}
    assert {200, 400} <= statuses["user"]


@pytest.mark.parametrize("body", [b"{}", b'{"contents": []}', b'{"contents": null, "tools": []}'])
async def test_nothing_to_count_is_said_in_a_sentence(stage: Stage, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {stage.key}"}

    async with httpx2.AsyncClient(base_url=stage.url, trust_env=False) as http:
        response = await http.post("/v1beta/models/google:countTokens", content=body, headers=headers)

    assert response.status_code == 400
    assert response.json()["error"]["message"].startswith("contents: ")


def _raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    """Return headers as bytes: clients send what no text of ASCII is."""
    return [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
