"""Which adapter speaks which kind of provider."""

from collections.abc import Mapping

from llm_ui.models import ProviderKind
from llm_ui.providers.anthropic import AnthropicProtocol
from llm_ui.providers.base import Adapter
from llm_ui.providers.demo import DemoAdapter
from llm_ui.providers.google import GoogleProtocol
from llm_ui.providers.ollama import OllamaProtocol
from llm_ui.providers.openai import OpenAIProtocol
from llm_ui.providers.wire import WireAdapter

ADAPTERS: Mapping[ProviderKind, Adapter] = {
    ProviderKind.OPENAI: WireAdapter(OpenAIProtocol()),
    ProviderKind.ANTHROPIC: WireAdapter(AnthropicProtocol()),
    ProviderKind.GOOGLE: WireAdapter(GoogleProtocol()),
    ProviderKind.OLLAMA: WireAdapter(OllamaProtocol()),
    ProviderKind.DEMO: DemoAdapter(),
}


def adapter(kind: ProviderKind) -> Adapter:
    """Return the adapter of a kind."""
    return ADAPTERS[kind]
