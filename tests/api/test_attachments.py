"""Asking with files through the LLM API: what the provider gets, again and again."""

import asyncio
import base64

import pytest

from llm_ui.config import Config
from llm_ui.contract import PreviewRequest
from llm_ui.db import Database
from llm_ui.errors import InvalidInput, LLMUIError
from llm_ui.kit.file_store import FileStore
from llm_ui.kit.media import inspect
from llm_ui.services import attachments
from llm_ui.services.access import Actor
from llm_ui.services.attachments import AttachmentInfo, Received
from tests.api.conftest import AddModel, RunningApi
from tests.api.test_answers import ClientOf, asking, everything, started
from tests.fakes import images
from tests.fakes.provider import FakeProvider, answer, reply

CAT = images.png(64, 48)


@pytest.fixture
async def cat(database: Database, database_config: Config, a_user: Actor) -> AttachmentInfo:
    """An image that was uploaded."""

    def kept() -> str:
        new = FileStore(database_config.files_path).begin()
        new.write(CAT)
        return new.keep()

    received = Received("cat.png", inspect(CAT, "cat.png"), len(CAT), await asyncio.to_thread(kept))
    async with database.writing() as session:
        return await attachments.receive(session, a_user, received)


def urls(message: dict[str, object]) -> list[str]:
    content = message["content"]
    assert isinstance(content, list)
    return [part["image_url"]["url"] for part in content if part["type"] == "image_url"]


async def test_the_provider_gets_the_image_also_when_an_answer_is_made_once_more(
    api: RunningApi, client_of: ClientOf, a_user: Actor, add_model: AddModel, cat: AttachmentInfo
) -> None:
    async with FakeProvider(reply("openai", answer("openai", ["A cat."]))) as fake:
        model_id = await add_model(fake.base_url("openai"), "gpt-4o")
        client = client_of(a_user)
        first = started(await everything(client, asking("what is it?", model_id=model_id, attachments=(cat.id,))))
        place = {"chat_id": first.chat_id, "model_id": model_id}
        await everything(client, asking("", **place, regenerate_of=first.answer_id))
        await everything(client, asking("what?", **place, edit_of=first.question_id))
        told = await client.sent_request(first.run_id)

    url = f"data:image/png;base64,{base64.b64encode(CAT).decode()}"
    assert [urls(request.json()["messages"][-1]) for request in fake.requests] == [[url]] * 3
    assert fake.requests[-1].json()["messages"][-1]["content"][-1] == {"type": "text", "text": "what?"}
    assert urls(told.body["messages"][-1]) == [f"data:image/png;base64,… {len(CAT)} bytes of cat.png as base64 …"]


async def test_the_gauge_asks_for_its_tokens(
    api: RunningApi, client_of: ClientOf, a_user: Actor, add_model: AddModel, cat: AttachmentInfo
) -> None:
    model_id = await add_model("http://127.0.0.1:9/v1", "gpt-4o")

    found = await client_of(a_user).preview(PreviewRequest(model_id=model_id, attachments=(cat.id,)))

    assert found.attachments == 255


async def test_what_cannot_be_sent_is_refused(
    api: RunningApi, client_of: ClientOf, a_user: Actor, another_user: Actor, add_model: AddModel, cat: AttachmentInfo
) -> None:
    blind = await add_model("http://127.0.0.1:9/v1", "blind")
    client = client_of(a_user)

    with pytest.raises(InvalidInput, match="blind cannot see images"):
        await everything(client, asking("what is it?", model_id=blind, attachments=(cat.id,)))
    with pytest.raises(LLMUIError, match="10 files are the most"):
        await everything(client, asking("what is it?", model_id=blind, attachments=(cat.id,) * 11))
    with pytest.raises(LLMUIError, match="attach it again"):
        await everything(client_of(another_user), asking("mine?", attachments=(cat.id,)))


async def test_the_models_say_whether_they_see(
    api: RunningApi, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    for name in ("gpt-4o", "blind"):
        await add_model("http://127.0.0.1:9/v1", name)

    found = {model.name: model.can_see_images for model in await client_of(a_user).models()}

    assert found == {"demo": True, "gpt-4o": True, "blind": False}
