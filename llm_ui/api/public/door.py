"""The way in for scripts: which key, from where, what for; then the answer, or no in the protocol's own words."""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from llm_ui.api.principal import Api
from llm_ui.api.public.answering import Handler, refused
from llm_ui.api.public.dialects import GOOGLE, Dialect, dialect_of
from llm_ui.errors import Forbidden, KeyRefused, LLMUIError, TooManyRequests, unforeseen
from llm_ui.kit import i18n
from llm_ui.kit.bucket import Buckets
from llm_ui.kit.signing import sha256_hex
from llm_ui.models import KeyScope
from llm_ui.observability.logging import get_logger
from llm_ui.services import directories, keys
from llm_ui.services.directories import Directory
from llm_ui.services.keys import Caller

log = get_logger(__name__)

WRONG_PER_MINUTE = 30
"""Wrong keys from one address, before each further one is refused unseen."""
KNOWN = 10_000
IPV6_SITE_BITS = 64
GOOGLE_KEY = "x-goog-api-key"


@dataclass(frozen=True, slots=True)
class Address:
    """Where scripts ask in a protocol, what for, and who answers."""

    method: str
    path: str
    dialect: Dialect
    scope: KeyScope
    handler: Handler


class Guard:
    """Lets the holders of keys in. Who guesses has to wait; whoever was in before does not."""

    def __init__(self, *, trusts_proxy: bool) -> None:
        self._trusts_proxy = trusts_proxy
        self._wrong = Buckets()
        self._known: OrderedDict[str, None] = OrderedDict()

    async def caller(self, request: HTTPConnection, parts: Api, *scopes: KeyScope, token: str = "") -> Caller:
        """Return whoever asks, with the token of the headers unless it came by another way.

        Raises `KeyRefused`, `Forbidden` and `TooManyRequests`.
        """
        token, address = token or token_of(request), self._address(request)
        with self._guessing(token, address):
            async with parts.database.reading() as session:
                caller = await keys.caller_of(session, token)
        if not caller.is_seen:
            async with parts.database.writing() as session:
                await keys.touch(session, caller.key_id)
        if not caller.comes_from(address):
            raise Forbidden("This key may not be used from {address}. Use one that may.", address=address or "here")
        for scope in scopes:
            if scope not in caller.scopes:
                raise Forbidden(
                    "This key is not for this: it lacks the scope {scope}. Use another one.", scope=scope.value
                )
        return caller

    async def directory(self, request: HTTPConnection, parts: Api) -> Directory:
        """Return the directory whose token comes with a request. Raises `KeyRefused` and `TooManyRequests`."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise KeyRefused("This address needs the token of a directory: send it as Authorization: Bearer.")
        with self._guessing(token.strip(), self._address(request)):
            async with parts.database.reading() as session:
                directory = await directories.directory_of(session, token.strip())
        if not directory.is_seen:
            async with parts.database.writing() as session:
                await directories.touch(session, directory.issuer_id)
        return directory

    @contextmanager
    def _guessing(self, token: str, address: str) -> Iterator[None]:
        """Look up a token within. Raises `TooManyRequests` for one that nobody had, after many of these."""
        network, hashed = _network(address), sha256_hex(token)
        if hashed not in self._known and (wait := self._wrong.wait_s(network, WRONG_PER_MINUTE, 1)) > 0:
            raise TooManyRequests(
                "Too many wrong keys. Try again in {seconds} seconds.",
                seconds=round(wait) + 1,
                retry_after=round(wait) + 1,
            )
        try:
            yield
        except KeyRefused:
            self._known.pop(hashed, None)
            self._wrong.take(network, WRONG_PER_MINUTE, 1)
            log.info("key.refused", address=address)
            raise
        self._known[hashed] = None
        while len(self._known) > KNOWN:
            self._known.popitem(last=False)

    def _address(self, request: HTTPConnection) -> str:
        """Return the address the request comes from. Only a trusted proxy's word is taken for another one."""
        if self._trusts_proxy:
            # A proxy appends: what it says itself comes last.
            told = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
            if told:
                return told
        return request.client.host if request.client is not None else ""


def token_of(request: HTTPConnection) -> str:
    """Return the key of a request, from where its protocol puts it. Raises `KeyRefused`."""
    headers = request.headers
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        token = headers.get("x-api-key") or headers.get(GOOGLE_KEY) or ""
    if not token and dialect_of(request.url.path) is GOOGLE:
        token = request.query_params.get("key", "")
    if not token.strip():
        raise KeyRefused("This address needs a key: send it as Authorization: Bearer, x-api-key or x-goog-api-key.")
    return token.strip()


def _network(address: str) -> str:
    """Return what wrong keys are counted by: the address, or the network of one IPv6 customer."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    return address if found.version == 4 else str(ip_network(f"{address}/{IPV6_SITE_BITS}", strict=False))


class Door:
    """One address for scripts: an ASGI app."""

    def __init__(self, parts: Api, guard: Guard, address: Address) -> None:
        self._parts, self._guard, self._address = parts, guard, address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        response = await self._response(Request(scope, receive))
        if response is not None:
            await response(scope, receive, send)

    async def _response(self, request: Request) -> ASGIApp | None:
        # Scripts are spoken to in English: what they are told ends up in logs and searches.
        i18n.speak("en")
        try:
            caller = await self._guard.caller(request, self._parts, self._address.scope)
            return await self._address.handler(request, caller, self._parts)
        except LLMUIError as error:
            return refused(self._address.dialect, error)
        except ClientDisconnect:
            return None
        except Exception:
            request_id = str(request.state.request_id)
            log.exception("request.crashed", request_id=request_id, path=request.url.path)
            return refused(self._address.dialect, unforeseen(request_id))
