"""The deployment's keys: from the environment, or from key files made on the first start."""

import secrets
from dataclasses import dataclass

from llm_ui.config import Config
from llm_ui.kit.encryption import Sealer
from llm_ui.kit.keyfile import read_or_create
from llm_ui.kit.signing import Signer


@dataclass(frozen=True, slots=True)
class Secrets:
    """What signs and what seals."""

    signer: Signer
    sealer: Sealer


def load_secrets(config: Config) -> Secrets:
    """Return the keys of the settings, else those of `keys/` in the data folder.

    Raises `ConfigurationError` when a key is unusable.
    """
    folder = config.folder / "keys"
    if config.secret_key is not None:
        signing_key = config.secret_key.get_secret_value()
    else:
        signing_key = read_or_create(folder / "signing.key", lambda: secrets.token_urlsafe(48))
    if config.encryption_keys is not None:
        lines = config.encryption_keys.get_secret_value().split(",")
    else:
        lines = [read_or_create(folder / "encryption.key", Sealer.new_key)]
    return Secrets(signer=Signer(signing_key.encode()), sealer=Sealer([line.strip() for line in lines]))
