"""What the page of one account shows and what an administrator can do to it."""

from uuid import UUID

import param

from llm_ui.admin.person.forms import DELETE, HOLD, LINK, ROLE
from llm_ui.admin.quotas import LIMITS, LimitedState
from llm_ui.admin.state import action, required
from llm_ui.admin.users.state import chosen_role
from llm_ui.errors import InvalidInput, NotFound
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import instant
from llm_ui.kit.ids import SessionId, UserId
from llm_ui.models import QuotaScope
from llm_ui.services import account_links, departures, holds, second_factor, users
from llm_ui.services.access import Actor
from llm_ui.services.account_links import NewLink
from llm_ui.services.departures import Fate
from llm_ui.services.holds import HoldInfo
from llm_ui.services.sign_in import TimeOuts
from llm_ui.services.user_details import UserDetails, details
from llm_ui.ui.page import PageContext


class PersonState(LimitedState):
    """One account."""

    known = param.Parameter(doc="What is known of the account, or None.")
    role = param.String(default="", doc="The role that is chosen.")
    fate = param.String(default=Fate.ANONYMISE.value, doc="What becomes of the data of who is deleted.")
    heir = param.String(default="", doc="Name of whoever takes over the projects.")
    hold = param.ClassSelector(class_=HoldInfo, default=None, allow_None=True, doc="The legal hold that lasts.")
    reason = param.String(default="", doc="Why there is to be a hold.")
    typed = param.String(default="", doc="The name, typed to confirm that the account is to be deleted.")
    link = param.String(default="", doc="The link that was just made.")
    link_text = param.String(default="", doc="What that link is.")

    fields = ("role", "fate", "heir", "typed", "reason", *LimitedState.limits)

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
            await self.read_limits(actor, QuotaScope.USER, self._user_id)
        known: UserDetails = required(self.known)
        self.param.update(
            role=known.user.role.value, fate=Fate.ANONYMISE.value, heir="", typed="", reason="",
            sheet=sheet if sheet in (ROLE, DELETE, LIMITS, HOLD) else "",
        )  # fmt: skip

    @action
    async def save_role(self, actor: Actor) -> None:
        """Change what the person may do."""
        role = chosen_role(self.role)
        async with self.context.backend.database.writing() as session:
            await users.set_role(session, actor, self._user_id, role)
        self.param.update(sheet="", said=_("It holds from now on; they have to sign in again."))
        await self._reload(actor)

    @action
    async def set_active(self, actor: Actor, *, is_active: bool) -> None:
        """Keep the person out, or let them in again."""
        async with self.context.backend.database.writing() as session:
            await users.set_active(session, actor, self._user_id, is_active=is_active)
        self.said = _("They can sign in again.") if is_active else _("They are kept out, and all their sessions ended.")
        await self._reload(actor)

    @action
    async def end_session(self, actor: Actor, session_id: UUID) -> None:
        """End one of the person's sessions."""
        async with self.context.backend.database.writing() as session:
            await users.end_sessions(session, actor, self._user_id, SessionId(session_id))
        self.said = _("The session has ended.")
        await self._reload(actor)

    @action
    async def end_all(self, actor: Actor) -> None:
        """End all of the person's sessions."""
        async with self.context.backend.database.writing() as session:
            await users.end_sessions(session, actor, self._user_id)
        self.said = _("All their sessions have ended.")
        await self._reload(actor)

    @action
    async def make_link(self, actor: Actor, *, is_invitation: bool) -> None:
        """Make a link with which the person chooses a password."""
        make = account_links.renew_invitation if is_invitation else account_links.offer_reset
        async with self.context.backend.database.writing() as session:
            link = await make(session, actor, self._user_id)
        self._show(link)
        await self._reload(actor)

    @action
    async def reset_second_factor(self, actor: Actor) -> None:
        """Let the person sign in without a second step, until they set it up again."""
        async with self.context.backend.database.writing() as session:
            await second_factor.reset(session, actor, self._user_id)
        self.said = _("They sign in without a second step now. Tell them, and that they should set it up again.")
        await self._reload(actor)

    @action
    async def save_limits(self, actor: Actor) -> None:
        """Set what may be used at most."""
        known: UserDetails = required(self.known)
        await self.write_limits(actor, QuotaScope.USER, self._user_id, known.user.name)
        self.param.update(sheet="", said=_("It holds from now on."))
        await self._reload(actor)

    @action
    async def place_hold(self, actor: Actor) -> None:
        """Let nothing of the person be deleted."""
        async with self.context.backend.database.writing(lock=holds.LOCK) as session:
            await holds.place_on_person(session, actor, self._user_id, self.reason)
        self.param.update(sheet="", said=_("Nothing of theirs is deleted until the hold is lifted."))
        await self._reload(actor)

    @action
    async def lift_hold(self, actor: Actor) -> None:
        """End the hold."""
        async with self.context.backend.database.writing() as session:
            await holds.lift(session, actor, required(self.hold).id)
        self.said = _("The legal hold is lifted.")
        await self._reload(actor)

    @action
    async def delete(self, actor: Actor) -> None:
        """Delete the account, once its name was typed."""
        known: UserDetails = required(self.known)
        if self.typed.strip() != known.user.name:
            raise InvalidInput("Type the name exactly as it is written to confirm.")
        if self.fate not in set(Fate):
            raise InvalidInput("Choose what becomes of the data.")
        fate = Fate(self.fate)
        async with self.context.backend.database.writing() as session:
            heir = await users.find_person(session, actor, self.heir) if fate is Fate.HAND_OVER else None
            await departures.remove(session, actor, known.user.id, fate, None if heir is None else heir.id)
        self.param.update(sheet="", known=None, said=_("{name} is deleted.").format(name=known.user.name))

    @property
    def _user_id(self) -> UserId:
        try:
            return UserId(UUID(self._named))
        except ValueError:
            raise NotFound("This account does not exist any more. Reload the list.") from None

    async def _reload(self, actor: Actor) -> None:
        time_outs = TimeOuts.of(self.context.backend.config)
        async with self.context.backend.database.reading() as session:
            known = await details(session, actor, self._user_id, time_outs)
            hold = await holds.on_person(session, actor, self._user_id)
        self.param.update(known=known, hold=hold)

    def _show(self, link: NewLink) -> None:
        text = _("It works once, until {at}. It is shown only now.").format(at=instant(link.expires_at))
        origin = self.context.backend.config.public_origin
        self.param.update(sheet=LINK, link=f"{origin}{link.path}", link_text=text)
