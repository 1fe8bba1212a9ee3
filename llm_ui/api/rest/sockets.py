"""`/v1/ws/chat`: asking over a WebSocket, for clients that need one. The events are those of the stream.

What a client sends and is sent is in `llm_ui/contract/sockets.py`. Whatever it reads too slowly waits in the log of the
run, which is bounded, and in no buffer of its own.
"""

import asyncio
import secrets
from contextlib import ExitStack, suppress
from urllib.parse import urlsplit

from pydantic import ValidationError
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from llm_ui.api.errors import detail_of
from llm_ui.api.principal import Api
from llm_ui.api.public.door import Guard
from llm_ui.api.routes.runs import following
from llm_ui.contract import ErrorDetail
from llm_ui.contract.sockets import FROM_CLIENT, Ask, Auth, Close, Failed, Pong, Ready, Stop
from llm_ui.errors import Forbidden, InvalidInput, KeyRefused, LLMUIError, TooManyRequests, unforeseen
from llm_ui.kit import i18n
from llm_ui.kit.bucket import Buckets
from llm_ui.kit.ids import RunId
from llm_ui.models import KeyScope
from llm_ui.observability.logging import get_logger
from llm_ui.observability.origin import API, Origin, come_from
from llm_ui.services.keys import Caller
from llm_ui.services.runs import read_run

log = get_logger(__name__)

PATHS = ("/v1/ws/chat", "/api/v1/ws/chat")
MAX_MESSAGE_BYTES = 8_500_000
"""A question of the longest kind in UTF-8."""
INTRODUCED_S = 10.0
"""How long a client may take to send its key."""
MAX_STRANGERS = 200
"""Connections that have not sent theirs yet."""
MESSAGES_PER_MINUTE = 600
CODES = {KeyRefused: Close.KEY_REFUSED, Forbidden: Close.FORBIDDEN, TooManyRequests: Close.TOO_MANY}


class Sockets:
    """Takes connections in. One in each process."""

    def __init__(self, parts: Api, guard: Guard) -> None:
        self._parts, self._guard = parts, guard
        self._strangers = 0

    def routes(self) -> list[WebSocketRoute]:
        """Return the addresses."""
        return [WebSocketRoute(path, self._take_in) for path in PATHS]

    async def _take_in(self, socket: WebSocket) -> None:
        i18n.speak("en")
        if not _is_of_here(socket) or self._strangers >= MAX_STRANGERS:
            # Before it is accepted this is a 403.
            await socket.close()
            return
        request_id = secrets.token_hex(8)
        address = socket.client.host if socket.client is not None else ""
        come_from(Origin(API, address, socket.headers.get("user-agent", ""), request_id))
        await socket.accept(headers=[(b"x-request-id", request_id.encode())])
        connection = Connection(socket, self._parts, request_id)
        try:
            await connection.hold(await self._caller(socket))
        except WebSocketDisconnect:
            pass
        except LLMUIError as error:
            await connection.close(CODES.get(type(error), Close.UNREADABLE), error.message)
        except Exception:
            log.exception("socket.crashed", request_id=request_id)
            await connection.close(Close.CRASHED, unforeseen(request_id).message)

    async def _caller(self, socket: WebSocket) -> Caller:
        """Return whose key this is: that of the headers, else that of the first message. Never of the address."""
        token = ""
        if not {"authorization", "x-api-key"} & set(socket.headers):
            self._strangers += 1
            try:
                async with asyncio.timeout(INTRODUCED_S):
                    first = _read(await socket.receive())
            except TimeoutError:
                raise KeyRefused("No key came in time. Send it as the first message.") from None
            finally:
                self._strangers -= 1
            if not isinstance(first, Auth):
                raise KeyRefused('The first message has to be {"type": "auth", "key": …}.')
            token = first.key
        return await self._guard.caller(socket, self._parts, KeyScope.CHAT, KeyScope.CONVERSATIONS_WRITE, token=token)


class Connection:
    """One client."""

    def __init__(self, socket: WebSocket, parts: Api, request_id: str) -> None:
        self._socket, self._parts, self._request_id = socket, parts, request_id
        self._answering: set[asyncio.Task[None]] = set()
        self._sending = asyncio.Lock()
        self._messages = Buckets()

    async def hold(self, caller: Caller) -> None:
        """Answer until the client leaves. Raises `KeyRefused` when its key ends, and what ends the connection."""
        ended = asyncio.get_running_loop().create_future()
        with ExitStack() as held:
            held.enter_context(self._parts.engine.watch.over(caller.key_id, ended.set_result))
            listening = asyncio.create_task(self._listen(caller))
            try:
                await self._send(Ready(request_id=self._request_id).model_dump_json())
                await asyncio.wait({listening, ended}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                tasks = [listening, *self._answering]
                is_over = listening.done()
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        if ended.done():
            raise ended.result()
        if is_over:
            listening.result()

    async def close(self, code: Close, reason: str) -> None:
        """Say why, and leave. A client that has gone is no error."""
        if self._socket.application_state is WebSocketState.CONNECTED:
            with suppress(WebSocketDisconnect, RuntimeError):
                # RFC 6455 §5.5: what a close says has at most 123 bytes.
                await self._socket.close(code.value, reason.encode()[:123].decode(errors="ignore"))

    async def _listen(self, caller: Caller) -> None:
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect
            if self._messages.wait_s("messages", MESSAGES_PER_MINUTE, 1) > 0:
                raise TooManyRequests("These are more messages than are allowed in a minute. Connect again later.")
            self._messages.take("messages", MESSAGES_PER_MINUTE, 1)
            try:
                await self._act(caller, _read(message))
            except LLMUIError as error:
                await self._fail("", error)

    async def _act(self, caller: Caller, message: object) -> None:
        match message:
            case Ask():
                task = asyncio.create_task(self._answer(caller, message))
                self._answering.add(task)
                task.add_done_callback(self._answering.discard)
            case Stop():
                async with self._parts.database.reading() as session:
                    await read_run(session, caller.actor, RunId(message.run_id))
                await self._parts.engine.stop(RunId(message.run_id))
            case Auth():
                raise InvalidInput("This connection has its key already.")
            case _:
                await self._send(Pong().model_dump_json())

    async def _answer(self, caller: Caller, ask: Ask) -> None:
        """Send the events of a run. It goes on when the client leaves, as with the stream."""
        try:
            with self._parts.gateway.limits.admitted(caller, 0):
                run_id = await self._parts.engine.start(caller.actor, ask.request, self._request_id)
                async for frames in following(self._parts, caller.actor, run_id, 0):
                    for message in _events(run_id, frames):
                        await self._send(message)
        except LLMUIError as error:
            await self._fail(ask.ref, error)
        except WebSocketDisconnect:
            # Whoever listens to it is told so too.
            return

    async def _fail(self, ref: str, error: LLMUIError) -> None:
        detail: ErrorDetail = detail_of(error, self._request_id)
        await self._send(Failed(ref=ref, error=detail).model_dump_json())

    async def _send(self, text: str) -> None:
        """Send a message; waits until there is room for it. Raises `WebSocketDisconnect`."""
        # One that takes in nothing answers no ping either: uvicorn ends such connections after 20 seconds.
        async with self._sending:
            await self._socket.send_text(text)


def _is_of_here(socket: WebSocket) -> bool:
    """Return whether no page of another site has opened this; what is no browser says nothing of an origin."""
    origin = socket.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == socket.headers.get("host")


def _read(message: object) -> object:
    """Return what a client says. Raises `InvalidInput`, and `WebSocketDisconnect` when it has left."""
    assert isinstance(message, dict)  # noqa: S101 - of ASGI
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect
    try:
        return FROM_CLIENT.validate_json(message.get("text") or "")
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the message"
        raise InvalidInput("{where}: {fault}. Correct it and send again.", where=where, fault=first["msg"]) from None


def _events(run_id: RunId, frames: bytes) -> list[str]:
    """Return the events of a piece of the stream, each as a message; what keeps a stream open is left out."""
    found = []
    for frame in frames.decode().split("\n\n"):
        if frame.startswith("id: "):
            number, kind, data = (line.partition(": ")[2] for line in frame.split("\n", 2))
            found.append(f'{{"type":"event","run_id":"{run_id}","id":{number},"event":"{kind}","data":{data}}}')
    return found
