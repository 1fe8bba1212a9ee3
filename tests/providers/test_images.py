"""Images on the wire of all four protocols, and what they cost their reader."""

import json

import pytest

from llm_ui.kit.http import new_client
from llm_ui.models import ProviderKind
from llm_ui.providers.base import Endpoint, Image, Prompt, PromptMessage, TextDelta, Timeouts
from llm_ui.providers.images import RULES
from llm_ui.providers.registry import adapter
from tests.fakes.provider import PROTOCOLS, FakeProvider, answer, reply

TIMEOUTS = Timeouts(connect_s=5, first_byte_s=5, idle_s=5, total_s=20)
CAT, DOG = Image("cat.png", "image/png", "Y2F0"), Image("dog.jpg", "image/jpeg", "ZG9n")
PROMPT = Prompt(
    "some-model",
    "",
    (
        PromptMessage("user", "Which animals?", (CAT, DOG)),
        PromptMessage("assistant", "Two."),
        PromptMessage("user", "", (CAT,)),
    ),
)


def openai_url(image: Image) -> dict[str, object]:
    return {"type": "image_url", "image_url": {"url": f"data:{image.media_type};base64,{image.data}"}}


def anthropic_block(image: Image) -> dict[str, object]:
    return {"type": "image", "source": {"type": "base64", "media_type": image.media_type, "data": image.data}}


def google_part(image: Image) -> dict[str, object]:
    return {"inlineData": {"mimeType": image.media_type, "data": image.data}}


TEXT = {"type": "text", "text": "Which animals?"}
BODIES = {
    "openai": {
        "messages": [
            {"role": "user", "content": [openai_url(CAT), openai_url(DOG), TEXT]},
            {"role": "assistant", "content": "Two."},
            {"role": "user", "content": [openai_url(CAT)]},
        ]
    },
    "anthropic": {
        "messages": [
            {"role": "user", "content": [anthropic_block(CAT), anthropic_block(DOG), TEXT]},
            {"role": "assistant", "content": "Two."},
            {"role": "user", "content": [anthropic_block(CAT)]},
        ]
    },
    "google": {
        "contents": [
            {"role": "user", "parts": [google_part(CAT), google_part(DOG), {"text": "Which animals?"}]},
            {"role": "model", "parts": [{"text": "Two."}]},
            {"role": "user", "parts": [google_part(CAT)]},
        ]
    },
    "ollama": {
        "messages": [
            {"role": "user", "content": "Which animals?", "images": [CAT.data, DOG.data]},
            {"role": "assistant", "content": "Two."},
            {"role": "user", "content": "", "images": [CAT.data]},
        ]
    },
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_images_are_sent_as_the_protocol_wants_them(protocol: str) -> None:
    async with FakeProvider(reply(protocol, answer(protocol, ["A cat."]))) as fake, new_client() as http:
        endpoint = Endpoint(fake.base_url(protocol), "sk-key")
        deltas = [each async for each in adapter(ProviderKind(protocol)).stream(http, endpoint, PROMPT, TIMEOUTS)]

    assert "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)) == "A cat."
    (request,) = fake.requests
    assert request.headers["content-type"] == "application/json"
    sent = json.loads(request.body)
    assert {name: sent[name] for name in BODIES[protocol]} == BODIES[protocol]
    assert adapter(ProviderKind(protocol)).request(endpoint, PROMPT).body == sent  # type: ignore[union-attr]


async def test_the_demo_says_what_it_got() -> None:
    text = '<file name="a &quot;note&quot;.txt">\nwords\n</file>\n\nhello'
    prompt = Prompt("demo", "", (PromptMessage("user", text, (CAT,)),))

    async with new_client() as http:
        found = adapter(ProviderKind.DEMO).stream(http, Endpoint("", None), prompt, TIMEOUTS)
        said = "".join([delta.text async for delta in found if isinstance(delta, TextDelta)])

    assert said.startswith('With your message came `cat.png` (image/png, 3 bytes), `a "note".txt` (text).')


def test_every_kind_of_provider_has_rules() -> None:
    assert set(RULES) == set(ProviderKind) - {ProviderKind.AUTO}


@pytest.mark.parametrize(
    ("kind", "width", "height", "tokens"),
    [
        # The examples of the makers' own guides.
        ("openai", 1_024, 1_024, 765),
        ("openai", 2_048, 4_096, 1_105),
        ("openai", 100, 100, 255),
        ("anthropic", 200, 200, 64),
        ("anthropic", 1_092, 1_092, 1_521),
        ("google", 384, 384, 258),
        ("google", 960, 540, 516),
        ("ollama", 28, 28, 1),
    ],
)
def test_what_an_image_costs_is_estimated_as_its_reader_counts(kind: str, width: int, height: int, tokens: int) -> None:
    assert RULES[ProviderKind(kind)].tokens(width, height) == tokens
