"""Where a model or a provider is, with the key and the headers it wants."""

from llm_ui.kit.encryption import Sealer
from llm_ui.providers.base import Endpoint
from llm_ui.services.providers import ProviderTarget
from llm_ui.services.reach import SealedKey, opened_headers
from llm_ui.services.targets import ModelTarget


def endpoint_of(sealer: Sealer, target: ModelTarget | ProviderTarget, key: SealedKey | None = None) -> Endpoint:
    """Return it with this key, or with the one that the provider was added with. Raises our errors. Never log it."""
    provider_id = target.id if isinstance(target, ProviderTarget) else target.provider_id
    sealed = target.sealed_key if key is None else key.sealed
    opened = None if sealed is None else sealer.open(sealed, str(provider_id))
    return Endpoint(target.base_url, opened, opened_headers(sealer, target.reach.sealed_headers, provider_id))
