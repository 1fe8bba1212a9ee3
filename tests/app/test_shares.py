"""The page of a link to a chat, over HTTP: what a stranger gets, and what tells nothing."""

import json
import logging
from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest

from llm_ui.auth.handler import told_path
from llm_ui.kit.clock import now
from llm_ui.kit.ids import AttachmentId, ChatId, MessageId, uuid7
from llm_ui.models import Audience, ChatHistory, ChatMessage, MessageRole, MessageStatus
from llm_ui.services import settings, sharing
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.attachments import attach
from llm_ui.services.settings import SHARING
from llm_ui.services.sharing import GONE
from tests.app.conftest import Workspace
from tests.app.test_uploads import PICTURE, upload
from tests.fakes import images

HOSTILE = '<script>alert(1)</script><img src=x onerror="alert(2)">'


async def shared(
    workspace: Workspace, owner: Actor, audience: Audience = Audience.ANYONE, text: str = "**Forty-two**",
    *, files: Sequence[str] = (),
) -> str:  # fmt: skip
    """Store a chat of one question and one answer; return the token of a link to it."""
    database = workspace.site.backend.database
    async with database.writing() as session:
        await settings.change(session, SYSTEM, SHARING, "anyone")
        chat = ChatHistory(id=ChatId(uuid7()), user_id=owner.user_id, title=f"About {text}", last_message_at=now())
        session.add(chat)
        await session.flush()
        question = message(chat, MessageRole.USER, f"What is it? {text}")
        answer = message(chat, MessageRole.ASSISTANT, text, question.id, reasoning="secret thoughts")
        session.add_all([question, answer])
        chat.active_leaf_id = answer.id
        await session.flush()
        await attach(session, owner, question.id, [AttachmentId(UUID(each)) for each in files])
    async with database.writing() as session:
        return (await sharing.share(session, owner, chat.id, audience, 7))[1]


def message(
    chat: ChatHistory, role: MessageRole, text: str, parent: MessageId | None = None, reasoning: str = ""
) -> ChatMessage:
    return ChatMessage(
        id=MessageId(uuid7()), chat_id=chat.id, parent_id=parent, position=0 if parent is None else 1, role=role,
        status=MessageStatus.COMPLETE, text=text, reasoning=reasoning,
    )  # fmt: skip


async def test_a_stranger_reads_it_and_is_given_no_cookie(workspace: Workspace) -> None:
    token = await shared(workspace, await workspace.add("xaver"))

    page = await workspace.browser().get(f"/s/{token}")

    assert page.code == 200
    assert b"<strong>Forty-two</strong>" in page.body
    assert page.headers.get_list("Set-Cookie") == []
    assert workspace.served.documents == []
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["X-Robots-Tag"] == "noindex"
    assert page.headers["Cache-Control"] == "no-store"
    for hidden in (b"secret thoughts", b"<form", b"xaver"):
        assert hidden not in page.body, hidden


async def test_nothing_that_was_written_runs(workspace: Workspace) -> None:
    token = await shared(workspace, await workspace.add("ann"), text=HOSTILE)

    page = await workspace.browser().get(f"/s/{token}")

    assert page.code == 200
    assert b"<script>alert" not in page.body
    assert b"<img src=x" not in page.body
    policy = page.headers["Content-Security-Policy"]
    assert "script-src 'self' 'nonce-" in policy
    assert "default-src 'self'" in policy


async def test_every_link_that_leads_nowhere_gets_the_same_page(workspace: Workspace) -> None:
    ann = await workspace.add("ann")
    token = await shared(workspace, ann)
    for_signed_in = await shared(workspace, ann, Audience.SIGNED_IN)
    async with workspace.site.backend.database.writing() as session:
        for link in await sharing.list_links(session, ann):
            if link.audience is Audience.ANYONE:
                await sharing.revoke(session, ann, link.id)

    pages = set()
    for tried in (token, for_signed_in, "x" * 43, "short", "a b", str(uuid4())):
        page = await workspace.browser().get(f"/s/{tried.replace(' ', '%20')}")
        assert page.code == 404, tried
        assert page.headers.get_list("Set-Cookie") == []
        assert GONE in page.body.decode()
        pages.add(stripped(page.body.decode(), tried))

    assert len(pages) == 1


def stripped(body: str, tried: str) -> str:
    """The page without what differs on every one: the nonce and its own address."""
    lines = [line for line in body.splitlines() if "nonce=" not in line]
    return "\n".join(lines).replace(tried.replace(" ", "%20"), "")


async def test_an_image_is_seen_by_whoever_has_the_link_and_nobody_else(workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")
    database = workspace.site.backend.database
    cat, dog, note = [
        json.loads((await upload(ann, data, name)).body)["id"]
        for data, name in ((PICTURE, "cat.png"), (images.png(8, 8), "dog.png"), (b"meow", "note.txt"))
    ]
    token = await shared(workspace, workspace.people["ann"], files=[cat, note])
    without = await shared(workspace, workspace.people["ann"], files=[dog])
    stranger = workspace.browser()

    page = await stranger.get(f"/s/{token}")
    seen = await stranger.get(f"/s/{token}/images/{cat}")

    assert f'src="/s/{token}/images/{cat}" alt="cat.png"' in page.body.decode()
    assert b"Attached: note.txt" in page.body
    assert (seen.code, seen.body, seen.headers["Content-Type"]) == (200, PICTURE, "image/png")
    assert seen.headers["Cache-Control"] == "private, no-cache"
    assert "sandbox" in seen.headers["Content-Security-Policy"]
    assert (seen.headers["Referrer-Policy"], seen.headers["X-Robots-Tag"]) == ("no-referrer", "noindex")
    for address in (f"/s/{without}/images/{cat}", f"/s/{token}/images/{note}", f"/s/{'x' * 43}/images/{cat}"):
        assert (await stranger.get(address)).code == 404, address
    async with database.writing() as session:
        for link in await sharing.list_links(session, workspace.people["ann"]):
            await sharing.revoke(session, workspace.people["ann"], link.id)
    ended = await stranger.get(f"/s/{token}/images/{cat}", **{"If-None-Match": seen.headers["ETag"]})
    assert ended.code == 404


async def test_whoever_guesses_has_to_wait(workspace: Workspace) -> None:
    token = await shared(workspace, await workspace.add("ann"))
    browser = workspace.browser()

    codes = [(await browser.get(f"/s/{number:043}")).code for number in range(61)]
    refused = await browser.get(f"/s/{token}")

    assert codes == [404] * 60 + [429]
    assert refused.code == 429
    assert int(refused.headers["Retry-After"]) > 0
    assert b"Forty-two" not in refused.body


async def test_who_reads_what_there_is_never_has_to_wait(workspace: Workspace) -> None:
    token = await shared(workspace, await workspace.add("ann"))
    browser = workspace.browser()

    assert {(await browser.get(f"/s/{token}")).code for _ in range(70)} == {200}


async def test_who_is_signed_in_continues_it_in_a_chat_of_their_own(workspace: Workspace) -> None:
    token = await shared(workspace, await workspace.add("ann"), Audience.SIGNED_IN)
    bob = await workspace.signed_in("bob")

    answer = await bob.submit(f"/s/{token}", {})

    assert answer.code == 303
    assert answer.headers["Location"].startswith("/c/")


async def test_a_stranger_who_continues_is_sent_to_sign_in(workspace: Workspace) -> None:
    token = await shared(workspace, await workspace.add("ann"))
    browser = workspace.browser()
    await browser.get("/login")

    answer = await browser.post(f"/s/{token}", {})

    assert answer.headers["Location"] == f"/login?next=/s/{token}"


async def test_no_log_holds_a_token(workspace: Workspace, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    token = await shared(workspace, await workspace.add("ann"))

    await workspace.browser().get(f"/s/{token}")
    await workspace.browser().post(f"/s/{token}", {})
    await workspace.browser().get(f"/s/{token}%ff")

    told = "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    assert "/s/…" in told
    assert token not in told


def test_other_paths_are_told_as_they_are() -> None:
    assert told_path("/c/1") == "/c/1"
    assert told_path("/s/abc/def") == "/s/…"
