"""Issuers of OpenID Connect on loopback: a real one in a process of its own, and one that lies as it is told."""

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from http.client import HTTPConnection
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from tests.fakes.postgresql import free_port
from tests.fakes.web import Answer, Web
from tests.product import answers, wait_until

CLIENT_ID = "workspace"
DISCOVERY = "/.well-known/openid-configuration"


@cache
def a_key(name: str) -> RSAKey:
    """A key of this name: making one takes a while."""
    return RSAKey.generate_key(2048, {"kid": name})


class RealIssuer:
    """Authlib's server with a page on which anybody signs in as whom they say."""

    def __init__(self) -> None:
        port = self._port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(lambda: answers(port, DISCOVERY), "the issuer", 60)

    def knows(self, subject: str, **claims: object) -> None:
        """Have it say this of somebody."""
        connection = HTTPConnection("127.0.0.1", self._port, timeout=30)
        connection.request("PUT", f"/users/{subject}", json.dumps(claims), {"Content-Type": "application/json"})
        assert connection.getresponse().status == 204
        connection.close()

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


@dataclass
class Liar:
    """An issuer that answers as it is told."""

    web: Web
    key: RSAKey | OctKey = field(default_factory=lambda: a_key("one"))
    asked: dict[str, str] = field(default_factory=dict)
    """What the browser was sent with."""

    @property
    def url(self) -> str:
        return self.web.url("")

    def describe(self, **other: object) -> None:
        """Say where everything is, and what the keys are."""
        told = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize?from=here",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/jwks",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
            **other,
        }
        self.web.answers[DISCOVERY] = Answer(json.dumps(told).encode())
        self.web.answers["/jwks"] = Answer(json.dumps({"keys": [self.key.as_dict(private=False)]}).encode())

    def sent_with(self, location: str) -> None:
        """Note what the browser brings along."""
        self.asked = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}

    def token(self, header: Mapping[str, Any] | None = None, **claims: object) -> str:
        """An ID token that is right but for what is given."""
        now = int(time.time())
        right = {
            "iss": self.url, "aud": CLIENT_ID, "sub": "ann-there", "nonce": self.asked["nonce"], "iat": now,
            "exp": now + 300, "email": "ann@example.org", "email_verified": True, "preferred_username": "ann",
        }  # fmt: skip
        told = {name: value for name, value in {**right, **claims}.items() if value is not None}
        return jwt.encode({"alg": "RS256", "kid": "one", **(header or {})}, told, self.key)

    def gives(self, id_token: str) -> None:
        """Have it answer any code with this token."""
        self.web.answers["/token"] = Answer(json.dumps({"id_token": id_token, "token_type": "Bearer"}).encode())
