"""What a configuration file says of who may what: deployments, teams, quotas, limits, filters, issuers, Auto models.

People are named by their usernames, and teams and models by their names: ids are of one database alone. Secrets of
issuers never leave; a file says only that there is one.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from llm_ui.db import ReadSession
from llm_ui.kit.ids import ModelId, ProviderId, TeamId
from llm_ui.models import (
    Balancing,
    FilterAction,
    FilterKind,
    LimitAction,
    LimitKind,
    LimitScope,
    QuotaKind,
    QuotaScope,
    Role,
    TeamRole,
)
from llm_ui.services import autos, deployments, filters, issuers, limits, listing, quotas, team_list
from llm_ui.services.access import Actor
from llm_ui.services.ai_models import ModelInfo
from llm_ui.services.auto_rules import When
from llm_ui.services.autos import AutoInfo
from llm_ui.services.deployments import Deployment
from llm_ui.services.issuers import EMAIL_CLAIM, GROUPS_CLAIM, NAME_CLAIM, SCOPES, IssuerInfo
from llm_ui.services.limits import LimitInfo
from llm_ui.services.listing import Asked
from llm_ui.services.providers import ProviderInfo
from llm_ui.services.team_details import TeamDetails, details
from llm_ui.services.team_list import ListedTeam

IN_FILES = (LimitScope.PLATFORM, LimitScope.TEAM, LimitScope.MODEL)
"""Limits of people and of keys are of one workspace alone."""
PAGE = 100


class Part(BaseModel):
    """Something in a file."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelName(Part):
    """A model, named by its provider's name and its own."""

    provider: str
    model: str

    def __str__(self) -> str:
        return f"{self.provider}: {self.model}"


class DeploymentPart(Part):
    """How a model serves beside others."""

    model: ModelName
    serves: ModelName | None = None
    weight: int = 1
    balancing: Balancing = Balancing.WEIGHT


class FilterPart(Part):
    """A safety filter of the workspace or of a team."""

    kind: FilterKind
    on_input: FilterAction
    on_output: FilterAction
    types: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    provider: str = ""
    """Whose moderation endpoint is asked."""
    model: str = ""
    fails_closed: bool = False


class TeamPart(Part):
    """A team. What the file leaves out of one that is here stays."""

    name: str
    instructions: str = ""
    models: tuple[ModelName, ...] = ()
    """Those that are kept for it."""
    month_usd: Decimal | None = None
    owners: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    """Besides the owners; those whom a group of an issuer brings are not named."""
    quotas: dict[QuotaKind, int] = {}
    filters: tuple[FilterPart, ...] = ()


class LimitPart(Part):
    """A limit of everybody, a team or a model; of money in cents."""

    scope: LimitScope
    team: str = ""
    model: ModelName | None = None
    kind: LimitKind
    amount: int
    action: LimitAction


class IssuerPart(Part):
    """Through whom people sign in, without the secret. Lists are separated by commas, as on its page."""

    name: str
    address: str
    client_id: str
    has_secret: bool = False
    is_active: bool = True
    scopes: str = SCOPES
    name_claim: str = NAME_CLAIM
    email_claim: str = EMAIL_CLAIM
    groups_claim: str = GROUPS_CLAIM
    domains: str = ""
    groups: str = ""
    admin_groups: str = ""
    operator_groups: str = ""
    team_groups: str = ""
    makes_accounts: bool = False
    is_private: bool = False


class AutoRulePart(Part):
    """Where it holds, this model is asked."""

    when: When
    value: str = ""
    team: str = ""
    """Whose members ask, in the place of a value."""
    model: ModelName


class AutoPart(Part):
    """An *Auto* model: what it picks among, and how."""

    name: str
    description: str = ""
    is_enabled: bool = True
    models: tuple[ModelName, ...]
    rules: tuple[AutoRulePart, ...] = ()
    goodness: int = 50
    speed: int = 0


class RuleParts(Part):
    """All of it."""

    llm_ui_configuration: Literal[1] = 1
    """The version of the format."""
    deployments: tuple[DeploymentPart, ...] = ()
    teams: tuple[TeamPart, ...] = ()
    role_quotas: dict[Role, dict[QuotaKind, int]] = {}
    filters: tuple[FilterPart, ...] = ()
    limits: tuple[LimitPart, ...] = ()
    issuers: tuple[IssuerPart, ...] = ()
    autos: tuple[AutoPart, ...] = ()


class Names:
    """What models, providers and teams are called here, both ways; models and teams that come in are added."""

    def __init__(self, models: tuple[ModelInfo, ...], providers: tuple[ProviderInfo, ...]) -> None:
        self.models = {(one.provider_name.casefold(), one.name): one.id for one in models}
        self.providers = {one.name.casefold(): one.id for one in providers}
        self.teams: dict[str, TeamId] = {}
        self._model_names = {one.id: ModelName(provider=one.provider_name, model=one.name) for one in models}
        self._provider_names = {one.id: one.name for one in providers}

    def model(self, model_id: ModelId) -> ModelName | None:
        """Return a model's name; None where it is gone."""
        return self._model_names.get(model_id)

    def provider(self, provider_id: ProviderId | None) -> str:
        """Return a provider's name; empty where there is none."""
        return "" if provider_id is None else self._provider_names.get(provider_id, "")


async def read_rules(session: ReadSession, actor: Actor, names: Names) -> RuleParts:
    """Return what there is. The caller has asked for rights, and the actor is an administrator."""
    roles = (await quotas.list_of_roles(session, actor)).of_roles
    return RuleParts(
        deployments=await _deployments(session, actor, names),
        teams=tuple([await team_part(session, actor, names, one) for one in await teams_here(session, actor)]),
        role_quotas={role: _in_order(held) for role, held in roles.items() if held},
        filters=await filter_parts(session, actor, names, None),
        limits=tuple(
            part for one in await limits.list_limits(session, actor) if (part := limit_part(one, names)) is not None
        ),
        issuers=tuple(map(issuer_part, await issuers.list_issuers(session, actor))),
        autos=tuple((await autos_here(session, actor, names)).values()),
    )


async def teams_here(session: ReadSession, actor: Actor) -> tuple[TeamDetails, ...]:
    """Return all teams by name."""
    asked = Asked(sort="name", size=PAGE)
    rows, found = team_list.rows(actor, asked), list[ListedTeam]()
    page = await listing.find(session, rows, asked)
    found.extend(page.items)
    while len(found) < page.total and page.items:
        page = await listing.find(session, rows, Asked(sort="name", size=PAGE, page=page.page + 1))
        found.extend(page.items)
    return tuple([await details(session, actor, one.id) for one in found])


async def team_part(session: ReadSession, actor: Actor, names: Names, known: TeamDetails) -> TeamPart:
    """Return a team as a file says it."""
    by_hand = [one for one in known.members if not one.issuer_name]
    kept = [found for one in known.models if (found := names.model(one.id)) is not None]
    return TeamPart(
        name=known.team.name,
        instructions=known.team.instructions,
        models=tuple(sorted(kept, key=str)),
        month_usd=None if known.budget is None else known.budget.amount_usd,
        owners=tuple(sorted(one.name for one in by_hand if one.role is TeamRole.OWNER)),
        members=tuple(sorted(one.name for one in by_hand if one.role is TeamRole.MEMBER)),
        quotas=_in_order(await quotas.read_quotas(session, actor, QuotaScope.TEAM, str(known.team.id))),
        filters=await filter_parts(session, actor, names, known.team.id),
    )


async def filter_parts(
    session: ReadSession, actor: Actor, names: Names, team_id: TeamId | None
) -> tuple[FilterPart, ...]:
    """Return what the workspace or a team has set of filters."""
    found = await filters.list_rules(session, actor, team_id)
    return tuple(filter_part(one, names) for one in found if one != filters.Rule(one.kind))


def filter_part(rule: filters.Rule, names: Names) -> FilterPart:
    """Return a filter as a file says it."""
    own = rule.options
    return FilterPart(
        kind=rule.kind, on_input=rule.on_input, on_output=rule.on_output, types=tuple(sorted(own.types)),
        terms=own.terms, provider=names.provider(own.provider_id), model=own.model, fails_closed=own.fails_closed,
    )  # fmt: skip


def limit_part(one: LimitInfo, names: Names) -> LimitPart | None:
    """Return a limit as a file says it; None for one that no file holds."""
    if one.scope not in IN_FILES or not one.name:
        return None
    model = names.model(ModelId(one.scope_id)) if one.scope is LimitScope.MODEL else None
    if one.scope is LimitScope.MODEL and model is None:
        return None
    team = one.name if one.scope is LimitScope.TEAM else ""
    return LimitPart(scope=one.scope, team=team, model=model, kind=one.kind, amount=one.amount, action=one.action)


def issuer_part(one: IssuerInfo) -> IssuerPart:
    """Return an issuer as a file says it."""
    told: dict[str, Any] = {
        name: getattr(one.filled, name)
        for name in IssuerPart.model_fields if name not in ("address", "has_secret", "is_active")
    }  # fmt: skip
    return IssuerPart(address=one.address, has_secret=one.has_secret, is_active=one.is_active, **told)


async def autos_here(session: ReadSession, actor: Actor, names: Names) -> dict[ModelId, AutoPart]:
    """Return all *Auto* models as a file says them. What is gone of what they name is left out."""
    teams = {str(team_id): name for team_id, name in await autos.teams(session, actor)}
    return {one.id: _auto_part(one, names, teams) for one in await autos.list_autos(session, actor)}


def _auto_part(one: AutoInfo, names: Names, teams: Mapping[str, str]) -> AutoPart:
    rules = []
    for rule in one.settings.rules:
        model, of_team = names.model(rule.model_id), rule.when is When.TEAM
        if model is not None and (not of_team or rule.value in teams):
            team, value = (teams[rule.value], "") if of_team else ("", rule.value)
            rules.append(AutoRulePart(when=rule.when, value=value, team=team, model=model))
    return AutoPart(
        name=one.display_name, description=one.description, is_enabled=one.is_enabled,
        models=tuple(name for each in one.settings.candidates if (name := names.model(each)) is not None),
        rules=tuple(rules), goodness=one.settings.goodness, speed=one.settings.speed,
    )  # fmt: skip


async def _deployments(session: ReadSession, actor: Actor, names: Names) -> tuple[DeploymentPart, ...]:
    found = []
    for model_id in names.models.values():
        held, name = await deployments.get_deployment(session, actor, model_id), names.model(model_id)
        if held != Deployment() and name is not None:
            serves = None if held.serves_id is None else names.model(held.serves_id)
            found.append(DeploymentPart(model=name, serves=serves, weight=held.weight, balancing=held.balancing))
    return tuple(found)


def _in_order(held: Any) -> dict[QuotaKind, int]:
    return {kind: held[kind] for kind in QuotaKind if kind in held}
