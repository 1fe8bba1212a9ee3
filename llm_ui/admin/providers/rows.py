"""The providers as rows of a table, and what is offered above it."""

from typing import Any

from llm_ui.contract import FoundServer
from llm_ui.models import ProviderKind
from llm_ui.services.ai_models import ModelInfo
from llm_ui.services.providers import ProviderInfo

COLUMNS = [
    {"key": "provider", "label": "Provider"},
    {"key": "address", "label": "Address"},
    {"key": "models", "label": "Models", "align": "right"},
    {"key": "state", "label": "State"},
    {"key": "test", "label": "Last test"},
]


def offers(suggestion: ModelInfo | None, found: tuple[FoundServer, ...]) -> list[dict[str, str]]:
    """Return what can be done with one click: add what runs on this computer, replace the demo as default."""
    items = [
        {
            "id": server.base_url,
            "text": f"Found on this computer: {server.name} {_models_of(server)}.",
            "button": f"Add {server.name}",
            "action": "add",
        }
        for server in found
    ]
    if suggestion is not None:
        text = f"New chats start with the demo, which is no language model. {suggestion.display_name} is ready."
        items.append({"id": "", "text": text, "button": "Make it the default", "action": "make_default"})
    return items


def providers(listed: tuple[ProviderInfo, ...], type_names: dict[str, str]) -> list[dict[str, Any]]:
    """Return a row for each provider."""
    return [
        {
            "id": str(provider.id),
            "name": provider.name,
            "is_faint": not provider.is_enabled,
            "cells": {
                "provider": {"text": provider.name, "detail": type_names.get(provider.kind, provider.kind.value)},
                "address": {"text": provider.base_url or "Built in", "detail": _key(provider)},
                "models": f"{provider.model_count:,}",
                "state": {"text": "On", "tone": "ok"} if provider.is_enabled else {"text": "Off", "tone": "quiet"},
                "test": _last_test(provider),
            },
            "actions": _actions(provider),
        }
        for provider in listed
    ]


def _actions(provider: ProviderInfo) -> list[dict[str, str]]:
    switch = ("disable", "Switch off") if provider.is_enabled else ("enable", "Switch on")
    named = (("models", "Models"), ("test", "Test"), ("edit", "Edit"), switch)
    return [{"action": verb, "label": label} for verb, label in named]


def _key(provider: ProviderInfo) -> str:
    if provider.is_key_refused:
        return "Its key was refused: enter a new one"
    if provider.has_key:
        return f"Key …{provider.key_hint}" if provider.key_hint else "Has a key"
    # Whether an OpenAI-compatible server wants a key only itself knows.
    is_missing = provider.needs_key and provider.kind is not ProviderKind.OPENAI
    return "Its key is missing" if is_missing else "No key"


def _last_test(provider: ProviderInfo) -> dict[str, str] | None:
    if provider.last_tested_at is None:
        return None
    if provider.last_test_error is not None:
        return {"text": "Failed", "tone": "error", "detail": provider.last_test_error}
    return {"text": "Works", "tone": "ok", "detail": f"{provider.last_tested_at:%d %b %Y, %H:%M} UTC"}


def _models_of(server: FoundServer) -> str:
    return f"with {_counted(len(server.models))}" if server.models else "without models yet: pull one, then add it"


def _counted(count: int) -> str:
    return "1 model" if count == 1 else f"{count:,} models"
