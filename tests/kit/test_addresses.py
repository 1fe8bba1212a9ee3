"""Where nothing is fetched from, however it is written."""

import asyncio
import socket
from ipaddress import ip_address

import pytest

from llm_ui.errors import InvalidInput
from llm_ui.kit.addresses import Closed, Guard, NotAName, canonical, is_public
from llm_ui.kit.fetching import checked

INSIDE = (
    "0.0.0.1", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254",
    "168.63.129.16", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1",
    "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1",
    "255.255.255.255", "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:a9fe:a9fe", "::ffff:8.8.8.8",
    "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "2002:a9fe:a9fe::",
    "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1",
)  # fmt: skip
OUTSIDE = ("1.1.1.1", "8.8.8.8", "100.63.255.255", "172.32.0.1", "192.0.1.1", "2606:4700::1111", "2a00:1450::1")
ODD = (
    "2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "127.1", "127.0.1", "0", "1.2.3.4.5", "256.1.1.1", "a.0x",
    "127.0.0.01", "[::1]", "::1%25lo", "1:2", "a..b", ".", "", "-a.org", "a-.org", "a b.org", "exa%6dple.org",
    "x" * 64 + ".org", ".".join(["long"] * 60), "münchen.de",
)  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_what_is_not_of_the_public_internet_is_closed(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", OUTSIDE)
def test_what_is_of_the_public_internet_is_open(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize("host", ODD)
def test_a_host_in_another_notation_is_none(host: str) -> None:
    with pytest.raises(NotAName):
        canonical(host)


@pytest.mark.parametrize(
    ("host", "name"),
    [("Example.ORG.", "example.org"), ("127.0.0.1", "127.0.0.1"), ("0:0::1", "::1"), ("xn--mnchen-3ya.de",) * 2],
)
def test_a_host_is_looked_up_as_it_is_written(host: str, name: str) -> None:
    assert canonical(host) == name


def resolving(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Let every name have these addresses; return the names that are looked up."""
    asked: list[str] = []

    async def getaddrinfo(_loop: object, host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)
    return asked


async def test_one_closed_address_among_many_closes_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, "1.1.1.1", "127.0.0.1")

    with pytest.raises(Closed):
        await Guard().look_up("rebound.example", 80)


async def test_a_name_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = resolving(monkeypatch, "1.1.1.1", "2606:4700::1111", "1.1.1.1")

    found = await Guard().look_up("Public.Example.", 443)

    assert (list(map(str, found)), asked) == (["1.1.1.1", "2606:4700::1111"], ["public.example"])


@pytest.mark.parametrize("port", [22, 25, 6379, 11211])
async def test_where_something_else_listens_nothing_is_fetched(port: int) -> None:
    with pytest.raises(Closed):
        await Guard.of(["127.0.0.1"]).look_up("127.0.0.1", port)


async def test_what_is_opened_is_that_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    guard = Guard.of(["10.2.0.0/16", "wiki.example"])
    assert await guard.look_up("10.2.3.4", 80) == (ip_address("10.2.3.4"),)
    resolving(monkeypatch, "192.168.1.7")
    assert await guard.look_up("WIKI.example", 80) == (ip_address("192.168.1.7"),)

    for host in ("10.3.0.1", "my.wiki.example", "[::ffff:10.2.3.4]".strip("[]")):
        with pytest.raises(Closed):
            await guard.look_up(host, 80)


@pytest.mark.parametrize(
    "address",
    [
        "", "example.org", "ftp://example.org/", "file:///etc/passwd", "javascript:alert(1)", "http://", "http:///x",
        "http://2130706433/", "http://0x7f.1/", "http://127.1/", "http://0177.0.0.1/", "http://①②⑦.⓪.⓪.①/",
        "http://exa mple.org/", "http://example.org\\@127.0.0.1/", "http://example.org/\x00", "http://exa\tmple.org/",
        "http://example.org:99999999/", "http://example.org/" + "x" * 2_000, "http://example.org/" + "é" * 1_000,
        "http://[fe80::1%25eth0]/", "http://[::1", "gopher://example.org/", "data:text/plain,x",
    ],
)  # fmt: skip
def test_an_address_that_cannot_be_fetched_is_refused_at_once(address: str) -> None:
    with pytest.raises(InvalidInput, match="not an address that can be fetched"):
        checked(address)


def test_a_password_in_an_address_is_not_kept() -> None:
    with pytest.raises(InvalidInput, match="Leave them out"):
        checked("https://ann:secret@example.org/")


def test_what_is_behind_the_hash_is_left_out() -> None:
    assert checked("  HTTPS://Example.ORG/a b?q=ü#part ") == "https://example.org/a%20b?q=%C3%BC"
