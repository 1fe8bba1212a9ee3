"""The workspace's configuration as a file: providers, models with their prices, instructions, agents, settings, and
who may what (configuration_rules.py).

Keys of providers never leave: a provider that is new here comes without one, and one that is here keeps its own. Of
agents and prompts those are in it that everybody is offered; what an agent knows stays, for documents are no
configuration. How a file is taken in: configuration_import.py.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal

from pydantic import Field, ValidationError

from llm_ui.db import ReadSession, Session
from llm_ui.errors import InvalidInput, TooLarge
from llm_ui.kit.ids import ModelId
from llm_ui.models import ProjectColor, ProjectIcon, ProviderKind, Setting
from llm_ui.services import agents, ai_models, audit, autos, library, prompts, providers
from llm_ui.services.access import Actor, Permission, require
from llm_ui.services.agents import AgentInfo
from llm_ui.services.ai_models import ModelInfo
from llm_ui.services.configuration_rules import Names, Part, RuleParts, read_rules
from llm_ui.services.library import Saved
from llm_ui.services.prices import Tier
from llm_ui.services.prompts import PromptInfo
from llm_ui.services.providers import ProviderInfo
from llm_ui.services.settings import (
    HELPER_FOLLOW_UPS,
    HELPER_SUMMARIES,
    REGISTRATION_APPROVAL,
    REGISTRATION_DOMAINS,
    REGISTRATION_OPEN,
    REGISTRY,
)

MOST_MODELS = 10_000
MAX_BYTES = 2_000_000
"""Of a file: some ten thousand models."""
_ELSEWHERE = (
    REGISTRATION_OPEN,
    REGISTRATION_APPROVAL,
    REGISTRATION_DOMAINS,
    HELPER_FOLLOW_UPS,
    HELPER_SUMMARIES,
)
"""What has a place of its own on a page, and means the same in every workspace."""
PORTABLE = {one.name: one for one in REGISTRY if one.group or one in _ELSEWHERE}
"""The settings that a file may hold: no secrets, and nothing that names a row of this database."""


class ModelPart(Part):
    """One model of a provider. Prices are dollars per million tokens."""

    name: str
    display_name: str
    is_enabled: bool = True
    context_window: int | None = None
    max_output_tokens: int | None = None
    can_see_images: bool = False
    can_use_tools: bool = False
    makes_embeddings: bool = False
    input_usd_per_mtok: Decimal | None = None
    cached_input_usd_per_mtok: Decimal | None = None
    output_usd_per_mtok: Decimal | None = None
    reasoning_usd_per_mtok: Decimal | None = None
    tiers: tuple[Tier, ...] = ()
    """What prompts cost that are longer than `above_tokens`."""


class ProviderPart(Part):
    """One provider, without its key."""

    name: str
    kind: ProviderKind
    base_url: str
    is_enabled: bool = True
    models: tuple[ModelPart, ...] = ()


class PromptPart(Part):
    """The words of one of the platform's instructions."""

    name: str
    text: str
    is_default: bool = False


class SavedPart(Part):
    """A prompt that everybody is offered."""

    name: str
    text: str
    tags: tuple[str, ...] = ()


class AgentPart(Part):
    """An agent that everybody may ask, without what it knows."""

    name: str
    description: str = ""
    instructions: str = ""
    color: ProjectColor = ProjectColor.GREY
    icon: ProjectIcon = ProjectIcon.STAR
    provider: str = ""
    """Of its model; empty: it answers with the model that its person has picked."""
    model: str = ""
    auto: str = ""
    """The name of the *Auto* model that picks its model; empty: none does."""
    temperature: float | None = None
    max_tokens: int | None = None
    starters: tuple[str, ...] = ()


class Configuration(RuleParts):
    """A whole file."""

    providers: tuple[ProviderPart, ...] = ()
    prompts: tuple[PromptPart, ...] = ()
    saved_prompts: tuple[SavedPart, ...] = ()
    agents: tuple[AgentPart, ...] = ()
    settings: dict[str, bool | int | str] = Field(default={})
    """Those that were set here, by name."""


def parsed(text: bytes) -> Configuration:
    """Return what a file holds. Raises `InvalidInput` that names the first thing which is wrong."""
    if len(text) > MAX_BYTES:
        raise TooLarge("This file is larger than {most} MB, so it is no configuration.", most=MAX_BYTES // 1_000_000)
    try:
        return Configuration.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise InvalidInput(
            "This is no configuration of LLM UI: {where}: {problem}.", where=where, problem=first["msg"]
        ) from None


@dataclass(frozen=True, slots=True)
class Here:
    """What there is in this workspace, as a file would say it, and the rows it is of."""

    providers: tuple[ProviderInfo, ...]
    models: tuple[ModelInfo, ...]
    prompts: tuple[PromptInfo, ...]
    saved: tuple[Saved, ...]
    agents: tuple[AgentInfo, ...]
    autos: Mapping[ModelId, str]
    """Names of *Auto* models."""

    def names(self) -> Names:
        """Return what models and providers are called."""
        return Names(self.models, self.providers)

    def agent(self, agent: AgentInfo) -> AgentPart:
        """Return an agent as a file says it; a model that is gone is none."""
        own = agent.settings
        model = next((one for one in self.models if one.id == own.model_id), None)
        return AgentPart(
            name=own.name, description=own.description, instructions=own.instructions, color=own.color, icon=own.icon,
            provider="" if model is None else model.provider_name, model="" if model is None else model.name,
            auto="" if own.model_id is None else self.autos.get(own.model_id, ""),
            temperature=own.temperature, max_tokens=own.max_tokens, starters=own.starters,
        )  # fmt: skip


async def here(session: ReadSession, actor: Actor) -> Here:
    """Return what there is now. Raises `Forbidden`."""
    _require(actor)
    return Here(
        await providers.list_providers(session, actor),
        (await ai_models.find_models(session, actor, limit=MOST_MODELS)).items,
        await prompts.list_shared(session, actor),
        tuple(one for one in await library.list_prompts(session, actor) if one.is_shared),
        tuple(one for one in await agents.list_agents(session, actor) if one.settings.is_shared),
        {one.id: one.display_name for one in await autos.list_autos(session, actor)},
    )


async def read(session: ReadSession, actor: Actor) -> Configuration:
    """Return the configuration as it is now."""
    found = await here(session, actor)
    held = {
        name: row.value["value"] for name in PORTABLE if (row := await session.get(Setting, name)) is not None
    }  # fmt: skip
    rules = await read_rules(session, actor, found.names())
    return Configuration(
        **{name: getattr(rules, name) for name in RuleParts.model_fields},
        providers=tuple(
            provider_part(one).model_copy(
                update={"models": tuple(model_part(model) for model in found.models if model.provider_id == one.id)}
            )
            for one in found.providers
        ),
        prompts=tuple(map(prompt_part, found.prompts)),
        saved_prompts=tuple(map(saved_part, found.saved)),
        agents=tuple(map(found.agent, found.agents)),
        settings=held,
    )


async def note_export(session: Session, actor: Actor) -> None:
    """Write down that the configuration leaves the workspace."""
    _require(actor)
    await audit.record(session, actor, "configuration.exported", "workspace")


def provider_part(one: ProviderInfo) -> ProviderPart:
    """Return a provider as a file says it, without its models."""
    return ProviderPart(name=one.name, kind=one.kind, base_url=one.base_url, is_enabled=one.is_enabled)


def prompt_part(one: PromptInfo) -> PromptPart:
    """Return the platform's instructions as a file says them."""
    return PromptPart(name=one.name, text=one.text, is_default=one.is_default)


def saved_part(one: Saved) -> SavedPart:
    """Return a prompt of the library as a file says it."""
    return SavedPart(name=one.name, text=one.text, tags=one.tags)


def model_part(model: ModelInfo) -> ModelPart:
    """Return a model as a file says it."""
    return ModelPart(
        name=model.name,
        display_name=model.display_name,
        is_enabled=model.is_enabled,
        context_window=model.context_window,
        max_output_tokens=model.max_output_tokens,
        can_see_images=model.can_see_images,
        can_use_tools=model.can_use_tools,
        makes_embeddings=model.makes_embeddings,
        **asdict(model.prices),
    )


def _require(actor: Actor) -> None:
    require(actor, Permission.MANAGE_SETTINGS)
    require(actor, Permission.MANAGE_PROVIDERS)
