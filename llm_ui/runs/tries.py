"""The models that were asked and did not answer, on the way to one that does."""

from dataclasses import asdict, dataclass

from llm_ui.errors import LLMUIError, ProviderError, ProviderFault
from llm_ui.kit.text import storable
from llm_ui.models import Role
from llm_ui.services.targets import ModelTarget

SECRET_FAULTS = frozenset({ProviderFault.KEY_REFUSED, ProviderFault.KEY_MISSING, ProviderFault.SPEND_LIMIT})
"""Faults whose details are for administrators."""


@dataclass(frozen=True, slots=True)
class Try:
    """One of them."""

    model: str
    provider: str
    fault: str
    message: str
    """Why it did not answer, as the person may read it."""
    ms: float
    """How long it was waited for."""
    is_first: bool
    """Whether it was asked for the answer's beginning, and not after tools had been used."""

    def listed(self) -> dict[str, object]:
        """Return it as a run's manifest lists it."""
        return asdict(self)


def tried(target: ModelTarget, error: LLMUIError, role: Role, *, ms: float, is_first: bool) -> Try:
    """Return what is known of a model that did not answer, or that a limit did not allow."""
    is_secret = isinstance(error, ProviderError) and error.fault in SECRET_FAULTS and role is not Role.ADMIN
    message = "" if is_secret else storable(error.message)
    return Try(target.display_name, target.provider_name, error.code, message, round(ms, 1), is_first)
