"""The providers as rows of a table, and what is offered above it."""

from collections.abc import Mapping
from typing import Any

from llm_ui.contract.probes import FoundServer
from llm_ui.errors import ProviderFault
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import instant, ngettext, number, told
from llm_ui.kit.ids import ProviderId
from llm_ui.models import ProviderKind
from llm_ui.services.ai_models import ModelInfo
from llm_ui.services.provider_health import Known
from llm_ui.services.providers import ProviderInfo


def columns() -> list[dict[str, str]]:
    """Return the columns."""
    return [
        {"key": "provider", "label": _("Provider")},
        {"key": "address", "label": _("Address")},
        {"key": "models", "label": _("Models"), "align": "right"},
        {"key": "state", "label": _("State")},
        {"key": "health", "label": _("Health")},
        {"key": "test", "label": _("Last test")},
    ]


def offers(suggestion: ModelInfo | None, found: tuple[FoundServer, ...]) -> list[dict[str, str]]:
    """Return what can be done with one click: add what runs on this computer, replace the demo as default."""
    items = [
        {
            "id": server.base_url,
            "text": _found(server),
            "button": _("Add {name}").format(name=server.name),
            "action": "add",
        }
        for server in found
    ]
    if suggestion is not None:
        text = _("New chats start with the demo, which is no language model. {name} is ready.")
        items.append(
            {
                "id": "",
                "text": text.format(name=suggestion.display_name),
                "button": _("Make it the default"),
                "action": "make_default",
            }
        )
    return items


def providers(
    listed: tuple[ProviderInfo, ...], type_names: dict[str, str], health: Mapping[ProviderId, Known]
) -> list[dict[str, Any]]:
    """Return a row for each provider."""
    return [
        {
            "id": str(provider.id),
            "name": provider.name,
            "is_faint": not provider.is_enabled,
            "cells": {
                "provider": {"text": provider.name, "detail": _(type_names.get(provider.kind, provider.kind.value))},
                "address": {"text": provider.base_url or _("Built in"), "detail": _key(provider)},
                "models": number(provider.model_count),
                "state": _state(provider),
                "health": _health(health.get(provider.id)) if provider.is_enabled else None,
                "test": _last_test(provider),
            },
            "actions": _actions(provider),
        }
        for provider in listed
    ]


def _actions(provider: ProviderInfo) -> list[dict[str, str]]:
    switch = ("disable", _("Switch off")) if provider.is_enabled else ("enable", _("Switch on"))
    keys = (("keys", _("Keys")),) if provider.has_key else ()
    named = (("models", _("Models")), ("test", _("Test")), *keys, ("edit", _("Edit")), switch)
    return [{"action": verb, "label": label} for verb, label in named]


def _state(provider: ProviderInfo) -> dict[str, str]:
    return {"text": _("On"), "tone": "ok"} if provider.is_enabled else {"text": _("Off"), "tone": "quiet"}


def _key(provider: ProviderInfo) -> str:
    if provider.is_key_refused:
        return _("Its key was refused: enter a new one")
    if provider.key_count > 1:
        return _("{n} keys").format(n=number(provider.key_count))
    if provider.has_key:
        return _("Key …{hint}").format(hint=provider.key_hint) if provider.key_hint else _("Has a key")
    # Whether an OpenAI-compatible server wants a key only itself knows.
    is_missing = provider.needs_key and provider.kind is not ProviderKind.OPENAI
    return _("Its key is missing") if is_missing else _("No key")


def _health(known: Known | None) -> dict[str, str] | None:
    """Return how it does by its last probe and by the calls since, and since when."""
    if known is None:
        return None
    if known.is_fallen and known.down_since is not None:
        word = _("Key refused") if known.fault == ProviderFault.KEY_REFUSED else _("Down")
        since = _("since {at}").format(at=instant(known.down_since))
        why = told(known.problem) if known.problem else _("It failed several times in a row and is left alone.")
        return {"text": word, "tone": "error", "detail": f"{since}: {why}"}
    if known.probed_at is None:
        return None
    if known.problem is not None:
        return {"text": _("Last probe failed"), "tone": "warning", "detail": told(known.problem)}
    took = number(known.latency_ms or 0, ",.0f")
    detail = _("{at}, after {ms} ms").format(at=instant(known.probed_at), ms=took)
    return {"text": _("Well"), "tone": "ok", "detail": detail}


def _last_test(provider: ProviderInfo) -> dict[str, str] | None:
    if provider.last_tested_at is None:
        return None
    if provider.last_test_error is not None:
        return {"text": _("Failed"), "tone": "error", "detail": told(provider.last_test_error)}
    return {"text": _("Works"), "tone": "ok", "detail": instant(provider.last_tested_at)}


def _found(server: FoundServer) -> str:
    count = len(server.models)
    if not count:
        sentence = _("Found on this computer: {name} without models yet: pull one, then add it.")
        return sentence.format(name=server.name)
    sentence = ngettext(
        "Found on this computer: {name} with {n} model.", "Found on this computer: {name} with {n} models.", count
    )
    return sentence.format(name=server.name, n=number(count))
