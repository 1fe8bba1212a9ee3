"""Which addresses a server may connect to when somebody else says where: those of the public internet, and no others.

A name is looked up once, every address it has is checked, and the connection is made to one of those: a name that
means another machine a moment later leads nowhere.
"""

import asyncio
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

CLOSED_V4 = tuple(
    IPv4Network(one)
    for one in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4",
        # A public address at which machines of one cloud find what is theirs alone.
        "168.63.129.16/32",
    )
)  # fmt: skip
"""What is no public address (IANA IPv4 Special-Purpose Address Registry), multicast, and metadata services."""
OPEN_V6 = IPv6Network("2000::/3")
"""All that is given out of IPv6: loopback, link-local, unique local, mapped IPv4, NAT64 and multicast lie elsewhere."""
CLOSED_V6 = tuple(IPv6Network(one) for one in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))
"""Of that: Teredo and other tunnels, 6to4, and what is for books."""
NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")
"""The last part of a name that some programs take for an IPv4 address in another notation."""
LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
MAX_NAME_CHARS = 253
CLOSED_PORTS = frozenset(
    (
        1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109,
        110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530,
        531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190,
        5060, 5061, 6000, 6379, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080, 11211,
    )
)  # fmt: skip
"""Where something else listens that may take a request for its own: browsers refuse these (Fetch, "bad port"), and
Redis and memcached besides."""


class Closed(Exception):
    """Nothing is fetched from there."""


class NotAName(Exception):
    """It is neither a name nor an address in its usual notation."""


@dataclass(frozen=True, slots=True)
class Guard:
    """What may be connected to: the public internet, and what the server's owner has opened besides."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def of(cls, opened: Iterable[str]) -> "Guard":
        """Return the guard that also lets these names and networks be connected to."""
        hosts, networks = set(), []
        for one in opened:
            try:
                networks.append(ip_network(one, strict=False))
            except ValueError:
                hosts.add(one.lower())
        return cls(frozenset(hosts), tuple(networks))

    async def look_up(self, host: str, port: int) -> tuple[Address, ...]:
        """Return the addresses of a host, each of which may be connected to.

        Raises `NotAName`, `Closed` as soon as one of them may not, and `OSError` when nobody knows the name.
        """
        name = canonical(host)
        if port in CLOSED_PORTS:
            raise Closed
        found = await _addresses(name, port)
        if name not in self.hosts and not all(map(self._is_open, found)):
            raise Closed
        return found

    def _is_open(self, address: Address) -> bool:
        return is_public(address) or any(address in network for network in self.networks)


def canonical(host: str) -> str:
    """Return a host as it is looked up: a name, or an address as the standards write it. Raises `NotAName`."""
    name = host.lower().removesuffix(".")
    if "%" in name:
        raise NotAName
    if ":" in name:
        return str(_parsed(name))
    labels = name.split(".")
    if NUMBER.fullmatch(labels[-1]):
        return str(_parsed(name))
    if len(name) > MAX_NAME_CHARS or not all(map(LABEL.fullmatch, labels)):
        raise NotAName
    return name


def is_public(address: Address) -> bool:
    """Return whether an address belongs to the public internet."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in CLOSED_V4)
    if address.scope_id is not None or address not in OPEN_V6:
        return False
    return not any(address in network for network in CLOSED_V6)


def _parsed(text: str) -> Address:
    try:
        return ip_address(text)
    except ValueError:
        raise NotAName from None


async def _addresses(name: str, port: int) -> tuple[Address, ...]:
    try:
        return (ip_address(name),)
    except ValueError:
        pass
    found = await asyncio.get_running_loop().getaddrinfo(name, port, type=socket.SOCK_STREAM)
    # In the order in which the system would try them.
    return tuple(dict.fromkeys(ip_address(each[4][0]) for each in found))
