"""Secrets at rest: sealed with Fernet (AES-128-CBC and HMAC-SHA-256), newest key first."""

import json
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from llm_ui.errors import ConfigurationError


class Sealer:
    """Seals and opens secrets. The first key seals, every key opens, so that keys can be rotated."""

    def __init__(self, keys: Sequence[str]) -> None:
        try:
            self._fernet = MultiFernet([Fernet(key) for key in keys])
        except ValueError:
            raise ConfigurationError(
                "An encryption key is not a Fernet key (32 bytes in URL-safe base64). "
                "Correct LLM_UI_ENCRYPTION_KEYS or restore the key file."
            ) from None

    @staticmethod
    def new_key() -> str:
        """Return a new random key."""
        return Fernet.generate_key().decode()

    def seal(self, secret: str, context: str) -> str:
        """Return the secret sealed. `context` names its row: a value copied to another row will not open."""
        return self._fernet.encrypt(json.dumps([context, secret]).encode()).decode()

    def open(self, sealed: str, context: str) -> str:
        """Return the secret. Raises `ConfigurationError` when the key is gone or the value is another row's."""
        secret = self.opened(sealed, context)
        if secret is None:
            raise ConfigurationError(
                "A stored secret cannot be opened with this server's encryption key. "
                "Restore the key file or LLM_UI_ENCRYPTION_KEYS, or enter the secret again."
            )
        return secret

    def opened(self, sealed: str, context: str, ttl_s: int | None = None) -> str | None:
        """Return what a browser was given sealed; None when it is forged, for another context or older than that."""
        try:
            found_context, secret = json.loads(self._fernet.decrypt(sealed.encode(), ttl=ttl_s))
        except InvalidToken:
            return None
        return str(secret) if found_context == context else None
