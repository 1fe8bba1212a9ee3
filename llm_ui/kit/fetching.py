"""Fetching what lies under an address that somebody typed, within limits of time and size."""

import asyncio
import re
import ssl
import zlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import Message
from urllib.parse import unquote

import httpx2

from llm_ui.errors import InvalidInput, TooLarge
from llm_ui.kit.addresses import Address, Closed, Guard, NotAName, canonical
from llm_ui.kit.http import new_client
from llm_ui.kit.i18n import to_tell

MAX_ADDRESS_CHARS = 2_000
PORTS = {"http": 80, "https": 443}
LAST_PORT = 65_535
MOVED = (301, 302, 303, 307, 308)
WHOLE = (200, 203)
GONE = (404, 410)
NOT_FOR_ALL = (401, 403, 407, 451)
BUSY = (408, 425, 429, 502, 503, 504)
TRIED = 3
"""Addresses of a name that are tried one after the other."""
PIECE_BYTES = 1 << 16
GZIP = zlib.MAX_WBITS | 16
ENCODED_NAME = re.compile(r";\s*filename\*\s*=\s*(utf-8|iso-8859-1)'[^']*'([^\s;]+)", re.I)
NO_ADDRESS = "This is not an address that can be fetched. Give one that begins with https:// or http://."
NO_NAME = "No server has the name {host}. Check the address."
NOT_THERE = "{host} cannot be reached. Check the address, or try again later."
CUT_OFF = "The connection to {host} broke off. Try again."


@dataclass(frozen=True, slots=True)
class Words:
    """What is said of a server, depending on what it was asked for."""

    closed: str
    too_slow: str


OF_FILES = Words(
    closed=to_tell(
        "{host} is not on the public internet, and nothing is fetched from elsewhere. Download it and upload the file, "
        "or ask an administrator to allow this host."
    ),
    too_slow=to_tell("{host} takes too long to answer. Try again later, or download it and upload the file."),
)
OF_SERVICES = Words(
    closed=to_tell("{host} is not on the public internet. An administrator has to allow the private network for it."),
    too_slow=to_tell("{host} takes too long to answer. Try again later."),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is sent to a server. With `fields` they are posted as a form, with a `body` it is."""

    headers: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] | None = None
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Bounds:
    """What fetching may cost."""

    max_mb: int
    """Unpacked."""
    connect_s: float = 10
    idle_s: float = 20
    """Between two pieces."""
    total_s: float = 600
    redirects: int = 5


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a server says of what it sent."""

    address: str
    """Where it was in the end."""
    media_type: str
    name: str
    """What the server calls the file; may be empty."""


def checked(address: str) -> str:
    """Return an address as it is kept and fetched, without what is behind `#`. Raises `InvalidInput`."""
    try:
        found = str(_parsed(address.strip()))
    except (httpx2.InvalidURL, NotAName, ValueError):
        raise InvalidInput(NO_ADDRESS) from None
    if len(found) > MAX_ADDRESS_CHARS:
        raise InvalidInput(NO_ADDRESS)
    return found


async def fetch(address: str, guard: Guard, bounds: Bounds, write: Callable[[bytes], None]) -> Fetched:
    """Fetch what lies under an address and hand it on, piece by piece; `write` is called in a thread.

    Raises `InvalidInput` with a sentence for whoever asked.
    """
    url = _parsed(checked(address))
    try:
        async with asyncio.timeout(bounds.total_s):
            for _ in range(bounds.redirects + 1):
                found = await _visit(url, guard, bounds, write)
                if isinstance(found, Fetched):
                    return found
                url = found
    except TimeoutError:
        raise InvalidInput(OF_FILES.too_slow, host=url.host) from None
    raise InvalidInput("{host} sends from one address to the next without an end. Check the address.", host=url.host)


async def call(address: str, guard: Guard, bounds: Bounds, asked: Asked) -> tuple[int, bytes]:
    """Ask a service of the web that answers programs; return status and body. It sends nobody elsewhere.

    Raises `InvalidInput` with a sentence that names the host.
    """
    url = _parsed(checked(address))
    body = bytearray()
    try:
        async with asyncio.timeout(bounds.total_s), _visiting(url, guard, bounds, OF_SERVICES, asked) as response:
            async for piece in response.aiter_raw(PIECE_BYTES):
                body += piece
                if len(body) > bounds.max_mb * 1_000_000:
                    raise _too_large(url, bounds)
            return response.status_code, bytes(body)
    except TimeoutError:
        raise InvalidInput(OF_SERVICES.too_slow, host=url.host) from None


def _parsed(address: str) -> httpx2.URL:
    """Return an address that may be fetched, as far as its writing goes."""
    # Programs disagree about what is behind a backslash.
    if len(address) > MAX_ADDRESS_CHARS or "\\" in address or not address.isprintable():
        raise NotAName
    url = httpx2.URL(address)
    if url.scheme not in PORTS or not url.host or not 0 < (url.port or 1) <= LAST_PORT:
        raise NotAName
    if url.userinfo:
        raise InvalidInput("The address holds a name and a password, which would be kept with it. Leave them out.")
    canonical(url.raw_host.decode("ascii"))
    return url.copy_with(fragment=None)


async def post(address: str, guard: Guard, bounds: Bounds, asked: Asked) -> None:
    """Send something to an address; what is answered is not looked at, and nobody is followed.

    Raises `InvalidInput` with a sentence for whoever asked, also when it is not taken.
    """
    url = _parsed(checked(address))
    try:
        async with asyncio.timeout(bounds.total_s), _visiting(url, guard, bounds, OF_SERVICES, asked) as response:
            status = response.status_code
    except TimeoutError:
        raise InvalidInput(OF_SERVICES.too_slow, host=url.host) from None
    if not 200 <= status < 300:
        raise InvalidInput("{host} does not take it: it answers {status}.", host=url.host, status=status)


async def _visit(url: httpx2.URL, guard: Guard, bounds: Bounds, write: Callable[[bytes], None]) -> Fetched | httpx2.URL:
    """Fetch what lies there; return where else it lies when the server says so."""
    asked = Asked({"Accept-Encoding": "gzip"})
    async with _visiting(url, guard, bounds, OF_FILES, asked) as response:
        return await _taken(response, url, bounds, write)


@asynccontextmanager
async def _visiting(
    url: httpx2.URL, guard: Guard, bounds: Bounds, words: Words, asked: Asked
) -> AsyncIterator[httpx2.Response]:
    """Ask a machine that may be asked; what goes wrong until the end of the block is said in a sentence."""
    host = url.host
    try:
        name = canonical(url.raw_host.decode("ascii"))
        async with asyncio.timeout(bounds.connect_s):
            addresses = await guard.look_up(name, url.port or PORTS[url.scheme])
    except (Closed, NotAName):
        raise InvalidInput(words.closed, host=host) from None
    except TimeoutError:
        raise InvalidInput(words.too_slow, host=host) from None
    except OSError:
        raise InvalidInput(NO_NAME, host=host) from None
    # A client of its own for each: no cookie and no connection goes along.
    async with new_client(max_connections=1) as client:
        client.timeout = httpx2.Timeout(bounds.idle_s, connect=bounds.connect_s)
        try:
            response = await _answer(client, url, name, addresses, asked)
            try:
                yield response
            finally:
                await response.aclose()
        except httpx2.TimeoutException:
            raise InvalidInput(words.too_slow, host=host) from None
        except httpx2.ConnectError as error:
            if _is_of_tls(error):
                raise InvalidInput("{host} has no valid certificate, so it is not trusted.", host=host) from None
            raise InvalidInput(NOT_THERE, host=host) from None
        except httpx2.TransportError:
            raise InvalidInput(CUT_OFF, host=host) from None


async def _answer(
    client: httpx2.AsyncClient, url: httpx2.URL, name: str, addresses: tuple[Address, ...], asked: Asked
) -> httpx2.Response:
    """Ask the machines that were checked, under the name of the host, until one can be reached."""
    *others, last = addresses[:TRIED]
    for address in others:
        try:
            return await _sent(client, url, name, address, asked)
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            if _is_of_tls(error):
                raise
    return await _sent(client, url, name, last, asked)


async def _sent(
    client: httpx2.AsyncClient, url: httpx2.URL, name: str, address: Address, asked: Asked
) -> httpx2.Response:
    headers = {"Accept-Encoding": "identity", **asked.headers, "Host": url.netloc.decode("ascii")}
    method = "GET" if asked.fields is None and asked.body is None else "POST"
    there = url.copy_with(host=str(address))
    request = client.build_request(method, there, headers=headers, data=asked.fields, content=asked.body)
    # The certificate must be the name's.
    request.extensions["sni_hostname"] = name
    return await client.send(request, stream=True)


def _is_of_tls(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False


async def _taken(
    response: httpx2.Response, url: httpx2.URL, bounds: Bounds, write: Callable[[bytes], None]
) -> Fetched | httpx2.URL:
    if response.status_code in MOVED:
        return _target(url, response.headers.get("location", ""))
    _require_whole(response.status_code, url.host)
    length = response.headers.get("content-length", "")
    if length.isdecimal() and int(length) > bounds.max_mb * 1_000_000:
        raise _too_large(url, bounds)
    unpacked = _unpacker(response.headers.get("content-encoding", ""), url.host)
    size = 0
    async for piece in response.aiter_raw(PIECE_BYTES):
        size = await asyncio.to_thread(_hand_on, unpacked, piece, write, size, bounds, url)
    if not unpacked.is_whole:
        raise InvalidInput(CUT_OFF, host=url.host)
    if not size:
        raise InvalidInput("There is nothing under this address. Check it.")
    media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return Fetched(str(url), media_type, _named(response.headers.get("content-disposition", "")))


def _target(url: httpx2.URL, location: str) -> httpx2.URL:
    try:
        return _parsed(str(url.join(location)))
    except (httpx2.InvalidURL, NotAName, ValueError):
        raise InvalidInput(
            "{host} sends on to an address that cannot be fetched. Check the address.", host=url.host
        ) from None


def _require_whole(status: int, host: str) -> None:
    if status in GONE:
        raise InvalidInput("{host} has nothing under this address. Check it.", host=host)
    if status in NOT_FOR_ALL:
        raise InvalidInput(
            "{host} does not show this to everybody. Open it in a browser, save it and upload the file.", host=host
        )
    if status in BUSY:
        raise InvalidInput("{host} is busy or down. Try again later.", host=host)
    if status not in WHOLE:
        raise InvalidInput(
            "{host} answers with the error {status}. Check the address, or try again later.",
            host=host,
            status=str(status),
        )


def _hand_on(
    unpacked: "_Plain | _Gzip", piece: bytes, write: Callable[[bytes], None], size: int, bounds: Bounds, url: httpx2.URL
) -> int:
    """Write what a piece holds; return how large all of it is by now."""
    try:
        for part in unpacked.feed(piece):
            size += len(part)
            if size > bounds.max_mb * 1_000_000:
                raise _too_large(url, bounds)
            write(part)
    except zlib.error:
        raise InvalidInput(CUT_OFF, host=url.host) from None
    return size


def _too_large(url: httpx2.URL, bounds: Bounds) -> TooLarge:
    return TooLarge(
        "What {host} sends is larger than {most} MB, which is the most. Fetch a part of it.",
        host=url.host,
        most=bounds.max_mb,
    )


class _Plain:
    """Bytes as they come."""

    is_whole = True

    def feed(self, piece: bytes) -> Iterator[bytes]:
        yield piece


class _Gzip:
    """Bytes that are unpacked, a little at a time: a few may hold a thousand times as many (RFC 1952)."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(GZIP)
        self._is_begun = False

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing."""
        return self._inflate.eof or not self._is_begun

    def feed(self, piece: bytes) -> Iterator[bytes]:
        self._is_begun = self._is_begun or bool(piece)
        while piece:
            if self._inflate.eof:
                self._inflate = zlib.decompressobj(GZIP)
            yield self._inflate.decompress(piece, PIECE_BYTES)
            piece = self._inflate.unused_data if self._inflate.eof else self._inflate.unconsumed_tail


def _unpacker(encoding: str, host: str) -> _Plain | _Gzip:
    match encoding.strip().lower():
        case "" | "identity":
            return _Plain()
        case "gzip" | "x-gzip":
            return _Gzip()
        case _:
            raise InvalidInput(
                "{host} sends it packed in a way that was not asked for. Download it and upload the file.", host=host
            )


def _named(disposition: str) -> str:
    """Return the name of a `Content-Disposition` header (RFC 6266); may be empty."""
    if found := ENCODED_NAME.search(disposition):
        return unquote(found[2], found[1], "replace")
    told = Message()
    # What no header may hold ends here.
    told["Content-Disposition"] = " ".join(disposition.split())
    name = told.get_param("filename", header="Content-Disposition")
    return name if isinstance(name, str) else ""
