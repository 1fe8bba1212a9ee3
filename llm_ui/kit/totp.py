"""Codes that change with time, as authenticator apps show them (RFC 6238): HMAC-SHA-1, six digits, 30 seconds."""

import base64
import binascii
import hmac
import secrets
import time
from urllib.parse import quote, urlencode

SECRET_BYTES = 20
"""As long as SHA-1's output, which RFC 4226, section 4, recommends."""
STEP_S = 30
DIGITS = 6
DRIFT = 1
"""Steps before and after the present one that are accepted: clocks differ, and typing takes time (RFC 6238, 5.2)."""


def new_secret() -> str:
    """Return a new secret in base32, as apps take it."""
    return base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode()


def code(secret: str, counter: int) -> str:
    """Return the code of one step of time (RFC 4226, 5.3). Raises `ValueError` for what is no secret."""
    try:
        key = base64.b32decode(secret)
    except binascii.Error as error:
        raise ValueError(str(error)) from None
    digest = hmac.digest(key, counter.to_bytes(8), "sha1")
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4]) & 0x7FFF_FFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


def counter_now() -> int:
    """Return the number of the present step of time."""
    return int(time.time()) // STEP_S


def matched(secret: str, typed: str) -> int | None:
    """Return the number of the step whose code was typed, None when it is none of those that are accepted."""
    present = counter_now()
    steps = range(present - DRIFT, present + DRIFT + 1)
    return next((step for step in steps if hmac.compare_digest(code(secret, step).encode(), typed.encode())), None)


def address(secret: str, issuer: str, account: str) -> str:
    """Return the `otpauth:` address that apps read from a QR code."""
    label = f"{quote(issuer, safe='')}:{quote(account, safe='')}"
    return f"otpauth://totp/{label}?{urlencode({'secret': secret, 'issuer': issuer}, quote_via=quote)}"
