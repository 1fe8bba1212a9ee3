"""Signing in through an issuer: OpenID Connect Core 1.0, the authorization code flow with PKCE (RFC 7636).

Nothing is kept between two sign-ins: the issuer's own description and its keys are read each time, so that it may
change both whenever it likes.
"""

import asyncio
import base64
import hashlib
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from pydantic import BaseModel, RootModel, ValidationError

from llm_ui.errors import InvalidInput, SignInRefused
from llm_ui.kit import fetching
from llm_ui.kit.addresses import Guard
from llm_ui.kit.fetching import Asked, Bounds

DISCOVERY = "/.well-known/openid-configuration"
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures that only the issuer can make: neither `none` nor what is made with a shared secret."""
LEEWAY_S = 60
"""Clocks differ."""
TOKEN_BYTES = 32
MAX_SUBJECT_CHARS = 255
"""OpenID Connect Core, 2: "sub"."""
BOUNDS = Bounds(max_mb=1, connect_s=5, idle_s=10, total_s=20)
NOT_AN_ISSUER = "{host} does not answer as an issuer of OpenID Connect does. Check its address."
UNFIT = "What {host} says of this sign-in cannot be trusted: {why}. Begin again; if it stays, tell an administrator."


@dataclass(frozen=True, slots=True)
class Client:
    """What we are for an issuer. Without a secret PKCE alone protects the code."""

    issuer: str
    client_id: str
    secret: str
    scopes: str
    is_private: bool
    """Whether the issuer may be on the private network, and without TLS."""


class Discovered(BaseModel):
    """What an issuer says of itself (OpenID Connect Discovery 1.0, 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    end_session_endpoint: str | None = None
    token_endpoint_auth_methods_supported: list[str] = ["client_secret_basic"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a browser keeps while its person is at the issuer."""

    state: str
    nonce: str
    verifier: str

    @classmethod
    def new(cls) -> "Attempt":
        """Return one that nobody can guess."""
        return cls(*(secrets.token_urlsafe(TOKEN_BYTES) for _ in range(3)))


class _Tokens(BaseModel):
    id_token: str
    access_token: str = ""


async def discover(client: Client) -> Discovered:
    """Return what the issuer says of itself. Raises `InvalidInput` with a sentence."""
    address = client.issuer.rstrip("/") + DISCOVERY
    host = _host(client.issuer)
    try:
        found = Discovered.model_validate_json(await _asked(client, address))
    except ValidationError:
        raise InvalidInput(NOT_AN_ISSUER, host=host) from None
    if found.issuer != client.issuer:
        raise InvalidInput("{host} calls itself {issuer}. Enter that as its address.", host=host, issuer=found.issuer)
    for endpoint in (found.authorization_endpoint, found.token_endpoint, found.jwks_uri, found.end_session_endpoint):
        if endpoint is not None:
            _require_tls(client, endpoint)
    return found


def authorization_address(client: Client, found: Discovered, attempt: Attempt, redirect_uri: str) -> str:
    """Return where the browser is sent to sign in."""
    challenge = base64.urlsafe_b64encode(hashlib.sha256(attempt.verifier.encode()).digest()).rstrip(b"=").decode()
    return _with_query(
        found.authorization_endpoint,
        response_type="code",
        client_id=client.client_id,
        redirect_uri=redirect_uri,
        scope=client.scopes,
        state=attempt.state,
        nonce=attempt.nonce,
        code_challenge=challenge,
        code_challenge_method="S256",
    )


def sign_out_address(endpoint: str, client_id: str, back: str) -> str:
    """Return where a browser signs out of the issuer (OpenID Connect RP-Initiated Logout 1.0)."""
    return _with_query(endpoint, client_id=client_id, post_logout_redirect_uri=back)


async def identify(
    client: Client, found: Discovered, attempt: Attempt, code: str, redirect_uri: str, wanted: tuple[str, ...]
) -> dict[str, Any]:
    """Exchange the code and return what the issuer says of the person.

    The issuer is asked for more when the ID token lacks one of the `wanted` claims. Raises `SignInRefused` when the
    code or the token is not right, `InvalidInput` when the issuer does not answer.
    """
    tokens = await _exchanged(client, found, attempt, code, redirect_uri)
    keys = _object(await _asked(client, found.jwks_uri), client)
    claims = await asyncio.to_thread(_verified, client, attempt, keys, tokens.id_token)
    if found.userinfo_endpoint and tokens.access_token and not set(wanted) <= set(claims):
        headers = {"Authorization": f"Bearer {tokens.access_token}"}
        more = _object(await _asked(client, found.userinfo_endpoint, Asked(headers)), client)
        # Another subject would be somebody else's answer (OpenID Connect Core, 5.3.2).
        if more.get("sub") == claims["sub"]:
            claims = {**more, **claims}
    return claims


async def _exchanged(client: Client, found: Discovered, attempt: Attempt, code: str, redirect_uri: str) -> _Tokens:
    fields = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": attempt.verifier,
        "client_id": client.client_id,
    }
    headers = {}
    if client.secret and "client_secret_basic" in found.token_endpoint_auth_methods_supported:
        pair = ":".join(quote(part, safe="") for part in (client.client_id, client.secret))
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    elif client.secret:
        fields["client_secret"] = client.secret
    try:
        return _Tokens.model_validate_json(await _asked(client, found.token_endpoint, Asked(headers, fields)))
    except ValidationError:
        raise _unfit(client, "there is no ID token") from None


def _verified(client: Client, attempt: Attempt, keys: Any, id_token: str) -> dict[str, Any]:
    """Return the claims of an ID token (OpenID Connect Core, 3.1.3.7)."""
    # Loaded here: few sign in through an issuer.
    from joserfc import jwt  # noqa: PLC0415
    from joserfc.errors import JoseError  # noqa: PLC0415
    from joserfc.jwk import KeySet  # noqa: PLC0415

    rules = jwt.JWTClaimsRegistry(
        leeway=LEEWAY_S,
        iss={"essential": True, "value": client.issuer},
        aud={"essential": True, "value": client.client_id},
        nonce={"essential": True, "value": attempt.nonce},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
    )
    try:
        claims = jwt.decode(id_token, KeySet.import_key_set(keys), algorithms=ALGORITHMS).claims
        rules.validate(claims)
    except JoseError as error:
        raise _unfit(client, error.error.replace("_", " ")) from None
    except (AttributeError, KeyError, TypeError, ValueError):
        raise _unfit(client, "its keys or its token are broken") from None
    if isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and claims.get("azp") != client.client_id:
        raise _unfit(client, "the token is for others, too")
    if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= MAX_SUBJECT_CHARS:
        raise _unfit(client, "it does not say who signs in")
    return dict(claims)


async def _asked(client: Client, address: str, asked: Asked | None = None) -> bytes:
    """Return what the issuer answers. Raises `SignInRefused` when it refuses."""
    _require_tls(client, address)
    asked = asked or Asked()
    # What an administrator called private is the one host that was named, and no other machine beside it.
    guard = Guard(hosts=frozenset({_host(client.issuer)})) if client.is_private else Guard()
    accepted = Asked({"Accept": "application/json", **asked.headers}, asked.fields)
    status, body = await fetching.call(address, guard, BOUNDS, accepted)
    if status in (400, 401, 403) and asked != Asked():
        raise SignInRefused(
            "{host} refused this sign-in. Begin again; if it stays, tell an administrator.", host=_host(address)
        )
    if status != 200:
        raise InvalidInput(NOT_AN_ISSUER, host=_host(address))
    return body


def _object(body: bytes, client: Client) -> dict[str, Any]:
    try:
        return _Object.model_validate_json(body).root
    except ValidationError:
        raise InvalidInput(NOT_AN_ISSUER, host=_host(client.issuer)) from None


class _Object(RootModel[dict[str, Any]]):
    pass


def _require_tls(client: Client, address: str) -> None:
    scheme = urlsplit(fetching.checked(address)).scheme
    if scheme != "https" and not client.is_private:
        raise InvalidInput("The address of an issuer begins with https://. Without TLS anybody could sign in.")


def _unfit(client: Client, why: str) -> SignInRefused:
    return SignInRefused(UNFIT, host=_host(client.issuer), why=why)


def _host(address: str) -> str:
    return urlsplit(address).hostname or address


def _with_query(address: str, **more: str) -> str:
    between = "&" if urlsplit(address).query else "?"
    return f"{address}{between}{urlencode(more, quote_via=quote)}"
