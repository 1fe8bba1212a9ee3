"""LiteLLM's client, in an environment of its own: it needs other versions of what the product needs too."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from llm_ui.models import RunStatus
from tests.api.stage import PNG, Stage, booked, played, saying, stage
from tests.fakes.embeddings import embeddings_reply, vector
from tests.fakes.provider import PROTOCOLS, Received, Reply, protocol_of, reply
from tests.fakes.tools import Scripted, calling
from tests.litellm import environment

__all__ = ["played", "stage"]
pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(600),
]
HERON = {"name": "Heron", "legs": 2}


@pytest.fixture(scope="module")
def python() -> Path:
    """The Python of LiteLLM's environment."""
    return environment(Path(sys.prefix).parent / ".venv-litellm")


def answering(request: Received) -> Reply:
    """Answer the calls of `litellm_calls.py`, told apart by what they say."""
    if "mbed" in request.path:
        return embeddings_reply(request)
    protocol, body = protocol_of(request), request.body
    if b"endless" in body:
        return saying(*["word "] * 2_000, delay_s=0.02)(request)
    if b"form" in body and b'"legs"' in body:
        tools = request.json().get("tools") or []
        name = next((tool["name"] for tool in tools if "name" in tool), None) if protocol == "anthropic" else None
        return (
            reply(protocol, calling(protocol, [Scripted(name, HERON)])) if name else saying(json.dumps(HERON))(request)
        )
    if b"weather" in body and b"rain" not in body:
        return reply(protocol, calling(protocol, [Scripted("weather", {"city": "Köln"})]))
    return saying("A ", "heron.")(request)


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_litellm_asks_every_provider(stage: Stage, python: Path, protocol: str) -> None:
    stage.say = answering
    arguments = (stage.url, stage.key, protocol, f"data:image/png;base64,{PNG}")

    run = await asyncio.create_subprocess_exec(
        str(python), str(Path(__file__).with_name("litellm_calls.py")), *arguments, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await run.communicate()
    found = json.loads(out)

    for way in ("openai", "anthropic"):
        told = found[way]
        assert (told["whole"], told["tokens"], told["stream"]) == ("A heron.", [7, 2], "A heron.")
        assert (told["call"], told["after"]) == (["weather", {"city": "Köln"}], "A heron.")
        assert (told["form"], told["seen"]) == (HERON, "A heron.")
        assert "There is no model" in told["refused"]
    assert found.get("vector") == (None if protocol == "anthropic" else vector("a heron"))
    assert RunStatus.INTERRUPTED in {row.status for row in await booked(stage.database)}
    assert sum(PNG in body for body in stage.sent) == 2
