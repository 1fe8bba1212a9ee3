"""Where people may be sent on to, and what counts as our own address."""

import pytest
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

from llm_ui.auth.entrance import Entrance
from llm_ui.auth.site import safe_path
from llm_ui.config import Config

OURS = ["/", "/c/12", "/c/0193?x=1", "/admin/providers", "/account", "/c/a%20b", "/c/1#end"]
TRAPS = [
    "",
    "evil.example",
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\\/evil.example",
    "\\/evil.example",
    "/%2f/evil.example",
    "/%2F%2Fevil.example",
    "/%5cevil.example/..//evil.example",
    "/c//evil.example",
    "/.//evil.example",
    "/..//evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r/evil.example",
    "\t//evil.example",
    " //evil.example",
    " /c",
    "/ /evil.example",
    "/\x00/evil.example",
    "/\u2028/evil.example",
    "/／evil.example",
    "/。evil.example",
    "http://evil.example",
    "https:evil.example",
    "https:/evil.example",
    "https:///evil.example",
    "HTTP://evil.example",
    "http://127.0.0.1:5006@evil.example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "mailto:x@evil.example",
    "?next=//evil.example",
    "#//evil.example",
    "./c",
    "../c",
    "@evil.example",
    ":80",
    "/" + "a" * 600,
]


@pytest.mark.parametrize("path", OURS)
def test_paths_of_this_site_are_kept(path: str) -> None:
    assert safe_path(path) == path


@pytest.mark.parametrize("target", TRAPS)
def test_everything_else_leads_to_the_start_page(target: str) -> None:
    assert safe_path(target) == "/"


def request(remote_ip: str = "10.0.0.1", **headers: str) -> HTTPServerRequest:
    """A request as it arrives."""
    line = RequestStartLine("GET", "/", "HTTP/1.1")
    made = HTTPServerRequest(start_line=line, headers=HTTPHeaders({"Host": "ai.example.org", **headers}))
    made.remote_ip = remote_ip
    made.protocol = "http"
    return made


FORGED = {"X-Forwarded-For": "1.2.3.4, 5.6.7.8", "X-Forwarded-Proto": "http, https", "X-Real-Ip": "9.9.9.9"}


def test_forwarded_headers_are_not_believed_from_anybody() -> None:
    entrance = Entrance(Config())

    assert entrance.address(request(**FORGED)) == "10.0.0.1"
    assert not entrance.is_tls(request(**FORGED))


def test_what_the_trusted_proxy_added_is_believed_and_nothing_before_it() -> None:
    entrance = Entrance(Config(trust_proxy=True))

    assert entrance.address(request(**FORGED)) == "5.6.7.8"
    assert entrance.is_tls(request(**FORGED))


@pytest.mark.parametrize("told", ["", "junk", "1.2.3.4:80", "unknown", "1.2.3.4, <script>"])
def test_an_address_that_is_none_is_not_believed(told: str) -> None:
    assert Entrance(Config(trust_proxy=True)).address(request(**{"X-Forwarded-For": told})) == "10.0.0.1"


def test_one_customers_many_ipv6_addresses_count_as_one() -> None:
    entrance = Entrance(Config())

    networks = {entrance.network(request(f"2001:db8:1:2::{number}")) for number in range(1, 9)}

    assert networks == {"2001:db8:1:2::/64"}


def test_a_configured_https_address_means_tls() -> None:
    entrance = Entrance(Config(origins="https://ai.example.org"))

    assert entrance.is_tls(request())
    assert not entrance.is_tls(request(Host="127.0.0.1:5006"))


@pytest.mark.parametrize(
    ("origins", "origin"),
    [
        ("https://AI.example.org/", "https://ai.example.org"),
        ("https://ai.example.org:443", "https://ai.example.org"),
        ("http://ai.example.org:80", "http://ai.example.org"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
    ],
)
def test_addresses_are_compared_as_browsers_write_them(origins: str, origin: str) -> None:
    assert Entrance(Config(origins=origins)).allows(origin)


def test_an_address_the_server_listens_on_by_name_is_ours() -> None:
    assert Entrance(Config(host="192.168.1.5")).allows("http://192.168.1.5:5006")
    assert not Entrance(Config(host="::")).allows("http://0.0.0.0:5006")
