"""How browsers reach this process: which addresses are ours, over TLS or not, and from where a request comes."""

import ipaddress
from urllib.parse import SplitResult, urlsplit

from tornado.httputil import HTTPServerRequest

from llm_ui.config import Config

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
EVERYWHERE = ("", "0.0.0.0", "::")  # noqa: S104 - compared, not bound
DEFAULT_PORTS = {"http": 80, "https": 443}
IPV6_SITE_BITS = 64
"""One customer has at least this network to choose addresses from, so limits count it as one."""


class Entrance:
    """The addresses people open in their browser, and what the proxy in front may be believed."""

    def __init__(self, config: Config) -> None:
        self._loopback = frozenset(_normal(urlsplit(f"http://{host}:{config.port}")) for host in LOOPBACK)
        named = [] if config.host in EVERYWHERE else [f"http://{_bracketed(config.host)}:{config.port}"]
        self._origins = self._loopback | {_normal(urlsplit(origin)) for origin in (*config.origins, *named)}
        self._trusts_proxy = config.trust_proxy

    def allows(self, origin: str | None) -> bool:
        """Return whether an `Origin` header names one of our addresses, exactly; a missing one does not."""
        return origin is not None and origin in self._origins

    def knows_host(self, request: HTTPServerRequest) -> bool:
        """Return whether the request was made to one of our addresses.

        Its websocket would be refused otherwise; and a name that is not ours may be an attacker's that points here.
        """
        return any(self._origin(scheme, request) in self._origins for scheme in DEFAULT_PORTS)

    def is_tls(self, request: HTTPServerRequest) -> bool:
        """Return whether the browser came over TLS: to us, to the proxy, or to an address that is configured so."""
        scheme = request.protocol
        if self._trusts_proxy:
            # A proxy appends: what it says itself comes last.
            scheme = request.headers.get("X-Forwarded-Proto", scheme).rpartition(",")[2].strip().lower()
        return scheme == "https" or self._origin("https", request) in self._origins

    def origin(self, request: HTTPServerRequest) -> str:
        """Return the address by which the browser reached us; it is one of ours."""
        return f"{'https' if self.is_tls(request) else 'http'}://{request.host}"

    def is_loopback(self, request: HTTPServerRequest) -> bool:
        """Return whether the browser asked for this very host by its loopback name."""
        return self._origin("http", request) in self._loopback

    def address(self, request: HTTPServerRequest) -> str:
        """Return the address the request comes from. Only a trusted proxy's word is taken for another one."""
        if self._trusts_proxy:
            told = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
            if is_ip(told):
                return told
        return request.remote_ip or ""

    def network(self, request: HTTPServerRequest) -> str:
        """Return what limits count by: the address, or the network of one IPv6 customer."""
        address = self.address(request)
        if is_ip(address) and ipaddress.ip_address(address).version == 6:
            return str(ipaddress.ip_network(f"{address}/{IPV6_SITE_BITS}", strict=False))
        return address

    def _origin(self, scheme: str, request: HTTPServerRequest) -> str:
        try:
            return _normal(urlsplit(f"{scheme}://{request.host}"))
        except ValueError:
            return ""


def is_ip(text: str) -> bool:
    """Return whether the text is an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _normal(origin: SplitResult) -> str:
    """Return the origin as browsers write it: lower case, ASCII, no default port. Raises `ValueError`."""
    host = origin.hostname or ""
    if not host.isascii():
        host = host.encode("idna").decode("ascii")
    port = "" if origin.port in (None, DEFAULT_PORTS.get(origin.scheme)) else f":{origin.port}"
    return f"{origin.scheme}://{_bracketed(host)}{port}"
