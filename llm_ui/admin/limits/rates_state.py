"""What the part about rates and money of the page of limits shows, and what an administrator can do there."""

from decimal import Decimal, InvalidOperation
from uuid import UUID

import param

from llm_ui.admin.state import AdminState, action, required
from llm_ui.errors import InvalidInput, NotFound
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.ids import LimitId
from llm_ui.kit.money import plain
from llm_ui.models import LimitAction, LimitKind, LimitScope
from llm_ui.services import limits
from llm_ui.services.access import Actor
from llm_ui.services.limits import CENTS, PERIODS, LimitInfo, NewLimit

RATE, DELETE, ALL = "rate", "delete", "all"
PERSON, TEAM, MODEL = LimitScope.USER, LimitScope.TEAM, LimitScope.MODEL
"""What a page may be about."""


class RatesState(AdminState):
    """All limits of rates and money, and the form of one: first whose it is, then how much."""

    listed = param.ClassSelector(class_=tuple, default=(), doc="All limits, or those of what it is about.")
    about = param.ClassSelector(
        class_=tuple, default=None, allow_None=True, doc="Whose limits these are: kind and id; None: everything's."
    )
    subject_name = param.String(default="", doc="The name of what it is about.")
    may_change = param.Boolean(default=True, doc="Whether the person may change limits.")
    is_list = param.Boolean(default=False, doc="Whether the limits are listed in a form, to which the others return.")
    subjects = param.ClassSelector(class_=tuple, default=(), doc="What can be limited: of what kind, id and name.")
    chosen = param.ClassSelector(class_=LimitInfo, default=None, allow_None=True, doc="The limit of the form, or None.")
    subject = param.String(default="", doc="Whose it is: what kind of thing, a slash, and its id.")
    kind = param.String(default="requests_minute", doc="What is limited.")
    amount = param.String(default="", doc="How much, as it was typed.")
    leads_to = param.String(default="stop", doc="What happens past it.")

    fields = ("subject", "kind", "amount", "leads_to")

    @action
    async def load(self, actor: Actor) -> None:
        """Read all limits."""
        await self._reload(actor)

    @action
    async def load_of(self, actor: Actor, scope: LimitScope, key: UUID) -> None:
        """Read those of one thing."""
        self.about = (scope, key)
        await self._reload(actor)

    @action
    async def load_of_key(self, actor: Actor, named: str) -> None:
        """Read those of an API key. Raises `NotFound` when there is none."""
        try:
            self.about = (LimitScope.KEY, UUID(named))
        except ValueError:
            raise NotFound("There is no such key. Pick one from the list.") from None
        await self._reload(actor)

    @action
    async def open_of(self, actor: Actor, scope: LimitScope, key: UUID) -> None:
        """Open the list of those of one thing."""
        self.param.update(about=(scope, key), is_list=True)
        await self._reload(actor)
        self.sheet = ALL

    def show(self, listed: tuple[LimitInfo, ...]) -> None:
        """Show limits to somebody who may not change them."""
        self.param.update(listed=listed, may_change=False)

    @action
    async def open_new(self, actor: Actor) -> None:
        """Open an empty form."""
        found = await self._subjects(actor)
        self.param.update(
            subjects=tuple(found), chosen=None, subject=_id(*found[0][:2]), kind="requests_minute", amount="",
            leads_to="stop", sheet=RATE,
        )  # fmt: skip

    @action
    async def open_form(self, actor: Actor, limit_id: UUID) -> None:
        """Open the form of a limit, as it is now."""
        await self._reload(actor)
        found = required(next((one for one in self.listed if one.id == limit_id), None))
        amount = plain(Decimal(found.amount) / CENTS) if found.kind in PERIODS else str(found.amount)
        self.param.update(
            subjects=((found.scope, found.scope_id, found.name),), chosen=found,
            subject=_id(found.scope, found.scope_id), kind=found.kind.value, amount=amount,
            leads_to=found.action.value, sheet=RATE,
        )  # fmt: skip

    @action
    async def save(self, actor: Actor) -> None:
        """Let the limit of the form hold from now on."""
        known = {_id(scope, key): (scope, key) for scope, key, _name in self.subjects}
        if self.subject not in known or self.kind not in set(LimitKind) or self.leads_to not in set(LimitAction):
            raise InvalidInput("Choose what is limited, and what happens then.")
        held, kind = self.chosen, LimitKind(self.kind)
        if held is not None:
            kind = held.kind
        new = NewLimit(*known[self.subject], kind, _amount(self.amount, kind), LimitAction(self.leads_to))
        async with self.context.backend.database.writing() as session:
            await limits.save(session, actor, None if held is None else held.id, new)
        self.param.update(sheet=self._before, said=_("It holds from the next question on."))
        await self._reload(actor)

    def ask_delete(self) -> None:
        """Ask whether the limit is to go."""
        self.param.update(sheet=DELETE, error="")

    @action
    async def delete(self, actor: Actor) -> None:
        """Take the limit of the form away."""
        async with self.context.backend.database.writing() as session:
            await limits.remove(session, actor, LimitId(required(self.chosen).id))
        self.param.update(sheet=self._before, said=_("The limit is gone."))
        await self._reload(actor)

    def close(self) -> None:
        """Close the form; those of a list lead back to it."""
        self.param.update(sheet="" if self.sheet == ALL else self._before, error="", said="")

    @property
    def _before(self) -> str:
        return ALL if self.is_list else ""

    async def _subjects(self, actor: Actor) -> list[tuple[LimitScope, UUID, str]]:
        if self.about is not None:
            await self._reload(actor)
            return [(*self.about, self.subject_name)]
        async with self.context.backend.database.reading() as session:
            return [
                (scope, key, name)
                for scope in LimitScope
                for key, name in await limits.list_subjects(session, actor, scope)
            ]

    async def _reload(self, actor: Actor) -> None:
        async with self.context.backend.database.reading() as session:
            if self.about is None:
                self.listed = await limits.list_limits(session, actor)
                return
            listed = await limits.list_of(session, actor, *self.about)
            self.param.update(listed=listed, subject_name=await limits.name_of(session, *self.about))


def _id(scope: LimitScope, key: UUID) -> str:
    return f"{scope.value}/{key}"


def _amount(typed: str, kind: LimitKind) -> int:
    """Return what was typed: cents for dollars, else a whole number. Raises `InvalidInput`."""
    try:
        amount = Decimal(typed.strip().replace(",", ".")) * (CENTS if kind in PERIODS else 1)
        whole = int(amount)
    except (InvalidOperation, ValueError, OverflowError):
        whole, amount = 0, Decimal(1)
    if whole != amount:
        raise InvalidInput("Write a number: whole ones for requests, tokens and answers, dollars as 2.50.")
    return whole
