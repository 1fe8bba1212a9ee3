"""Websockets: whose page they reach, and what happens to them when a sign-in ends."""

import asyncio
import contextlib
import itertools
import json
import re
import socket as sockets
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from bokeh.util.token import generate_jwt_token, generate_session_id, get_session_id
from panel.io.document import unlocked
from panel.io.state import set_curdoc, state
from sqlalchemy import update
from tornado.httpclient import HTTPClientError
from tornado.websocket import WebSocketClientConnection, WebSocketClosedError

from llm_ui.app import pages
from llm_ui.app.serving import MAX_MESSAGE_BYTES, serve
from llm_ui.kit.clock import now
from llm_ui.models import Role, UserSession
from llm_ui.services import sign_in, users
from llm_ui.services.access import SYSTEM
from llm_ui.services.sign_in import revoke_all
from tests.app.browser import Browser, closed, greeting, pulled, send, until
from tests.app.conftest import PASSWORD, Workspace

SIGNED_OUT = 4401
REVOKED_WITHIN_S = 1.0
ELSEWHERE = """
import asyncio, sys
from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.services import users
from llm_ui.services.access import SYSTEM

async def main():
    database = Database.open(Config(data_dir=sys.argv[1]))
    async with database.writing() as session:
        found = await users.find_user(session, SYSTEM, sys.argv[2])
        await users.set_active(session, SYSTEM, found.id, is_active=False)
    await database.close()

asyncio.run(main())
"""


async def refused(browser: Browser, token: str, path: str = "/", **headers: str) -> int:
    """Return the status with which a websocket is refused."""
    with pytest.raises(HTTPClientError) as refusal:
        await browser.socket(token, path, **headers)
    return refusal.value.code


async def test_a_page_opens_its_websocket(workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")

    document = await pulled(await ann.open())

    assert "typed" in json.dumps(document)


async def test_small_frames_are_sent_at_once(workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")
    await ann.open()

    (client,) = workspace.served._server._tornado._clients

    stream = client._socket.ws_connection.stream
    assert stream.socket.getsockopt(sockets.IPPROTO_TCP, sockets.TCP_NODELAY)


async def test_a_stranger_gets_no_websocket(workspace: Workspace) -> None:
    token = await (await workspace.signed_in("ann")).token()

    assert await refused(workspace.browser(), token) == 403


async def test_tokens_that_we_did_not_make_are_refused(workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")
    token = await ann.token()
    session_id = get_session_id(token)
    owner = {"owner": str(workspace.people["ann"].user_id)}
    body, signature = token.split(".")
    forged = {
        "unsigned": generate_jwt_token(session_id, signed=False, extra_payload=owner),
        "unsigned, id of one's own": generate_jwt_token("chosen", signed=False, extra_payload=owner),
        "other key": generate_jwt_token(
            generate_session_id(b"other", signed=True), b"other", signed=True, extra_payload=owner
        ),
        "signature cut": body + ".",
        "no signature": body,
        "body changed": f"{body[:-2]}AA.{signature}",
        "junk": "junk",
        "junk with a dot": "a.b",
        "json but no object": "W10.W10",
    }

    for name, token_of in forged.items():
        assert await refused(ann, token_of) == 403, name


async def test_a_token_that_is_too_old_is_refused(workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")
    key = workspace.site.backend.secrets.signer.derive("page")
    owner = {"owner": str(workspace.people["ann"].user_id)}
    made = [
        generate_jwt_token(generate_session_id(key, signed=True), key, signed=True, extra_payload=owner, expiration=age)
        for age in (60, -1)
    ]

    assert await greeting(await ann.socket(made[0])) == "ACK"
    assert await refused(ann, made[1]) == 403


async def test_a_signed_token_without_an_owner_is_refused(workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")
    key = workspace.site.backend.secrets.signer.derive("page")

    token = generate_jwt_token(generate_session_id(key, signed=True), key, signed=True)

    assert await refused(ann, token) == 403


async def test_a_second_person_cannot_join_the_first_ones_page(workspace: Workspace) -> None:
    ann, eve = await workspace.signed_in("ann"), await workspace.signed_in("eve")
    token = await ann.token()

    before = await refused(eve, token)
    joined = await greeting(await ann.socket(token))
    after = await refused(eve, token)

    assert (before, joined, after) == (403, "ACK", 403)


async def test_a_page_of_an_ended_sign_in_is_not_joined_with_the_next_one(workspace: Workspace) -> None:
    first = await workspace.signed_in("ann")
    token = await first.token()

    second = await workspace.signed_in("ann")

    assert await refused(second, token) == 403


async def test_a_session_id_beside_the_token_is_refused(workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")
    token = await ann.token()

    assert await refused(ann, token, **{"Bokeh-Session-Id": "chosen"}) == 400


async def test_an_administrators_websocket_is_refused_to_others(workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")

    assert await refused(ann, await ann.token("/"), "/admin/providers") == 403


async def test_a_page_is_built_again_after_a_restart_for_its_owner_only_and_from_this_host(
    workspace: Workspace,
) -> None:
    ann, eve = await workspace.signed_in("ann"), await workspace.signed_in("eve")
    token = await ann.token("/c/7")
    await workspace.served.close()
    from tests.app.conftest import pages as again  # noqa: PLC0415 - the same pages as before

    workspace.served = serve(workspace.site, again)

    others = await refused(eve, token, "/c/7")
    document = await pulled(await ann.socket(token, "/c/7"))

    assert others == 403
    addresses = set(re.findall(r"[a-z]*:?//[^\"' ]+", json.dumps(document)))
    assert addresses == set()
    assert "/pncdn/" in json.dumps(document)


async def logout(workspace: Workspace, browser: Browser) -> None:
    other_tab = Browser(browser.origin, dict(browser.cookies))
    await other_tab.submit("/account", {})
    await other_tab.post("/logout", {})


async def disable(workspace: Workspace, browser: Browser) -> None:
    async with workspace.site.backend.database.writing() as session:
        await users.set_active(session, SYSTEM, workspace.people["ann"].user_id, is_active=False)


async def demote(workspace: Workspace, browser: Browser) -> None:
    async with workspace.site.backend.database.writing() as session:
        await users.set_role(session, SYSTEM, workspace.people["ann"].user_id, Role.USER)


async def reset_password(workspace: Workspace, browser: Browser) -> None:
    ann = workspace.people["ann"]
    async with workspace.site.backend.database.writing() as session:
        await users.reset_password(session, SYSTEM, ann.user_id, "another walk by the sea", workspace.password_hash)


async def change_password_elsewhere(workspace: Workspace, browser: Browser) -> None:
    elsewhere = await workspace.signed_in("ann")
    fields = {"action": "password", "password": PASSWORD, "new-password": "another walk by the sea"}
    assert (await elsewhere.submit("/account", fields)).code == 200


async def end_it_elsewhere(workspace: Workspace, browser: Browser) -> None:
    session_id = workspace.people["ann"].session_id
    elsewhere = await workspace.signed_in("ann")
    assert (await elsewhere.submit("/account", {"action": "end", "session": str(session_id)})).code == 200


async def disable_from_another_process(workspace: Workspace, browser: Browser) -> None:
    folder = str(workspace.site.backend.config.folder)
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", ELSEWHERE, folder, "ann")
    assert await process.wait() == 0


@pytest.mark.parametrize(
    "end",
    [
        logout,
        disable,
        demote,
        reset_password,
        change_password_elsewhere,
        end_it_elsewhere,
        disable_from_another_process,
    ],
)
async def test_an_ended_sign_in_ends_its_open_pages_within_a_second(
    workspace: Workspace, end: Callable[[Workspace, Browser], Awaitable[None]]
) -> None:
    await workspace.add("zoe", Role.ADMIN)
    ann, bob = await workspace.signed_in("ann", Role.ADMIN), await workspace.signed_in("bob")
    mine, theirs = await ann.open(), await bob.open()

    await end(workspace, ann)

    async with asyncio.timeout(REVOKED_WITHIN_S):
        assert await closed(mine) == SIGNED_OUT
    assert (await ann.get("/api/me")).code == 401
    assert await pulled(theirs)


async def test_an_action_on_an_ended_sign_in_is_refused_and_closes_the_page_at_once(workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")
    page = await ann.open()
    person = workspace.people["ann"]
    async with workspace.site.backend.database.writing() as session:
        await revoke_all(session, person.user_id, "test")

    with pytest.raises(sign_in.NotSignedIn):
        await workspace.served._sockets.actor(person.session_id)

    assert await closed(page) == SIGNED_OUT


async def test_an_action_is_done_as_whoever_the_person_is_now(workspace: Workspace) -> None:
    await workspace.signed_in("ann")

    actor = await workspace.served._sockets.actor(workspace.people["ann"].session_id)

    assert (actor.name, actor.role) == ("ann", Role.USER)


async def test_a_sign_in_that_timed_out_ends_its_open_pages(workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")
    page = await ann.open()
    past = update(UserSession).values(expires_at=now() - timedelta(seconds=1))
    async with workspace.site.backend.database.writing() as session:
        await session.execute(past)

    await workspace.served._sockets.check_all()

    assert await closed(page) == SIGNED_OUT


LOOK_ALIKES = [
    "",
    "null",
    "http://evil.example",
    "http://localhost",
    "http://127.0.0.1",
    "http://localhost:{other}",
    "http://127.0.0.1:{other}",
    "https://localhost:{port}",
    "https://127.0.0.1:{port}",
    "http://localhost.evil.example:{port}",
    "http://127.0.0.1.evil.example:{port}",
    "http://evil.example:{port}",
    "http://localhost.:{port}",
    "http://127.0.0.1.:{port}",
    "http://LOCALHOST:{port}.evil.example",
    "http://localhost:{port}.evil.example",
    "http://localhost:{port}@evil.example",
    "http://evil.example@localhost:{port}",
    "http://user:pass@127.0.0.1:{port}",
    "http://localhost:{port}/",
    "http://localhost:{port}/path",
    "http://localhost:{port}?x",
    "http://localhost:{port}#x",
    "http://localhost:{port},http://evil.example",
    "http://localhost:{port} http://evil.example",
    "http://localhost:0{port}",
    "http://127.1:{port}",
    "http://0.0.0.0:{port}",
    "http://2130706433:{port}",
    "http://0x7f000001:{port}",
    "http://[::ffff:127.0.0.1]:{port}",
    "http://127.0.0.2:{port}",
    "http://xn--localhost-:{port}",
    "http://l%6fcalhost:{port}",
    "http://localhost%00.evil.example:{port}",
    "http:/localhost:{port}",
    "http:localhost:{port}",
    "//localhost:{port}",
    "localhost:{port}",
    "ws://localhost:{port}",
    "file://",
    "chrome-extension://localhost:{port}",
    "javascript:localhost:{port}",
    "*",
    "http://*:{port}",
]


async def test_websockets_open_from_our_own_addresses_only(workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")
    token, port = await ann.token(), workspace.site.backend.config.port

    for look_alike in LOOK_ALIKES:
        origin = look_alike.format(port=port, other=port + 1)
        assert await refused(ann, token, Origin=origin) == 403, origin

    for host in ("localhost", "127.0.0.1", "[::1]"):
        assert await greeting(await ann.socket(token, Origin=f"http://{host}:{port}")) == "ACK"


async def test_an_environment_variable_does_not_open_websockets_to_others(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOKEH_ALLOW_WS_ORIGIN", "*")
    ann = await workspace.signed_in("ann")

    assert await refused(ann, await ann.token(), Origin="http://evil.example") == 403


async def frames(socket: WebSocketClientConnection, *sent: str | bytes) -> None:
    with contextlib.suppress(WebSocketClosedError):
        for frame in sent:
            await socket.write_message(frame, binary=isinstance(frame, bytes))


JUNK = {
    "text": lambda socket: frames(socket, "junk", "junk", "junk"),
    "bytes": lambda socket: frames(socket, b"\x00\xff", b"\x00", b"\x00"),
    "json of no message": lambda socket: frames(socket, "[]", "[]", "[]"),
    "no type": lambda socket: frames(socket, '{"msgid": "1"}', "{}", "{}"),
    "deep json": lambda socket: frames(socket, "[" * 100_000, "{}", "{}"),
    "a whole document": lambda socket: send(socket, "PUSH-DOC", {"doc": {"version": "3", "title": "", "roots": []}}),
    "our versions": lambda socket: send(socket, "SERVER-INFO-REQ", {}),
    "unknown type": lambda socket: send(socket, "NOTHING", {}),
}


@pytest.mark.parametrize("name", JUNK)
async def test_junk_closes_the_socket_and_nobody_elses(workspace: Workspace, name: str) -> None:
    ann, bob = await workspace.signed_in("ann"), await workspace.signed_in("bob")
    mine, theirs = await ann.open(), await bob.open()

    await JUNK[name](mine)

    assert await closed(mine) in (1002, 1008)
    assert await pulled(theirs)


@pytest.mark.parametrize(
    "events",
    [
        [{"kind": "ModelChanged", "model": {"id": "p9"}, "attr": "value", "new": "canary"}],
        [{"kind": "ModelChanged", "model": "canary", "attr": "value", "new": 1}],
        [{"kind": "canary"}],
        "canary",
        [{"kind": "MessageSent", "msg_type": "bokeh_event", "msg_data": {"canary": 1}}],
        [{"kind": "RootAdded", "model": {"type": "object", "name": "canary", "id": "p1"}}],
    ],
)
async def test_an_event_that_fails_is_answered_without_a_traceback_and_not_logged(
    workspace: Workspace, events: object, caplog: pytest.LogCaptureFixture
) -> None:
    ann = await workspace.signed_in("ann")
    page = await ann.open()

    await send(page, "PATCH-DOC", {"events": events})

    header, _, content = [await page.read_message() for _ in range(3)]
    assert json.loads(header)["msgtype"] == "ERROR"
    assert json.loads(content) == {"text": "This could not be done. Reload the page.", "traceback": None}
    assert "canary" not in caplog.text
    assert await pulled(page)


async def test_a_message_over_the_limit_closes_the_socket(workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")
    page = await ann.open()

    with contextlib.suppress(WebSocketClosedError):
        await page.write_message("x" * (MAX_MESSAGE_BYTES + 1))

    assert await closed(page) == 1009
    assert (await ann.get("/")).code == 200


async def test_a_flood_of_messages_closes_the_socket(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "MAX_FRAMES", 300)
    ann, bob = await workspace.signed_in("ann"), await workspace.signed_in("bob")
    flooding, theirs = await ann.open(), await bob.open()

    with contextlib.suppress(WebSocketClosedError):
        for _ in range(200):
            await send(flooding, "PULL-DOC-REQ", {})

    assert await closed(flooding) == 1008
    assert await pulled(theirs)


def shown(workspace: Workspace) -> Callable[[str], None]:
    """Return what writes into the field of the only page that is open, as our components tell their pages something."""
    (client,) = workspace.served._server._tornado._clients
    document = client.session.document
    state._loaded[document] = True
    field = next(model for model in document.models if hasattr(model, "value"))

    def show(text: str) -> None:
        with set_curdoc(document), unlocked():
            field.value = text

    return show


async def test_what_a_page_is_told_arrives_whatever_else_is_sent_at_that_moment(workspace: Workspace) -> None:
    """Also what comes while the answer to a request is on its way, and nothing after it that would take it along."""
    ann = await workspace.signed_in("ann")
    page = await ann.open()
    await pulled(page)
    show = shown(workspace)
    told: list[str] = []

    async def read() -> None:
        while (head := await page.read_message()) is not None:
            _, content = await page.read_message(), await page.read_message()
            if json.loads(head)["msgtype"] == "PATCH-DOC":
                told.extend(event["new"] for event in json.loads(content)["events"])

    reading = asyncio.create_task(read())
    for turns, more in itertools.product(range(4, 14), range(1, 14)):
        last = f"{turns} {more}"
        await send(page, "PULL-DOC-REQ", {})
        for text, wait in (("before", turns), (last, more)):
            for _ in range(wait):
                await asyncio.sleep(0)
            show(text)
        await until(lambda last=last: last in told)
    reading.cancel()


async def test_a_browser_that_does_not_read_what_it_is_told_is_cut_off(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "MAX_UNSENT_BYTES", 100_000)
    ann = await workspace.signed_in("ann")
    await pulled(await ann.open())
    show = shown(workspace)

    for number in range(500):
        if not workspace.served._server._tornado._clients:
            break
        show(f"{number}" * 50_000)
        await asyncio.sleep(0)

    await until(lambda: not workspace.served._server._tornado._clients)


async def test_a_browser_that_does_not_read_is_cut_off(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "MAX_UNSENT_BYTES", 100_000)
    ann = await workspace.signed_in("ann")
    await ann.open()
    (client,) = workspace.served._server._tornado._clients

    with contextlib.suppress(WebSocketClosedError):
        for _ in range(500):
            await client._socket.write_message("x" * 100_000)

    await until(lambda: not workspace.served._server._tornado._clients)
