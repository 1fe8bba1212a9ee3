"""A browser reduced to what the server sees: cookies, forms, the token in a page, raw websockets."""

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse
from tornado.websocket import WebSocketClientConnection, websocket_connect

TOKEN = re.compile(r'"token":"([^"]+)"')
CSRF = re.compile(r'name="_xsrf" value="([^"]+)"')
NONCE = re.compile(r"'nonce-([^']+)'")
LIMIT_S = 5.0
HELLO = 3
"""Frames of the ACK that a websocket begins with: header, metadata, content."""


@dataclass
class Browser:
    """One browser on one address of the server."""

    origin: str
    cookies: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    csrf: str = ""
    sockets: list[WebSocketClientConnection] = field(default_factory=list)
    """All that were opened, for whoever clears up."""

    async def get(self, path: str, **headers: str) -> HTTPResponse:
        """Ask for a page; redirects are answers like any other."""
        return await self._fetch(path, "GET", None, headers)

    async def post(self, path: str, fields: Mapping[str, str], **headers: str) -> HTTPResponse:
        """Send a form with the token of the last page that had one."""
        return await self._fetch(path, "POST", urlencode({"_xsrf": self.csrf, **fields}), headers)

    async def submit(self, path: str, fields: Mapping[str, str]) -> HTTPResponse:
        """Open the page of a form, then send it."""
        await self.get(path)
        return await self.post(path.partition("?")[0], fields)

    async def token(self, path: str = "/") -> str:
        """Open a page of the workspace; return the token in it."""
        page = await self.get(path)
        assert page.code == 200, page
        found = TOKEN.search(page.body.decode())
        assert found is not None, page.body
        return found.group(1)

    async def socket(self, token: str, path: str = "/", **headers: str) -> WebSocketClientConnection:
        """Open the websocket of a page."""
        sent = {"Origin": self.origin, **self._sent(headers)}
        url = self.origin.replace("http", "ws", 1) + path.rstrip("/") + "/ws"
        request = HTTPRequest(url, headers={name: value for name, value in sent.items() if value})
        socket = await websocket_connect(request, subprotocols=["bokeh", token])
        # As browsers do: else three small frames in a row wait for the server's acknowledgement, 40 ms each time.
        socket.protocol.set_nodelay(True)
        self.sockets.append(socket)
        return socket

    async def open(self, path: str = "/") -> WebSocketClientConnection:
        """Open a page and its websocket; returns once the server has greeted."""
        socket = await self.socket(await self.token(path), path)
        assert await greeting(socket) == "ACK"
        return socket

    async def _fetch(self, path: str, method: str, body: str | None, headers: dict[str, str]) -> HTTPResponse:
        request = HTTPRequest(
            self.origin + path, method, self._sent(headers), body, follow_redirects=False, request_timeout=20
        )
        response = await AsyncHTTPClient().fetch(request, raise_error=False)
        for line in response.headers.get_list("Set-Cookie"):
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
        found = CSRF.search(response.body.decode(errors="replace"))
        self.csrf = found.group(1) if found else self.csrf
        return response

    def _sent(self, headers: dict[str, str]) -> dict[str, str]:
        cookie = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items() if value)}
        return {**(cookie if self.cookies else {}), **self.headers, **headers}


async def until(holds: Callable[[], bool]) -> None:
    """Return once the condition holds."""
    async with asyncio.timeout(LIMIT_S):
        while not holds():
            await asyncio.sleep(0.01)


async def greeting(socket: WebSocketClientConnection) -> str | None:
    """Return the type of the first message, None when the socket is closed instead."""
    frames = [await socket.read_message() for _ in range(HELLO)]
    return None if frames[0] is None else json.loads(frames[0])["msgtype"]


async def closed(socket: WebSocketClientConnection) -> int | None:
    """Return the code with which the server closes the socket; waits for it."""
    async with asyncio.timeout(LIMIT_S):
        while await socket.read_message() is not None:
            pass
    return socket.close_code


async def pulled(socket: WebSocketClientConnection) -> dict[str, Any]:
    """Ask for the page's document, as a page does first; return it."""
    await send(socket, "PULL-DOC-REQ", {})
    async with asyncio.timeout(LIMIT_S):
        while True:
            frames = [await socket.read_message() for _ in range(HELLO)]
            assert frames[0] is not None, socket.close_code
            if json.loads(frames[0])["msgtype"] == "PULL-DOC-REPLY":
                return json.loads(frames[2])["doc"]


async def send(socket: WebSocketClientConnection, kind: str, content: Any) -> None:
    """Send a message of Bokeh's protocol."""
    await socket.write_message(json.dumps({"msgid": "1", "msgtype": kind}))
    await socket.write_message("{}")
    await socket.write_message(json.dumps(content))


def nonce(response: HTTPResponse) -> str:
    """Return the nonce that a page's policy allows."""
    found = NONCE.search(response.headers["Content-Security-Policy"])
    assert found is not None
    return found.group(1)
