"""Seed data: what makes a first chat possible at once. Seeding again changes nothing anybody has touched."""

from llm_ui.db import ReadSession, Session
from llm_ui.kit.i18n import later
from llm_ui.kit.ids import ModelId, PromptId, ProviderId, uuid7
from llm_ui.models import AiModel, AiProvider, AiType, PriceSource, ProviderKind, SystemPrompt
from llm_ui.services import settings
from llm_ui.services.prices import FREE
from llm_ui.services.settings import DEFAULT_MODEL, SEEDED

TYPES = (
    (ProviderKind.OPENAI, later("OpenAI-compatible"), "Chat completions, as OpenAI, Azure, Groq, Mistral, vLLM, "
     "LM Studio, llama.cpp, OpenRouter and many others speak them.", "https://api.openai.com/v1", True),
    (ProviderKind.ANTHROPIC, "Anthropic", "The Messages API of Claude models.", "https://api.anthropic.com", True),
    (ProviderKind.GOOGLE, "Google Gemini", "The Gemini API.", "https://generativelanguage.googleapis.com/v1beta", True),
    (ProviderKind.OLLAMA, "Ollama", "Ollama's own protocol, for models on your own machine.",
     "http://127.0.0.1:11434", False),
    (ProviderKind.DEMO, "Demo", "Answers by itself, without any network. Not a language model.", "", False),
)  # fmt: skip

PROMPTS = (
    (later("Helpful assistant"), True, "You are a helpful assistant. Answer in the language of the question. "
     "Say so when you do not know something."),
    (later("Concise"), False, "Answer in as few words as the question allows. No preamble, no summary."),
    (later("Code reviewer"), False, "You review code. Name defects first, each with the line it is in, why it is wrong "
     "and how to mend it; then what could be simpler. Say nothing about style that a formatter would settle."),
    (later("Translator"), False, "Translate what you are given into English, or into German when it is English. "
     "Keep tone, names and formatting. Return only the translation."),
)  # fmt: skip

DEMO_NAME = "Demo"
DEMO_MODEL_NAME = later("Demo (no language model)")
NAMES = frozenset({DEMO_MODEL_NAME, *(name for name, _, _ in PROMPTS)})
"""What the catalogue knows in other languages."""


async def is_seeded(session: ReadSession) -> bool:
    """Return whether every part was written once."""
    return PARTS.keys() <= await _done(session)


async def seed(session: Session) -> None:
    """Write what was never written before, part by part; parts that were written once are left alone for ever."""
    done = await _done(session)
    if PARTS.keys() <= done:
        return
    for name, write in PARTS.items():
        if name not in done:
            await write(session)
    await settings.store(session, SEEDED, " ".join(sorted(done | PARTS.keys())))


async def _done(session: ReadSession) -> set[str]:
    return set((await settings.get(session, SEEDED)).split())


async def _types(session: Session) -> None:
    for kind, name, description, url, needs_key in TYPES:
        session.add(AiType(kind=kind, name=name, description=description, default_url=url, needs_key=needs_key))
    await session.flush()


async def _demo(session: Session) -> None:
    provider = AiProvider(
        id=ProviderId(uuid7()), kind=ProviderKind.DEMO, name=DEMO_NAME, name_key=DEMO_NAME.casefold(), base_url=""
    )
    session.add(provider)
    await session.flush()
    model = AiModel(
        id=ModelId(uuid7()),
        provider_id=provider.id,
        name="demo",
        display_name=DEMO_MODEL_NAME,
        context_window=1_000_000,
        can_see_images=True,
        can_use_tools=True,
        input_usd_per_mtok=FREE.input_usd_per_mtok,
        cached_input_usd_per_mtok=FREE.cached_input_usd_per_mtok,
        output_usd_per_mtok=FREE.output_usd_per_mtok,
        price_source=PriceSource.LIST,
    )
    session.add(model)
    await session.flush()
    await settings.store(session, DEFAULT_MODEL, str(model.id))


async def _prompts(session: Session) -> None:
    for name, is_default, text in PROMPTS:
        session.add(SystemPrompt(id=PromptId(uuid7()), name=name, text=text, is_default=is_default))
    await session.flush()


PARTS = {"types": _types, "demo": _demo, "prompts": _prompts}
