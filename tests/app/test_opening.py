"""What the page of a chat brings along, to be read before it is connected."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from llm_ui.app.routing import applications as all_applications
from llm_ui.app.serving import ActorOf
from llm_ui.auth.site import Site
from llm_ui.kit.ids import ChatId
from llm_ui.services.seed import seed
from tests.app.conftest import Workspace
from tests.services.test_chats import ask, end

OPENING = re.compile(r'<script [^>]*id="opening">(.*?)</script>', re.DOTALL)
HOSTILE = "</script><b>Is this safe?</b>"


@pytest.fixture
def applications(site: Site) -> Callable[[ActorOf], Mapping[str, Callable[[], Any]]]:
    """The pages of the product."""
    return lambda actor_of: all_applications(site.backend, actor_of)


async def _chat_of(workspace: Workspace, name: str, text: str, *, is_over: bool = True) -> ChatId:
    database = workspace.site.backend.database
    async with database.writing(lock="seed") as session:
        await seed(session)
    turn = await ask(database, workspace.people[name], text)
    if is_over:
        await end(database, turn, "It is.")
    return turn.chat_id


async def test_the_page_of_a_chat_brings_its_messages_along(workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")
    chat_id = await _chat_of(workspace, "ann", HOSTILE)

    page = (await ann.get(f"/c/{chat_id}")).body.decode()

    opening = OPENING.search(page)
    assert opening is not None
    shown = json.loads(opening.group(1))
    assert (shown["op"], shown["chat"], shown["is_streaming"]) == ("snapshot", str(chat_id), False)
    assert [one["text"] for one in shown["messages"]] == [HOSTILE, "It is."]
    assert HOSTILE not in page


async def test_the_page_brings_nothing_of_somebody_elses_chat(workspace: Workspace) -> None:
    await workspace.signed_in("ann")
    chat_id = await _chat_of(workspace, "ann", "Only mine")

    page = await (await workspace.signed_in("bea")).get(f"/c/{chat_id}")

    assert page.code == 200
    assert OPENING.search(page.body.decode()) is None
    assert b"Only mine" not in page.body


async def test_the_page_leaves_an_answer_that_is_being_written_to_who_follows_it(workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")
    chat_id = await _chat_of(workspace, "ann", "Is it there?", is_over=False)

    page = await ann.get(f"/c/{chat_id}")

    assert page.code == 200
    assert OPENING.search(page.body.decode()) is None


async def test_the_open_page_does_not_keep_what_it_brought_along(workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")
    chat_id = await _chat_of(workspace, "ann", "How much is kept?")

    await ann.get(f"/c/{chat_id}")

    (live,) = workspace.served.documents
    assert "opening" not in live.document.template_variables
