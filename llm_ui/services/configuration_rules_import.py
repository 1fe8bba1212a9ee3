"""Taking in what a file says of deployments, teams, quotas, limits, filters, issuers and Auto models.

What that is: configuration_rules.py.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

from pydantic import BaseModel

from llm_ui.db import Session
from llm_ui.errors import InvalidInput
from llm_ui.kit.encryption import Sealer
from llm_ui.kit.i18n import to_tell
from llm_ui.kit.ids import IssuerId, ModelId, TeamId, uuid7
from llm_ui.kit.text import name_key
from llm_ui.models import EVERYBODY, LimitScope, QuotaKind, QuotaScope, TeamRole, User
from llm_ui.services import (
    ai_models,
    audit,
    autos,
    budgets,
    deployments,
    filters,
    issuers,
    limits,
    providers,
    quotas,
    team_members,
    team_models,
    teams,
)
from llm_ui.services.access import Actor, readable
from llm_ui.services.auto_rules import AutoSettings, Rule, When
from llm_ui.services.autos import AutoChange
from llm_ui.services.configuration_rules import (
    AutoPart,
    AutoRulePart,
    DeploymentPart,
    FilterPart,
    IssuerPart,
    LimitPart,
    ModelName,
    Names,
    RuleParts,
    TeamPart,
    autos_here,
    filter_part,
    issuer_part,
    limit_part,
    team_part,
    teams_here,
)
from llm_ui.services.deployments import Deployment
from llm_ui.services.filters import Options
from llm_ui.services.issuers import NewIssuer
from llm_ui.services.limits import NewLimit
from llm_ui.services.team_details import TeamDetails

SECRET = to_tell("Its secret is in no file: type it in under Sign-in before people use it.")
NOBODY = to_tell("Without {names}: nobody here is called like this.")
OWNER, MEMBER = TeamRole.OWNER, TeamRole.MEMBER


class Note(Protocol):
    """Does one thing unless it is so already, and notes what became of it."""

    async def __call__(
        self,
        what: str,
        name: str,
        changes: Mapping[str, Any],
        write: Callable[[], Awaitable[None]],
        *,
        is_new: bool,
        hint: str = "",
    ) -> bool:
        """Return whether it was not refused."""


class TakingRules:
    """What a file says of all this, while it is taken in."""

    def __init__(self, session: Session, actor: Actor, sealer: Sealer, names: Names, note: Note) -> None:
        self._session = session
        self._actor = actor
        self._sealer = sealer
        self._names = names
        self._note = note

    async def take(self, wanted: RuleParts) -> None:
        """Take it in; what others name comes first."""
        session, actor = self._session, self._actor
        here = {one.team.name.casefold(): one for one in await teams_here(session, actor)}
        self._names.teams.update({name: one.team.id for name, one in here.items()})
        # Who serves under another's name first: how questions are shared out is said of one that is served.
        for one in sorted(wanted.deployments, key=lambda each: each.serves is None):
            await self._deployment(one)
        for team in wanted.teams:
            await self._team(team, here.get(team.name.casefold()))
        for role, held in wanted.role_quotas.items():
            await self._quotas(QuotaScope.ROLE, role.value, held)
        for rule in wanted.filters:
            await self._filter(rule, None, "")
        for limit in wanted.limits:
            await self._limit(limit)
        for issuer in wanted.issuers:
            await self._issuer(issuer)
        for auto in wanted.autos:
            await self._auto(auto)

    def _model(self, name: ModelName) -> ModelId:
        found = self._names.models.get((name.provider.casefold(), name.model))
        if found is None:
            raise InvalidInput("Its model {name} is not here. Add it, or leave it out.", name=str(name))
        return found

    async def _deployment(self, wanted: DeploymentPart) -> None:
        session, actor = self._session, self._actor
        model_id = self._names.models.get((wanted.model.provider.casefold(), wanted.model.model))
        before: dict[str, Any] = {}
        if model_id is not None:
            held = await deployments.get_deployment(session, actor, model_id)
            serves = None if held.serves_id is None else self._names.model(held.serves_id)
            before = {"serves": serves and str(serves), "weight": held.weight, "balancing": held.balancing}
        after = {"serves": wanted.serves and str(wanted.serves), "weight": wanted.weight, "balancing": wanted.balancing}

        async def write() -> None:
            serves_id = None if wanted.serves is None else self._model(wanted.serves)
            new = Deployment(serves_id, wanted.weight, wanted.balancing)
            await deployments.set_deployment(session, actor, self._model(wanted.model), new)

        changes = audit.difference(before, after)
        await self._note("deployment", str(wanted.model), changes, write, is_new=False)

    async def _team(self, wanted: TeamPart, known: TeamDetails | None) -> None:
        session, actor = self._session, self._actor
        there = TeamPart(name=wanted.name)
        if known is not None:
            there = await team_part(session, actor, self._names, known)
        people = await self._people((*wanted.owners, *wanted.members))
        roles: dict[str, TeamRole] = dict.fromkeys(there.members, MEMBER) | dict.fromkeys(there.owners, OWNER)
        roles |= dict.fromkeys(_known(wanted.members, people), MEMBER)
        roles |= dict.fromkeys(_known(wanted.owners, people), OWNER)
        named = wanted.model_fields_set
        after: dict[str, Any] = {
            "models": sorted({*map(str, there.models), *map(str, wanted.models)}),
            "owners": sorted(name for name, role in roles.items() if role is OWNER),
            "members": sorted(name for name, role in roles.items() if role is MEMBER),
            **{name: getattr(wanted, name) for name in ("instructions", "month_usd") if name in named},
        }
        before = {
            "models": list(map(str, there.models)), "owners": list(there.owners), "members": list(there.members),
            "instructions": there.instructions, "month_usd": there.month_usd,
        }  # fmt: skip
        changes = audit.difference({name: before[name] for name in after}, after)

        async def write() -> None:
            team_id = await teams.begin(session, actor, wanted.name) if known is None else known.team.id
            if "instructions" in changes:
                await teams.instruct(session, actor, team_id, wanted.instructions)
            if "models" in changes:
                chosen = [self._model(one) for one in {*there.models, *wanted.models}]
                await team_models.keep(session, actor, team_id, chosen)
            if "month_usd" in changes:
                await budgets.set_of_team(session, actor, team_id, wanted.month_usd)
            if {"owners", "members"} & changes.keys():
                await self._fill(team_id, roles, people)
            self._names.teams[wanted.name.casefold()] = team_id

        missing = [name for name in (*wanted.owners, *wanted.members) if name_key(name) not in people]
        hint = NOBODY.format(names=", ".join(missing)) if missing else ""
        is_here = await self._note("team", wanted.name, changes, write, is_new=known is None, hint=hint)
        if not is_here:
            return
        team_id = self._names.teams[wanted.name.casefold()]
        if wanted.quotas:
            await self._quotas(QuotaScope.TEAM, wanted.name, wanted.quotas, str(team_id))
        for rule in wanted.filters:
            await self._filter(rule, team_id, wanted.name)

    async def _people(self, names: Sequence[str]) -> dict[str, User]:
        """Return those who have an account that can be signed in to, by the keys of their names."""
        keys = {name_key(name) for name in names}
        found = readable(User, self._actor).where(User.name_key.in_(keys), User.is_active, User.is_service.is_(False))
        return {one.name_key: one for one in await self._session.scalars(found)}

    async def _fill(self, team_id: TeamId, roles: Mapping[str, TeamRole], people: Mapping[str, User]) -> None:
        session, actor = self._session, self._actor
        present = {one.user_id: one.role for one in await team_members.list_members(session, actor, team_id)}
        for name, role in roles.items():
            user = people.get(name_key(name))
            if user is None:
                continue
            if user.id not in present:
                await team_members.add(session, actor, team_id, user.email, role)
            elif present[user.id] is not role:
                await team_members.change_role(session, actor, team_id, user.id, role)

    async def _quotas(
        self, scope: QuotaScope, name: str, wanted: Mapping[QuotaKind, int], scope_id: str | None = None
    ) -> None:
        session, actor, of = self._session, self._actor, scope_id or name
        before = await quotas.read_quotas(session, actor, scope, of)
        # What the file leaves out stays.
        after = {**before, **wanted}

        async def write() -> None:
            await quotas.set_quotas(session, actor, scope, of, name, after)

        changes = audit.difference(_plain(before), _plain(after))
        await self._note("quotas", f"{scope.value} {name}", changes, write, is_new=False)

    async def _filter(self, wanted: FilterPart, team_id: TeamId | None, team: str) -> None:
        session, actor = self._session, self._actor
        held = {one.kind: one for one in await filters.list_rules(session, actor, team_id)}[wanted.kind]
        changes = _difference(filter_part(held, self._names), wanted)

        async def write() -> None:
            provider_id = None
            if wanted.provider:
                provider_id = (await providers.find_by_name(session, actor, wanted.provider)).id
            options = Options(
                frozenset(wanted.types), wanted.terms, provider_id, wanted.model, wanted.fails_closed
            )  # fmt: skip
            rule = filters.Rule(wanted.kind, wanted.on_input, wanted.on_output, options)
            await filters.change(session, actor, rule, team_id)

        name = f"{team}: {wanted.kind.value}" if team else wanted.kind.value
        await self._note("filter", name, changes, write, is_new=False)

    async def _limit(self, wanted: LimitPart) -> None:
        session, actor = self._session, self._actor
        listed = [(one, limit_part(one, self._names)) for one in await limits.list_limits(session, actor)]
        of = (wanted.scope, wanted.team.casefold(), wanted.model, wanted.kind)
        known, there = next(
            (
                (one, part) for one, part in listed
                if part is not None and (part.scope, part.team.casefold(), part.model, part.kind) == of
            ),
            (None, None),
        )  # fmt: skip

        async def write() -> None:
            scope_id = self._subject(wanted)
            new = NewLimit(wanted.scope, scope_id, wanted.kind, wanted.amount, wanted.action)
            await limits.save(session, actor, None if known is None else known.id, new)

        about = {LimitScope.TEAM: wanted.team, LimitScope.MODEL: str(wanted.model)}.get(wanted.scope, "")
        name = " ".join(filter(None, (wanted.scope.value, about, wanted.kind.value)))
        changes = _difference(there, wanted, but={"scope", "team", "model"})
        await self._note("limit", name, changes, write, is_new=known is None)

    def _subject(self, wanted: LimitPart) -> UUID:
        if wanted.scope is LimitScope.PLATFORM:
            return EVERYBODY
        if wanted.scope is LimitScope.MODEL and wanted.model is not None:
            return self._model(wanted.model)
        found = self._names.teams.get(wanted.team.casefold()) if wanted.scope is LimitScope.TEAM else None
        if found is None:
            raise InvalidInput("A limit in a file is of everybody, of a team or of a model that are here. Correct it.")
        return found

    async def _issuer(self, wanted: IssuerPart) -> None:
        session, actor = self._session, self._actor
        listed = await issuers.list_issuers(session, actor)
        known = next((one for one in listed if one.address == wanted.address), None)
        before = None if known is None else issuer_part(known)
        # A secret is in no file, so that there is one here or not is no difference.
        changes = _difference(before, wanted, but={"has_secret"})

        async def write() -> None:
            told = wanted.model_dump(exclude={"has_secret", "is_active"})
            new = NewIssuer(**told)
            if known is None:
                found = await issuers.add(session, actor, self._sealer, IssuerId(uuid7()), new, None)
            else:
                found = known
                if changes.keys() - {"is_active"}:
                    await issuers.change(session, actor, self._sealer, known.id, new, seen=known.updated_at)
            if wanted.is_active != found.is_active:
                await issuers.set_active(session, actor, found.id, is_active=wanted.is_active)

        has_none = wanted.has_secret and not (known is not None and known.has_secret)
        hint = SECRET if has_none else ""
        await self._note("issuer", wanted.name, changes, write, is_new=known is None, hint=hint)

    async def _auto(self, wanted: AutoPart) -> None:
        session, actor = self._session, self._actor
        listed = await autos_here(session, actor, self._names)
        auto_id, there = next(
            ((auto_id, one) for auto_id, one in listed.items() if one.name.casefold() == wanted.name.casefold()),
            (None, None),
        )

        async def write() -> None:
            rules = tuple(Rule(one.when, self._value(one), self._model(one.model)) for one in wanted.rules)
            chosen = AutoSettings(tuple(map(self._model, wanted.models)), rules, wanted.goodness, wanted.speed)
            new, auto = AutoChange(wanted.name, wanted.description, chosen), auto_id
            if auto is None:
                auto = await autos.add_auto(session, actor, new)
            elif changes.keys() - {"is_enabled"}:
                await autos.change_auto(session, actor, auto, new)
            if wanted.is_enabled != (there is None or there.is_enabled):
                await ai_models.set_model_enabled(session, actor, auto, is_enabled=wanted.is_enabled)

        changes = audit.difference({} if there is None else _told(there), _told(wanted))
        await self._note("auto", wanted.name, changes, write, is_new=there is None)

    def _value(self, rule: AutoRulePart) -> str:
        if rule.when is not When.TEAM:
            return rule.value
        found = self._names.teams.get(rule.team.casefold())
        if found is None:
            raise InvalidInput("There is no team named {name} here. Add it, or take the rule out.", name=rule.team)
        return str(found)


def _told(auto: AutoPart) -> dict[str, Any]:
    rules = [f"{one.when.value} {one.value or one.team}".strip() + f": {one.model}" for one in auto.rules]
    return {**auto.model_dump(), "models": list(map(str, auto.models)), "rules": rules}


def _known(names: Sequence[str], people: Mapping[str, User]) -> list[str]:
    return [people[name_key(name)].name for name in names if name_key(name) in people]


def _plain(held: Mapping[QuotaKind, int]) -> dict[str, Any]:
    return {kind.value: amount for kind, amount in held.items()}


def _difference(before: BaseModel | None, after: BaseModel, but: set[str] | None = None) -> dict[str, Any]:
    was = {} if before is None else before.model_dump(exclude=but)
    return dict(audit.difference(was, after.model_dump(exclude=but)))
