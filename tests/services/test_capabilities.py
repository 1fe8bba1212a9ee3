import pytest

from llm_ui.models import ProviderKind
from llm_ui.services.capabilities import can_see_images, can_use_tools

SEEING = [
    "gpt-4o", "gpt-4o-mini-2024-07-18", "gpt-4.1", "gpt-5-mini", "o3", "o4-mini", "claude-3-5-sonnet-20241022",
    "claude-sonnet-4-5", "gemini-2.5-flash", "llava:13b", "llama3.2-vision", "qwen2.5vl:7b", "qwen2.5-vl-72b-instruct",
    "gemma3:12b", "google/gemma-3-27b-it", "anthropic/claude-opus-4", "mistralai/pixtral-12b", "moondream",
]  # fmt: skip
BLIND = [
    "gpt-3.5-turbo", "gpt-4", "o1-mini", "o1-preview", "claude-2.1", "claude-instant-1.2", "llama3.2", "mistral:7b",
    "gemma3:1b", "text-embedding-3-large", "whisper-1", "gpt-4o-audio-preview", "gpt-4o-mini-tts", "deepseek-chat",
    "qwen2.5:7b", "phi3:mini", "gpt-4o-realtime-preview",
]  # fmt: skip


@pytest.mark.parametrize("name", SEEING)
def test_models_known_to_see_images_are_offered_for_them(name: str) -> None:
    assert can_see_images(ProviderKind.OPENAI, name)


@pytest.mark.parametrize("name", BLIND)
def test_all_others_are_not_until_an_administrator_says_so(name: str) -> None:
    assert not can_see_images(ProviderKind.OPENAI, name)


CALLING = [
    "gpt-4o", "gpt-4.1-mini", "gpt-5", "o3", "o4-mini", "gpt-oss:20b", "claude-sonnet-4-5", "claude-3-5-haiku-20241022",
    "gemini-2.5-flash", "llama3.2", "llama3.1:8b", "meta-llama/llama-3.3-70b-instruct", "qwen2.5:7b", "qwen3:4b",
    "mistral-large-latest", "mistral:7b", "command-r-plus", "deepseek-chat", "granite3.3", "moonshotai/kimi-k2",
]  # fmt: skip
NOT_CALLING = [
    "gpt-4-0314", "o1-mini", "claude-2.1", "llama2", "llama3.2-vision", "gemma3:12b", "phi3:mini", "llava:13b",
    "text-embedding-3-large", "gpt-4o-mini-tts", "gpt-4o-audio-preview", "moondream", "my-own-model",
]  # fmt: skip


@pytest.mark.parametrize("name", CALLING)
def test_models_known_to_call_tools_are_told_of_them(name: str) -> None:
    assert can_use_tools(ProviderKind.OPENAI, name)


@pytest.mark.parametrize("name", NOT_CALLING)
def test_no_other_is_until_an_administrator_says_so(name: str) -> None:
    assert not can_use_tools(ProviderKind.OLLAMA, name)
