"""What the users page shows and what an administrator can do on it."""

import asyncio
from uuid import UUID

import param

from llm_ui.admin.listing.state import ListState
from llm_ui.admin.state import action
from llm_ui.admin.users.forms import ADD, IMPORT, LINK, told_plan
from llm_ui.admin.users.listing import USERS
from llm_ui.errors import InvalidInput
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import instant
from llm_ui.kit.ids import UserId
from llm_ui.kit.passwords import Passwords
from llm_ui.models import Role
from llm_ui.services import account_links, registration, user_import, users
from llm_ui.services.access import Actor
from llm_ui.services.account_links import NewLink
from llm_ui.services.users import NewUser

REGISTER_LOCK = "register"


def chosen_role(value: str) -> Role:
    """Return the role that a form names. Raises `InvalidInput`."""
    if value not in set(Role):
        raise InvalidInput("Choose a role.")
    return Role(value)


class UsersState(ListState):
    """The accounts."""

    listing = USERS

    email = param.String(default="", doc="E-mail address of somebody new.")
    username = param.String(default="", doc="Username of somebody new; empty: as before the @.")
    role = param.String(default=Role.USER.value, doc="Role of somebody new.")
    password = param.String(default="", doc="First password of somebody new; empty: they are invited.")
    lines = param.String(default="", doc="The CSV file of those who are to be invited.")
    link = param.String(default="", doc="Links that were just made, one a line.")
    link_text = param.String(default="", doc="What those links are.")

    fields = ("email", "username", "role", "password", "lines")

    def open_form(self, sheet: str) -> None:
        """Open an empty form."""
        empty = {"email": "", "username": "", "role": Role.USER.value, "password": "", "lines": "", "link": ""}
        self.param.update(sheet=sheet if sheet in (ADD, IMPORT) else "", error="", said="", **empty)

    @action
    async def save(self, actor: Actor) -> None:
        """Add somebody: with a password, or by a link."""
        role, database = chosen_role(self.role), self.context.backend.database
        if not self.password:
            async with database.writing(lock=REGISTER_LOCK) as session:
                made = await account_links.invite(session, actor, self.username, self.email, role)
            self._show_links((made,))
        else:
            new = NewUser(self.username or self.email.partition("@")[0], self.email, self.password)
            users.check_new(new)
            password_hash = await _hashed(new.password)
            async with database.writing(lock=REGISTER_LOCK) as session:
                user = await users.create(session, actor, new, role, password_hash)
            self.param.update(sheet="", password="", said=_("{name} can sign in now.").format(name=user.name))
        await self.reload(actor)

    @action
    async def check(self, actor: Actor) -> None:
        """Say what would become of each line of the file."""
        async with self.context.backend.database.reading() as session:
            planned = await user_import.plan(session, actor, self.lines)
        self.said, self.error = told_plan(planned)

    @action
    async def carry_out(self, actor: Actor) -> None:
        """Invite everybody whose line can be used."""
        async with self.context.backend.database.writing(lock=REGISTER_LOCK) as session:
            links = await user_import.carry_out(session, actor, self.lines)
        if not links:
            raise InvalidInput("No line can be used. Check the file to see why.")
        self._show_links(links)
        await self.reload(actor)

    @action
    async def approve(self, actor: Actor, user_id: UUID) -> None:
        """Let somebody in who has registered."""
        async with self.context.backend.database.writing() as session:
            await registration.approve(session, actor, UserId(user_id))
        self.said = _("They can sign in now.")
        await self.reload(actor)

    @action
    async def reject(self, actor: Actor, user_id: UUID) -> None:
        """Delete the account of somebody who has registered."""
        async with self.context.backend.database.writing() as session:
            await registration.reject(session, actor, UserId(user_id))
        self.said = _("Their account is deleted.")
        await self.reload(actor)

    def _show_links(self, links: tuple[NewLink, ...]) -> None:
        origin = self.context.backend.config.public_origin
        text = _("Each link works once, until {at}. It is shown only now.").format(at=instant(links[0].expires_at))
        one = len(links) == 1
        made = "\n".join(f"{'' if one else link.user.email + ' '}{origin}{link.path}" for link in links)
        self.param.update(sheet=LINK, link=made, link_text=text, said=_("{count} invited.").format(count=len(links)))


async def _hashed(password: str) -> str:
    # Making one takes as long as hashing does.
    passwords = await asyncio.to_thread(Passwords)
    try:
        return await passwords.hash(password)
    finally:
        await asyncio.to_thread(passwords.close)
