"""What the page of one team shows, and what its owners and administrators can do on it."""

from decimal import Decimal, InvalidOperation
from uuid import UUID

import param

from llm_ui.admin.filtering import FilteringState
from llm_ui.admin.quotas import LIMITS, LimitedState
from llm_ui.admin.state import action, required
from llm_ui.admin.team.forms import ACCOUNT, ADD, BUDGET, DELETE, END_ACCOUNT, MODELS, RENAME
from llm_ui.errors import InvalidInput, NotFound
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.ids import ModelId, TeamId, UserId
from llm_ui.models import QuotaScope, TeamRole
from llm_ui.services import budgets, service_accounts, team_members, team_models, teams
from llm_ui.services.access import Actor
from llm_ui.services.service_accounts import AccountInfo
from llm_ui.services.team_details import TeamDetails, details
from llm_ui.ui.page import PageContext


class TeamState(LimitedState, FilteringState):
    """One team."""

    known = param.Parameter(doc="What is known of the team, or None.")
    instructions = param.String(default="", doc="What models are told in the chats of its members.")
    account = param.Parameter(doc="The service account that the form is about, or None.")
    account_name = param.String(default="", doc="What a new service account is called in the team.")
    purpose = param.String(default="", doc="What it is for.")
    email = param.String(default="", doc="E-mail address of whoever is added.")
    role = param.String(default=TeamRole.MEMBER.value, doc="Role of whoever is added.")
    title = param.String(default="", doc="The name that the team gets.")
    offered = param.Parameter(default=(), doc="All models, while it is chosen which of them are kept.")
    models = param.List(default=[], item_type=str, doc="Ids of the models that are chosen.")
    budget = param.String(default="", doc="Dollars that the team may spend in a month; empty: as much as it takes.")
    typed = param.String(default="", doc="The name, typed to confirm that the team is to be deleted.")

    fields = (
        "email", "role", "title", "models", "budget", "typed", "account_name", "purpose", *LimitedState.limits,
        *FilteringState.filtering,
    )  # fmt: skip

    def __init__(self, context: PageContext, named: str) -> None:
        super().__init__(context)
        self._named = named

    @action
    async def load(self, actor: Actor) -> None:
        """Read what is known."""
        await self._reload(actor)

    @action
    async def open_form(self, actor: Actor, sheet: str) -> None:
        """Open a form, with what holds now."""
        await self._reload(actor)
        if sheet == LIMITS:
            await self.read_limits(actor, QuotaScope.TEAM, self._team_id)
        known: TeamDetails = required(self.known)
        if sheet == MODELS:
            async with self.context.backend.database.reading() as session:
                self.offered = await team_models.list_all(session, actor, known.team.id)
        self.param.update(
            sheet=sheet if sheet in (ADD, ACCOUNT, MODELS, BUDGET, RENAME, DELETE, LIMITS) else "", email="",
            account_name="", purpose="",
            role=TeamRole.MEMBER.value, title=known.team.name, models=[str(one.id) for one in known.models], typed="",
            budget="" if known.budget is None else f"{known.budget.amount_usd:.2f}",
        )  # fmt: skip

    @action
    async def add(self, actor: Actor) -> None:
        """Take somebody into the team."""
        if self.role not in set(TeamRole):
            raise InvalidInput("Choose a role.")
        async with self.context.backend.database.writing() as session:
            await team_members.add(session, actor, self._team_id, self.email, TeamRole(self.role))
        self.param.update(sheet="", said=_("They are in the team now."))
        await self._reload(actor)

    @action
    async def change_role(self, actor: Actor, user_id: UUID, *, is_owner: bool) -> None:
        """Make a member an owner, or an owner a member."""
        role = TeamRole.OWNER if is_owner else TeamRole.MEMBER
        async with self.context.backend.database.writing() as session:
            await team_members.change_role(session, actor, self._team_id, UserId(user_id), role)
        self.said = _("It holds from now on.")
        await self._reload(actor)

    @action
    async def remove(self, actor: Actor, user_id: UUID) -> None:
        """Take somebody out of the team, or leave it."""
        async with self.context.backend.database.writing() as session:
            await team_members.remove(session, actor, self._team_id, UserId(user_id))
        self.said = _("What they had through the team has ended.")
        await self._show_if_there(actor)

    @action
    async def add_account(self, actor: Actor) -> None:
        """Give the team a service account."""
        async with self.context.backend.database.writing() as session:
            await service_accounts.create(session, actor, self._team_id, self.account_name, self.purpose)
        self.param.update(sheet="", said=_("The service account is there. Make keys for it behind its name."))
        await self._reload(actor)

    @action
    async def switch_account(self, actor: Actor, account_id: UUID, *, is_active: bool) -> None:
        """Switch a service account off, or on again."""
        async with self.context.backend.database.writing() as session:
            await service_accounts.set_active(session, actor, UserId(account_id), is_active=is_active)
        off = _("It is switched off. What was being answered with its keys ends within a second.")
        self.said = _("It holds from now on.") if is_active else off
        await self._reload(actor)

    @action
    async def open_account(self, actor: Actor, account_id: UUID) -> None:
        """Open the form that asks before a service account is deleted."""
        async with self.context.backend.database.reading() as session:
            account = await service_accounts.read(session, actor, UserId(account_id))
        self.param.update(account=account, typed="", sheet=END_ACCOUNT)

    @action
    async def end_account(self, actor: Actor) -> None:
        """Delete a service account, once its name was typed."""
        account: AccountInfo = required(self.account)
        if self.typed.strip() != account.name:
            raise InvalidInput("Type the name exactly as it is written to confirm.")
        async with self.context.backend.database.writing() as session:
            await service_accounts.remove(session, actor, account.id)
        self.param.update(sheet="", account=None, said=_("{name} is deleted.").format(name=account.name))
        await self._reload(actor)

    @action
    async def instruct(self, actor: Actor) -> None:
        """Have models told something in all chats of the members."""
        async with self.context.backend.database.writing() as session:
            await teams.instruct(session, actor, self._team_id, self.instructions)
        self.said = _("Models are told so from the next answer on.")
        await self._reload(actor)

    @action
    async def keep(self, actor: Actor) -> None:
        """Keep the chosen models for the team."""
        chosen = [ModelId(one.id) for one in self.offered if str(one.id) in self.models]
        async with self.context.backend.database.writing() as session:
            await team_models.keep(session, actor, self._team_id, chosen)
        self.param.update(sheet="", said=_("It holds from now on."))
        await self._reload(actor)

    @action
    async def set_budget(self, actor: Actor) -> None:
        """Let the team spend no more than an amount each month."""
        amount = None if not self.budget.strip() else _dollars(self.budget)
        async with self.context.backend.database.writing() as session:
            await budgets.set_of_team(session, actor, self._team_id, amount)
        self.param.update(sheet="", said=_("It holds from now on."))
        await self._reload(actor)

    @action
    async def rename(self, actor: Actor) -> None:
        """Give the team another name."""
        async with self.context.backend.database.writing() as session:
            await teams.rename(session, actor, self._team_id, self.title)
        self.param.update(sheet="", said=_("The team has a new name."))
        await self._reload(actor)

    @action
    async def save_limits(self, actor: Actor) -> None:
        """Set what may be used at most."""
        known: TeamDetails = required(self.known)
        await self.write_limits(actor, QuotaScope.TEAM, self._team_id, known.team.name)
        self.param.update(sheet="", said=_("It holds from now on."))
        await self._reload(actor)

    @action
    async def open_filter(self, actor: Actor, row: UUID | None) -> None:
        """Open the form of one of the team's filters."""
        await self._reload(actor)
        self.show_rule(row)

    @action
    async def save_filter(self, actor: Actor) -> None:
        """Set what the form says."""
        await self.write_rule(actor, self._team_id)
        self.param.update(sheet="", said=_("It holds from their next question on."))

    @action
    async def delete(self, actor: Actor) -> None:
        """Delete the team, once its name was typed."""
        known: TeamDetails = required(self.known)
        if self.typed.strip() != known.team.name:
            raise InvalidInput("Type the name exactly as it is written to confirm.")
        async with self.context.backend.database.writing() as session:
            await teams.remove(session, actor, known.team.id)
        self.param.update(sheet="", known=None, said=_("{name} is deleted.").format(name=known.team.name))

    @property
    def _team_id(self) -> TeamId:
        try:
            return TeamId(UUID(self._named))
        except ValueError:
            raise NotFound("This team does not exist any more, or it is not yours. Pick one from the list.") from None

    async def _reload(self, actor: Actor) -> None:
        async with self.context.backend.database.reading() as session:
            known = await details(session, actor, self._team_id)
        if known.may_administer:
            await self.read_rules(actor, self._team_id)
        self.param.update(known=known, instructions=known.team.instructions)

    async def _show_if_there(self, actor: Actor) -> None:
        """Read the team again; whoever has left it sees it no longer."""
        try:
            await self._reload(actor)
        except NotFound:
            self.known = None


def _dollars(typed: str) -> Decimal:
    try:
        amount = Decimal(typed.strip().replace(",", "."))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite():
        raise InvalidInput("Type an amount in dollars, such as 25 or 12.50.")
    return amount
