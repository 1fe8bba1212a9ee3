"""*Auto* models: what administrators make of them, and what they go by when they pick."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from sqlalchemy import case, func, select

from llm_ui.db import ReadSession, Session
from llm_ui.errors import Conflict, InvalidInput, NotFound
from llm_ui.kit.clock import now
from llm_ui.kit.ids import ChatId, MessageId, ModelId, ProviderId, TeamId, uuid7
from llm_ui.kit.text import one_line, storable
from llm_ui.models import (
    AiModel,
    AiProvider,
    AiType,
    AutoModel,
    ChatMessage,
    MessageFeedback,
    MessageRole,
    ProviderKind,
    Rating,
    Run,
    Team,
)
from llm_ui.services import audit
from llm_ui.services.access import Actor, Permission, readable, require
from llm_ui.services.ai_models import refuse_default
from llm_ui.services.attachments import AttachmentInfo, attachments_of
from llm_ui.services.auto_abilities import can
from llm_ui.services.auto_rules import AutoSettings, Rule, checked, settings_of, stored

PROVIDER_NAME = "Auto"
MAX_CANDIDATES = 20
MAX_RULES = 4
MAX_NAME_CHARS = 80
MAX_DESCRIPTION_CHARS = 500
RATED_SINCE = timedelta(days=90)
"""Older ratings are of what a model was then."""


@dataclass(frozen=True, slots=True)
class AutoInfo:
    """An *Auto* model, for administrators."""

    id: ModelId
    name: str
    """By which scripts ask for it."""
    display_name: str
    description: str
    is_enabled: bool
    settings: AutoSettings
    candidates: tuple[str, ...]
    """The names of those that are there."""


@dataclass(frozen=True, slots=True)
class AutoChange:
    """What an administrator sets."""

    display_name: str
    description: str
    settings: AutoSettings


@dataclass(frozen=True, slots=True)
class Before:
    """What was asked and answered in a chat before."""

    model_id: ModelId | None = None
    """Whom an *Auto* model has picked last; None: none has."""
    text: str = ""
    files: tuple[AttachmentInfo, ...] = ()
    """Of the question that is asked again."""


async def list_autos(session: ReadSession, actor: Actor) -> tuple[AutoInfo, ...]:
    """Return all *Auto* models, by name."""
    require(actor, Permission.MANAGE_PROVIDERS)
    query = readable(AiModel, actor).join(AutoModel, AutoModel.model_id == AiModel.id).add_columns(AutoModel)
    rows = (await session.execute(query.order_by(func.lower(AiModel.display_name), AiModel.id))).all()
    named = dict(
        (await session.execute(readable(AiModel, actor).with_only_columns(AiModel.id, AiModel.display_name))).all()
    )
    return tuple(
        AutoInfo(
            id=model.id,
            name=model.name,
            display_name=model.display_name,
            description=auto.description,
            is_enabled=model.is_enabled,
            settings=(settings := settings_of(auto)),
            candidates=tuple(named[one] for one in settings.candidates if one in named),
        )
        for model, auto in rows
    )


async def teams(session: ReadSession, actor: Actor) -> tuple[tuple[TeamId, str], ...]:
    """Return the teams that rules may name, by name."""
    require(actor, Permission.MANAGE_PROVIDERS)
    query = readable(Team, actor).with_only_columns(Team.id, Team.name).order_by(Team.name_key)
    return tuple((team_id, name) for team_id, name in await session.execute(query))


async def add_auto(session: Session, actor: Actor, new: AutoChange) -> ModelId:
    """Add one, enabled, for everybody. Raises `InvalidInput` and `Conflict`."""
    require(actor, Permission.MANAGE_PROVIDERS)
    display_name, description, settings, able = await _checked(session, actor, new)
    provider_id = await _provider(session, actor)
    name = re.sub(r"[^a-z0-9]+", "-", display_name.lower()).strip("-") or "auto"
    # rights: asked above; the row of one that was deleted still has its name
    known = set(await session.scalars(select(AiModel.name).where(AiModel.provider_id == provider_id)))
    names = (name, *(f"{name}-{number}" for number in range(2, 1000)))
    row = AiModel(id=ModelId(uuid7()), provider_id=provider_id, display_name=display_name, is_enabled=True)
    row.name = next(one for one in names if one not in known)
    can(row, able)
    session.add(row)
    await session.flush()
    session.add(
        AutoModel(
            model_id=row.id, description=description, candidates=[str(one) for one in settings.candidates],
            rules=stored(settings.rules), goodness=settings.goodness, speed=settings.speed,
        )
    )  # fmt: skip
    await session.flush()
    await audit.record(
        session,
        actor,
        "auto.added",
        row.display_name,
        target_id=row.id,
        models=one_line(", ".join(one.name for one in able), 500),
        goodness=settings.goodness,
        speed=settings.speed,
    )
    return row.id


async def change_auto(session: Session, actor: Actor, auto_id: ModelId, change: AutoChange) -> None:
    """Set what it picks among and how. Raises `InvalidInput`, `Conflict` and `NotFound`."""
    require(actor, Permission.MANAGE_PROVIDERS)
    row, auto = await _rows(session, actor, auto_id)
    display_name, description, settings, able = await _checked(session, actor, change, own_id=auto_id)
    before = {
        **audit.fields(row, "display_name"),
        **audit.fields(auto, "description", "candidates", "rules", "goodness", "speed"),
    }
    row.display_name, auto.description = display_name, description
    auto.candidates, auto.rules = [str(one) for one in settings.candidates], stored(settings.rules)
    auto.goodness, auto.speed = settings.goodness, settings.speed
    can(row, able)
    after = {
        **audit.fields(row, "display_name"),
        **audit.fields(auto, "description", "candidates", "rules", "goodness", "speed"),
    }
    if changes := audit.difference(before, after):
        await audit.record(session, actor, "auto.changed", row.display_name, target_id=row.id, changes=changes)


async def delete_auto(session: Session, actor: Actor, auto_id: ModelId) -> None:
    """Take it off the lists. Chats that were with it stay. Raises `InvalidInput` for the default model."""
    require(actor, Permission.MANAGE_PROVIDERS)
    row, _ = await _rows(session, actor, auto_id)
    await refuse_default(session, row)
    row.deleted_at = now()
    await audit.record(session, actor, "auto.deleted", row.display_name, target_id=row.id)


async def ratings_of(session: ReadSession, ids: Collection[ModelId]) -> dict[ModelId, tuple[int, int]]:
    """Return how many good and bad ratings answers of models have had of late."""
    good, bad = (func.sum(case((MessageFeedback.rating == one.value, 1), else_=0)) for one in (Rating.UP, Rating.DOWN))
    # rights: sums over everybody, from which a model is picked; nobody is told more than a share
    query = select(Run.model_id, good, bad).join(MessageFeedback, MessageFeedback.message_id == Run.answer_id)
    query = query.where(Run.model_id.in_(ids), MessageFeedback.created_at >= now() - RATED_SINCE)
    rows = await session.execute(query.group_by(Run.model_id))
    return {model_id: (int(up), int(down)) for model_id, up, down in rows if model_id is not None}


async def answered_before(session: ReadSession, actor: Actor, chat_id: ChatId, again: UUID | None = None) -> Before:
    """Return whom an *Auto* model has picked in a chat last, and the question of an answer that is made again."""
    last = readable(Run, actor).where(Run.chat_id == chat_id, Run.auto_name != "")
    picked = last.with_only_columns(Run.manifest["auto"]["model_id"].as_string())
    model_id = await session.scalar(picked.order_by(Run.created_at.desc(), Run.id.desc()).limit(1))
    before = Before(ModelId(UUID(model_id)) if model_id else None)
    if again is None:
        return before
    messages = readable(ChatMessage, actor).where(ChatMessage.chat_id == chat_id)
    asked = messages.where(ChatMessage.id == MessageId(again)).with_only_columns(ChatMessage.parent_id)
    question = await session.scalar(
        messages.where(ChatMessage.id == asked.scalar_subquery(), ChatMessage.role == MessageRole.USER)
    )
    if question is None:
        return before
    files = await attachments_of(session, [question.id])
    return replace(before, text=question.text, files=files.get(question.id, ()))


async def _checked(
    session: ReadSession, actor: Actor, change: AutoChange, own_id: ModelId | None = None
) -> tuple[str, str, AutoSettings, Sequence[AiModel]]:
    """Return what is to be set, in one form, with the candidates' rows. Raises `InvalidInput` and `Conflict`."""
    name = one_line(change.display_name, MAX_NAME_CHARS)
    if not name:
        raise InvalidInput("Give it a name, so that people find it.")
    taken = readable(AiModel, actor).join(AutoModel, AutoModel.model_id == AiModel.id)
    taken = taken.where(func.lower(AiModel.display_name) == name.lower()).with_only_columns(AiModel.id)
    if set(await session.scalars(taken)) - {own_id}:
        raise Conflict("There is an Auto model of that name already. Choose another name.")
    wanted = change.settings
    ids = tuple(dict.fromkeys(wanted.candidates))
    if not 1 < len(ids) <= MAX_CANDIDATES:
        raise InvalidInput("Choose from 2 to {most} models that it picks among.", most=MAX_CANDIDATES)
    query = readable(AiModel, actor).join(AiProvider, AiProvider.id == AiModel.provider_id)
    query = query.where(AiModel.id.in_(ids), ~AiModel.makes_embeddings, AiProvider.kind != ProviderKind.AUTO)
    able = list(await session.scalars(query))
    if len(able) < len(ids):
        raise InvalidInput("One of these models is gone, or makes no answers itself. Reload the page.")
    if len(wanted.rules) > MAX_RULES:
        raise InvalidInput("At most {most} rules hold for one. Remove some.", most=MAX_RULES)
    rules: tuple[Rule, ...] = tuple(checked(rule, ids) for rule in wanted.rules)
    if not (0 <= wanted.goodness <= 100 and 0 <= wanted.speed <= 100):
        raise InvalidInput("A weight is from 0 to 100.")
    description = storable(change.description).strip()[:MAX_DESCRIPTION_CHARS]
    return name, description, replace(wanted, candidates=ids, rules=rules), able


async def _provider(session: Session, actor: Actor) -> ProviderId:
    """Return what holds *Auto* models: there is one, made with the first of them."""
    # rights: asked by the caller; it is in no list of providers
    held = select(AiProvider.id).where(AiProvider.kind == ProviderKind.AUTO, AiProvider.deleted_at.is_(None))
    if (known := await session.scalar(held.limit(1))) is not None:
        return known
    if await session.get(AiType, ProviderKind.AUTO) is None:
        session.add(AiType(kind=ProviderKind.AUTO, name="Auto", description="", default_url="", needs_key=False))
        await session.flush()
    query = readable(AiProvider, actor).with_only_columns(AiProvider.name_key)
    taken = set(await session.scalars(query))
    name = PROVIDER_NAME if PROVIDER_NAME.casefold() not in taken else f"{PROVIDER_NAME} models"
    row = AiProvider(id=ProviderId(uuid7()), kind=ProviderKind.AUTO, name=name, name_key=name.casefold(), base_url="")
    session.add(row)
    await session.flush()
    return row.id


async def _rows(session: Session, actor: Actor, auto_id: ModelId) -> tuple[AiModel, AutoModel]:
    query = readable(AiModel, actor).join(AutoModel, AutoModel.model_id == AiModel.id).add_columns(AutoModel)
    query = query.where(AiModel.id == auto_id).with_for_update(of=AiModel)
    found = (await session.execute(query.execution_options(populate_existing=True))).one_or_none()
    if found is None:
        raise NotFound("This Auto model does not exist any more. Reload the list.")
    return found.AiModel, found.AutoModel
