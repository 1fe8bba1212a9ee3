"""A configuration that comes in as a file: first tried, then taken in as a whole or not at all.

It adds and changes; it deletes nothing, so what the file leaves out stays as it is. A rehearsal is the real thing,
undone at its end: what it says is what would happen.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, TypeVar

from pydantic import BaseModel
from sqlalchemy import select

from llm_ui.db import Database, Session
from llm_ui.errors import Conflict, Forbidden, InvalidInput, NotFound
from llm_ui.kit.encryption import Sealer
from llm_ui.kit.i18n import to_tell
from llm_ui.kit.ids import ModelId, ProviderId
from llm_ui.models import Role, User
from llm_ui.services import agents, ai_models, audit, autos, library, prompts, providers, registration, settings
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.agents import AgentInfo, AgentSettings
from llm_ui.services.ai_models import ModelChange, NewModel
from llm_ui.services.configuration import (
    PORTABLE,
    AgentPart,
    Configuration,
    Here,
    ModelPart,
    PromptPart,
    ProviderPart,
    SavedPart,
    here,
    model_part,
    prompt_part,
    provider_part,
    saved_part,
)
from llm_ui.services.configuration_rules_import import TakingRules
from llm_ui.services.library import Saved
from llm_ui.services.prices import RATES, Prices
from llm_ui.services.providers import NewProvider
from llm_ui.services.settings import REGISTRATION_DOMAINS

TWICE = to_tell("The file names it twice. Leave one of the two out.")
Offered = AgentInfo | Saved
T = TypeVar("T", AgentInfo, Saved)


class Becomes(StrEnum):
    """What becomes of one thing in the file."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing in the file."""

    what: str
    """Such as `provider` or `setting`."""
    name: str
    becomes: Becomes
    changes: Mapping[str, Any]
    """By field, `[before, after]`."""
    reason: str = ""
    """Why it is refused."""
    hint: str = ""
    """What is left to be done by hand."""


class _UndoneError(Exception):
    """Ends a rehearsal."""


async def rehearse(database: Database, actor: Actor, sealer: Sealer, wanted: Configuration) -> tuple[Step, ...]:
    """Return what taking a file in would do; nothing is changed by that. Raises `Forbidden`."""
    steps: tuple[Step, ...] = ()
    with suppress(_UndoneError):
        async with database.writing() as session:
            steps = await _taken(session, actor, sealer, wanted)
            raise _UndoneError
    return steps


async def take_in(
    session: Session, actor: Actor, sealer: Sealer, wanted: Configuration, *, shown: tuple[Step, ...] | None = None
) -> tuple[Step, ...]:
    """Do what the file says, all or nothing; return what was done.

    `shown` is what somebody was shown and has agreed to. Raises `InvalidInput` when anything is refused, `Conflict`
    when something else would happen by now.
    """
    steps = await _taken(session, actor, sealer, wanted)
    if shown is not None and steps != shown:
        raise Conflict("The workspace was changed meanwhile. Look at what the file would change now, then apply it.")
    refused = next((one for one in steps if one.becomes is Becomes.REFUSED), None)
    if refused is not None:
        raise InvalidInput("{name} is refused: {reason}", name=refused.name, reason=refused.reason)
    done = sum(one.becomes is not Becomes.SAME for one in steps)
    if done:
        await audit.record(session, actor, "configuration.imported", "workspace", steps=done)
    return steps


async def _taken(session: Session, actor: Actor, sealer: Sealer, wanted: Configuration) -> tuple[Step, ...]:
    owner = await _owner(session, actor)
    taking = _Taking(session, actor, sealer, await here(session, owner or actor), owner)
    for provider in wanted.providers:
        await taking.provider(provider)
    for prompt in wanted.prompts:
        await taking.prompt(prompt)
    for saved in wanted.saved_prompts:
        await taking.saved(saved)
    await TakingRules(session, actor, sealer, taking.names, taking.note).take(wanted)
    # After the Auto models, which are some of these rules.
    for agent in wanted.agents:
        await taking.agent(agent)
    for name, value in wanted.settings.items():
        await taking.setting(name, value)
    return tuple(taking.steps)


class _Taking:
    """A file that is being taken in. What is refused is undone by itself, so that all is found that is wrong."""

    def __init__(self, session: Session, actor: Actor, sealer: Sealer, found: Here, owner: Actor | None) -> None:
        self.steps: list[Step] = []
        self._session = session
        self._actor = actor
        self._sealer = sealer
        self._here = found
        self._owner = owner
        self.names = found.names()
        self._model_ids = self.names.models

    async def note(
        self,
        what: str,
        name: str,
        changes: Mapping[str, Any],
        write: Callable[[], Awaitable[None]],
        *,
        is_new: bool,
        hint: str = "",
    ) -> bool:
        """Do one thing, unless it is so already, and note what became of it; return whether it was not refused."""
        becomes, reason = Becomes.NEW if is_new else Becomes.CHANGED, ""
        if any(one.what == what and one.name == name for one in self.steps):
            becomes, reason = Becomes.REFUSED, TWICE
        elif not changes and not is_new:
            becomes = Becomes.SAME
        else:
            try:
                async with self._session.begin_nested():
                    await write()
            except (InvalidInput, Conflict, NotFound, Forbidden) as refusal:
                becomes, reason = Becomes.REFUSED, refusal.message
        self.steps.append(Step(what, name, becomes, changes, reason, hint))
        return becomes is not Becomes.REFUSED

    async def provider(self, wanted: ProviderPart) -> None:
        session, actor = self._session, self._actor
        known = next((one for one in self._here.providers if one.name.casefold() == wanted.name.casefold()), None)
        provider_id: ProviderId | None = None if known is None else known.id
        changes = _difference(None if known is None else provider_part(known), wanted)

        async def write() -> None:
            nonlocal provider_id
            new = NewProvider(wanted.name, wanted.kind, wanted.base_url)
            if known is not None and known.kind is not wanted.kind:
                raise InvalidInput("The provider of this name is of another kind here. Rename one of them.")
            if known is None:
                provider_id = (await providers.add(session, actor, self._sealer, new)).id
            elif {"name", "base_url"} & changes.keys():
                await providers.change(session, actor, self._sealer, known.id, new)
            if provider_id is not None and wanted.is_enabled != (known is None or known.is_enabled):
                await providers.set_enabled(session, actor, provider_id, is_enabled=wanted.is_enabled)

        is_here = await self.note("provider", wanted.name, changes, write, is_new=known is None)
        for model in wanted.models:
            await self._model(wanted.name, provider_id if is_here else None, model)

    async def _model(self, provider: str, provider_id: ProviderId | None, wanted: ModelPart) -> None:
        session, actor = self._session, self._actor
        known = next(
            (one for one in self._here.models if one.provider_id == provider_id and one.name == wanted.name), None
        )

        async def write() -> None:
            if provider_id is None:
                raise InvalidInput("Its provider is refused.")
            added = () if known else await ai_models.add_models(session, actor, provider_id, [NewModel(wanted.name)])
            model_id = known.id if known else added[0]
            prices = Prices(**{rate: getattr(wanted, rate) for rate in RATES}, tiers=wanted.tiers)
            can = wanted.can_see_images, wanted.can_use_tools, wanted.makes_embeddings
            window = wanted.context_window, wanted.max_output_tokens
            await ai_models.change_model(
                session, actor, model_id, ModelChange(wanted.display_name, *window, prices, *can)
            )
            if wanted.is_enabled != (known is None or known.is_enabled):
                await ai_models.set_model_enabled(session, actor, model_id, is_enabled=wanted.is_enabled)
            self._model_ids[provider.casefold(), wanted.name] = model_id

        changes = _difference(None if known is None else model_part(known), wanted)
        await self.note("model", f"{provider}: {wanted.name}", changes, write, is_new=known is None)

    async def prompt(self, wanted: PromptPart) -> None:
        known = next((one for one in self._here.prompts if one.name == wanted.name), None)
        changes = _difference(None if known is None else prompt_part(known), wanted)
        if changes.get("is_default") == [True, False]:
            # Another one becomes the default, or none does; that is said where it does.
            del changes["is_default"]

        async def write() -> None:
            if known is None:
                raise InvalidInput("There are no instructions of this name here. Take them out.")
            if "text" in changes:
                await prompts.change_text(self._session, self._actor, known.id, wanted.text)
            if "is_default" in changes:
                await prompts.set_default(self._session, self._actor, known.id)

        await self.note("prompt", wanted.name, changes, write, is_new=known is None)

    async def saved(self, wanted: SavedPart) -> None:
        known = _own_first([one for one in self._here.saved if one.name == wanted.name])
        changes = _difference(None if known is None else saved_part(known), wanted)

        async def write() -> None:
            owner = _offers(self._owner, known)
            saved_id = None if known is None else known.id
            await library.save(
                self._session, owner, saved_id, wanted.name, wanted.text, is_shared=True, tags=wanted.tags
            )

        await self.note("saved prompt", wanted.name, changes, write, is_new=known is None)

    async def agent(self, wanted: AgentPart) -> None:
        known = _own_first([one for one in self._here.agents if one.name.casefold() == wanted.name.casefold()])
        changes = _difference(None if known is None else self._here.agent(known), wanted)

        async def write() -> None:
            owner = _offers(self._owner, known)
            # What it knows stays.
            before = AgentSettings(wanted.name) if known is None else known.settings
            model_id = await self._model_of(wanted)
            new = replace(
                before, name=wanted.name, description=wanted.description, instructions=wanted.instructions,
                color=wanted.color, icon=wanted.icon, model_id=model_id, temperature=wanted.temperature,
                max_tokens=wanted.max_tokens, starters=wanted.starters, is_shared=True,
            )  # fmt: skip
            agent_id = None if known is None else known.id
            await agents.save(self._session, owner, agent_id, new, is_from_file=True)

        await self.note("agent", wanted.name, changes, write, is_new=known is None)

    async def _model_of(self, wanted: AgentPart) -> ModelId | None:
        if wanted.auto:
            return await self._auto_of(wanted.auto)
        if not wanted.model:
            return None
        found = self._model_ids.get((wanted.provider.casefold(), wanted.model))
        if found is None:
            raise InvalidInput("Its model {name} is not here. Add it, or leave it out.", name=wanted.model)
        return found

    async def _auto_of(self, name: str) -> ModelId:
        for one in await autos.list_autos(self._session, self._actor):
            if one.display_name.casefold() == name.casefold():
                return one.id
        raise InvalidInput("Its Auto model {name} is not here. Add it, or leave it out.", name=name)

    async def setting(self, name: str, value: bool | int | str) -> None:
        one = PORTABLE.get(name)
        before = None if one is None else await settings.get(self._session, one)

        async def write() -> None:
            if one is None or type(value) is not type(one.default):
                raise InvalidInput("There is no such setting with such a value here. Take it out.")
            if one is REGISTRATION_DOMAINS:
                await registration.set_domains(self._session, self._actor, str(value))
            else:
                await settings.change(self._session, self._actor, one, value)

        # `True` equals 1, and is another value.
        is_same = type(before) is type(value) and before == value
        changes = {} if is_same else {"value": [before, value]}
        await self.note("setting", name, changes, write, is_new=False)


async def _owner(session: Session, actor: Actor) -> Actor | None:
    """Return who offers agents and prompts to everybody: the actor, or for the command line an administrator."""
    if actor.user_id != SYSTEM.user_id:
        return actor
    # rights: the command line acts for the administrator who has been here longest
    first = select(User).where(User.role == Role.ADMIN, User.is_active).order_by(User.created_at, User.id).limit(1)
    found = await session.scalar(first)
    return None if found is None else Actor(found.id, found.name, found.role)


def _own_first(found: Sequence[T]) -> T | None:
    """Return the one that is the actor's own, else any; None when there is none."""
    return max(found, key=lambda one: one.is_mine, default=None)


def _offers(owner: Actor | None, known: Offered | None) -> Actor:
    """Return who is to change what everybody is offered. Raises `InvalidInput` when that is somebody else's."""
    if owner is None:
        raise InvalidInput("It needs an administrator to belong to. Add one first.")
    if known is not None and not known.is_mine:
        raise InvalidInput("Another administrator offers it here, and may change it. Take it out, or rename it.")
    return owner


def _difference(before: BaseModel | None, after: BaseModel) -> dict[str, Any]:
    """Return what differs, by field. Models are compared on their own."""
    was = {} if before is None else before.model_dump(exclude={"models"})
    return dict(audit.difference(was, after.model_dump(exclude={"models"})))
