"""What models can do, guessed from their names until an administrator says so."""

import re

from llm_ui.models import ProviderKind

SEE_IMAGES = re.compile(
    r"gpt-4o|gpt-4\.|gpt-4-turbo|gpt-[5-9]|^o1$|^o1-20|^o[34]|^claude-|^gemini-|llava|vision|-vl\b|\bvl-|-vl:|2\.?5vl|3-?vl"
    r"|gemma-?3|pixtral|llama-?4|mistral-(small-3\.|medium-3)|minicpm-v|moondream|internvl|phi-?[34].*(vision|multimodal)"
)
"""Families whose makers say that they take images (their model pages, read 2026-11-20)."""
BLIND = re.compile(
    r"embed|whisper|tts|audio|realtime|moderation|instruct-0914|claude-(1|2|instant)|gemma-?3:(1b|270m)|-image"
)
"""Members of these families that do not, or that do something else."""

USE_TOOLS = re.compile(
    r"gpt-3\.5-turbo|gpt-4|gpt-[5-9]|^o[134]\b|gpt-oss|^claude-|^gemini-(1\.5|[2-9])|llama-?(3\.[1-3]|4)|qwen-?(2\.5|[3-9])|qwq"
    r"|mistral|mixtral-8x22b|ministral|magistral|devstral|codestral|command-r|command-a|deepseek-(chat|v3|r1-0528)"
    r"|granite-?[34]|hermes-?[34]|nemotron|kimi|glm-?[4-9]|grok|nova-(micro|lite|pro)|phi-?4-mini|cogito|smollm2|firefunction"
)
"""Families whose makers say that they call tools (their model pages, read 2026-11-20)."""
NO_TOOLS = re.compile(
    r"embed|whisper|tts|audio|realtime|moderation|instruct-0914|claude-(1|2|instant)|-image|^o1-(mini|preview)|gpt-4-base"
    r"|gpt-4(-32k)?-0314|-search-|llama-?3\.2-?vision|-base$|mistral:7b-v0\.[12]|mathstral"
)
"""Members of these families that do not."""

EMBEDS = re.compile(
    r"embed|^bge-|^gte-|^e5-|-e5-|all-minilm|^voyage-|sentence-|paraphrase-|jina-(clip|colbert)|snowflake-arctic-embed"
    r"|rerank"
)
"""Families that make vectors of texts, under the names that Ollama, OpenAI, Google and routers give them, and such that
put texts in order: neither answers."""


def can_see_images(kind: ProviderKind, name: str) -> bool:
    """Return whether a model of that name, as its provider writes it, takes images as far as is known."""
    if kind is ProviderKind.DEMO:
        return True
    name = _without_maker(name)
    return SEE_IMAGES.search(name) is not None and BLIND.search(name) is None


def can_use_tools(kind: ProviderKind, name: str) -> bool:
    """Return whether a model of that name calls tools as far as is known."""
    if kind is ProviderKind.DEMO:
        return True
    name = _without_maker(name)
    return USE_TOOLS.search(name) is not None and NO_TOOLS.search(name) is None


def makes_embeddings(name: str) -> bool:
    """Return whether a model of that name makes vectors of texts instead of answers, as far as is known."""
    return EMBEDS.search(_without_maker(name)) is not None


def _without_maker(name: str) -> str:
    """Return the name in lower case; routers put the maker before it."""
    return name.lower().rpartition("/")[2]
