"""Signed, short-lived tickets and keys derived from one secret."""

import base64
import binascii
import hashlib
import hmac
import json
import time

from llm_ui.errors import NotSignedIn


class Signer:
    """Signs small payloads with HMAC-SHA-256 (RFC 2104) so that our own processes believe each other."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._ticket_key = self.derive("ticket")

    def derive(self, purpose: str) -> bytes:
        """Return 32 bytes for one purpose; knowing them tells nothing about those of another."""
        return hmac.digest(self._secret, f"llm-ui/{purpose}".encode(), "sha256")

    def sign(self, payload: dict[str, str], ttl_s: float) -> str:
        """Return a ticket that `verify` accepts for `ttl_s` seconds."""
        body = json.dumps({**payload, "exp": time.time() + ttl_s}, separators=(",", ":")).encode()
        mac = hmac.digest(self._ticket_key, body, "sha256")
        return f"{_encode(body)}.{_encode(mac)}"

    def verify(self, ticket: str) -> dict[str, str]:
        """Return the payload. Raises `NotSignedIn` when the ticket is forged, malformed or has expired."""
        encoded_body, _, encoded_mac = ticket.partition(".")
        try:
            body, mac = _decode(encoded_body), _decode(encoded_mac)
        except (binascii.Error, ValueError):
            raise NotSignedIn from None
        if not hmac.compare_digest(mac, hmac.digest(self._ticket_key, body, "sha256")):
            raise NotSignedIn
        payload = json.loads(body)
        if payload.pop("exp") < time.time():
            raise NotSignedIn
        return {str(name): str(value) for name, value in payload.items()}


def sha256_hex(text: str) -> str:
    """Return the SHA-256 of the text, as tokens of 256 random bits are stored."""
    return hashlib.sha256(text.encode()).hexdigest()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
