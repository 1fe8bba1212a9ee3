"""Known addresses of model services, offered when a provider is added."""

from dataclasses import dataclass

from llm_ui.kit.i18n import later
from llm_ui.models import ProviderKind


@dataclass(frozen=True, slots=True)
class Preset:
    """A service people are likely to connect."""

    name: str
    kind: ProviderKind
    base_url: str
    needs_key: bool
    hint: str
    """Where the key comes from, or what must run."""


PRESETS = (
    Preset("OpenAI", ProviderKind.OPENAI, "https://api.openai.com/v1", True, later("Key from platform.openai.com.")),
    Preset(
        "Anthropic", ProviderKind.ANTHROPIC, "https://api.anthropic.com", True, later("Key from console.anthropic.com.")
    ),
    Preset(
        "Google Gemini",
        ProviderKind.GOOGLE,
        "https://generativelanguage.googleapis.com/v1beta",
        True,
        later("Key from aistudio.google.com."),
    ),
    Preset("Ollama", ProviderKind.OLLAMA, "http://127.0.0.1:11434", False, later("Ollama must run on this computer.")),
    Preset("LM Studio", ProviderKind.OPENAI, "http://127.0.0.1:1234/v1", False, later("Start its local server first.")),
    Preset(
        "llama.cpp server", ProviderKind.OPENAI, "http://127.0.0.1:8080/v1", False, later("Start llama-server first.")
    ),
    Preset(
        "vLLM", ProviderKind.OPENAI, "http://127.0.0.1:8001/v1", False, later("Start `vllm serve` on this port first.")
    ),
    Preset(
        "Azure OpenAI",
        ProviderKind.OPENAI,
        "https://YOUR-RESOURCE.openai.azure.com/openai/v1",
        True,
        later("Put your resource's name into the address."),
    ),
    Preset("OpenRouter", ProviderKind.OPENAI, "https://openrouter.ai/api/v1", True, later("Key from openrouter.ai.")),
    Preset("Groq", ProviderKind.OPENAI, "https://api.groq.com/openai/v1", True, later("Key from console.groq.com.")),
    Preset("Mistral", ProviderKind.OPENAI, "https://api.mistral.ai/v1", True, later("Key from console.mistral.ai.")),
    Preset(
        "DeepSeek", ProviderKind.OPENAI, "https://api.deepseek.com/v1", True, later("Key from platform.deepseek.com.")
    ),
    Preset("xAI", ProviderKind.OPENAI, "https://api.x.ai/v1", True, later("Key from console.x.ai.")),
    Preset("Together", ProviderKind.OPENAI, "https://api.together.xyz/v1", True, later("Key from api.together.ai.")),
    Preset(
        "Fireworks", ProviderKind.OPENAI, "https://api.fireworks.ai/inference/v1", True, later("Key from fireworks.ai.")
    ),
    Preset(
        later("Another OpenAI-compatible server"),
        ProviderKind.OPENAI,
        "",
        False,
        later("Its address usually ends in /v1."),
    ),
)
