"""The workspace's configuration as a file: providers, models with their prices, instructions and settings.

Keys of providers never leave: a provider that is new here comes without one, and one that is here keeps its own.
Taking a file in adds and changes; it deletes nothing, so what the file leaves out stays as it is.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from llm_ui.db import ReadSession, Session
from llm_ui.errors import InvalidInput
from llm_ui.kit.encryption import Sealer
from llm_ui.models import ProviderKind, Setting
from llm_ui.services import ai_models, audit, prompts, providers, settings
from llm_ui.services.access import Actor, Permission, require
from llm_ui.services.ai_models import ModelChange, NewModel
from llm_ui.services.prices import RATES, Prices, Tier
from llm_ui.services.providers import NewProvider
from llm_ui.services.settings import REGISTRY

MOST_MODELS = 10_000


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelPart(_Part):
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


class ProviderPart(_Part):
    """One provider, without its key."""

    name: str
    kind: ProviderKind
    base_url: str
    is_enabled: bool = True
    models: tuple[ModelPart, ...] = ()


class PromptPart(_Part):
    """The words of one of the platform's instructions."""

    name: str
    text: str
    is_default: bool = False


class Configuration(_Part):
    """A whole file."""

    llm_ui_configuration: Literal[1] = 1
    """The version of the format."""
    providers: tuple[ProviderPart, ...] = ()
    prompts: tuple[PromptPart, ...] = ()
    settings: dict[str, bool | int | str] = Field(default={})
    """Those that were set here, by name."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that taking the file in changes."""

    what: str
    """Such as `provider` or `setting`."""
    name: str
    is_new: bool
    changes: Mapping[str, Any]
    """By field, `[before, after]`."""


def parsed(text: bytes) -> Configuration:
    """Return what a file holds. Raises `InvalidInput` that names the first thing which is wrong."""
    try:
        return Configuration.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise InvalidInput(
            "This is no configuration of LLM UI: {where}: {problem}.", where=where, problem=first["msg"]
        ) from None


async def read(session: ReadSession, actor: Actor) -> Configuration:
    """Return the configuration as it is now."""
    _require(actor)
    found = await ai_models.find_models(session, actor, limit=MOST_MODELS)
    held = {
        one.name: row.value["value"]
        for one in REGISTRY
        if one.group and (row := await session.get(Setting, one.name)) is not None
    }
    return Configuration(
        providers=tuple(
            ProviderPart(
                name=one.name, kind=one.kind, base_url=one.base_url, is_enabled=one.is_enabled,
                models=tuple(_model(model) for model in found.items if model.provider_id == one.id),
            )
            for one in await providers.list_providers(session, actor)
        ),
        prompts=tuple(
            PromptPart(name=one.name, text=one.text, is_default=one.is_default)
            for one in await prompts.list_shared(session, actor)
        ),
        settings=held,
    )  # fmt: skip


async def plan(session: ReadSession, actor: Actor, wanted: Configuration) -> tuple[Step, ...]:
    """Return what taking the file in would change; nothing when it was taken in already.

    Raises `InvalidInput` for what this workspace cannot take in.
    """
    now_is = await read(session, actor)
    steps: list[Step] = []
    here = {one.name.casefold(): one for one in now_is.providers}
    for provider in wanted.providers:
        known = here.get(provider.name.casefold())
        if known is not None and known.kind is not provider.kind:
            raise InvalidInput("The provider {name} is of another kind here. Rename one of them.", name=provider.name)
        _note(steps, "provider", provider.name, known, provider)
        models = {} if known is None else {one.name: one for one in known.models}
        for model in provider.models:
            _note(steps, "model", f"{provider.name}: {model.name}", models.get(model.name), model)
    words = {one.name: one for one in now_is.prompts}
    for prompt in wanted.prompts:
        if prompt.name not in words:
            raise InvalidInput("There are no instructions named {name} here. Take them out.", name=prompt.name)
        _note(steps, "prompt", prompt.name, words[prompt.name], prompt)
    settable = {one.name: one for one in REGISTRY if one.group}
    for name, value in wanted.settings.items():
        if name not in settable or type(value) is not type(settable[name].default):
            raise InvalidInput("There is no setting {name} with such a value here. Take it out.", name=name)
        settings.check(settable[name], value)
        before = await settings.get(session, settable[name])
        if before != value:
            steps.append(Step("setting", name, is_new=False, changes={"value": [before, value]}))
    return tuple(steps)


async def take_in(session: Session, actor: Actor, sealer: Sealer, wanted: Configuration) -> tuple[Step, ...]:
    """Change what the file says, all or nothing; return what was changed. Raises `InvalidInput`."""
    steps = await plan(session, actor, wanted)
    changed = {(step.what, step.name): step for step in steps}
    for provider in wanted.providers:
        await _take_provider(session, actor, sealer, provider, changed)
    shared = {one.name: one for one in await prompts.list_shared(session, actor)}
    for prompt in wanted.prompts:
        step = changed.get(("prompt", prompt.name))
        if step is not None and "text" in step.changes:
            await prompts.change_text(session, actor, shared[prompt.name].id, prompt.text)
        if step is not None and "is_default" in step.changes and prompt.is_default:
            await prompts.set_default(session, actor, shared[prompt.name].id)
    for one in REGISTRY:
        if ("setting", one.name) in changed:
            await settings.change(session, actor, one, wanted.settings[one.name])
    if steps:
        await audit.record(session, actor, "configuration.imported", "workspace", steps=len(steps))
    return steps


async def note_export(session: Session, actor: Actor) -> None:
    """Write down that the configuration leaves the workspace."""
    _require(actor)
    await audit.record(session, actor, "configuration.exported", "workspace")


async def _take_provider(
    session: Session, actor: Actor, sealer: Sealer, wanted: ProviderPart, changed: Mapping[tuple[str, str], Step]
) -> None:
    step = changed.get(("provider", wanted.name))
    if step is not None and step.is_new:
        await providers.add(session, actor, sealer, NewProvider(wanted.name, wanted.kind, wanted.base_url))
    known = await providers.find_by_name(session, actor, wanted.name)
    if step is not None and not step.is_new and {"name", "base_url"} & step.changes.keys():
        new = NewProvider(wanted.name, wanted.kind, wanted.base_url)
        await providers.change(session, actor, sealer, known.id, new)
    if known.is_enabled != wanted.is_enabled:
        await providers.set_enabled(session, actor, known.id, is_enabled=wanted.is_enabled)
    news = [one for one in wanted.models if ("model", f"{wanted.name}: {one.name}") in changed]
    await ai_models.add_models(session, actor, known.id, [NewModel(one.name) for one in news])
    found = await ai_models.find_models(session, actor, provider_id=known.id, limit=MOST_MODELS)
    here = {one.name: one for one in found.items}
    for model in news:
        row = here[model.name]
        prices = Prices(**{rate: getattr(model, rate) for rate in RATES}, tiers=model.tiers)
        can = model.can_see_images, model.can_use_tools, model.makes_embeddings
        change = ModelChange(model.display_name, model.context_window, model.max_output_tokens, prices, *can)
        await ai_models.change_model(session, actor, row.id, change)
        if row.is_enabled != model.is_enabled:
            await ai_models.set_model_enabled(session, actor, row.id, is_enabled=model.is_enabled)


def _note(steps: list[Step], what: str, name: str, before: _Part | None, after: _Part) -> None:
    """Add what differs, if anything does. Models are compared on their own."""
    was = {} if before is None else before.model_dump(exclude={"models"})
    changes = audit.difference(was, after.model_dump(exclude={"models"}))
    if what == "prompt" and changes.get("is_default") == [True, False]:
        # Another one becomes the default, or none does; that is said where it does.
        del changes["is_default"]
    if changes:
        steps.append(Step(what, name, is_new=before is None, changes=changes))


def _model(model: ai_models.ModelInfo) -> ModelPart:
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
