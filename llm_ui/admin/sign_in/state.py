"""What the sign-in page of the administration shows and what an administrator can do on it."""

import param

from llm_ui.admin.state import AdminState, action, required
from llm_ui.kit import openid
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.ids import IssuerId, uuid7
from llm_ui.services import directories, issuers, settings
from llm_ui.services.access import Actor
from llm_ui.services.directories import DirectoryInfo
from llm_ui.services.issuers import IssuerInfo, NewIssuer
from llm_ui.services.settings import PASSWORDS, SECOND_FACTOR
from llm_ui.ui.page import PageContext

ADD, EDIT, ASK_DELETE = "add", "edit", "ask_delete"
DIRECTORY, ASK_NEW_TOKEN, ASK_END_TOKEN = "directory", "ask_new_token", "ask_end_token"
TEXTS = (
    "name", "address", "client_id", "secret", "scopes", "name_claim", "email_claim", "groups_claim", "domains",
    "groups", "admin_groups", "operator_groups", "team_groups",
)  # fmt: skip
"""The fields of an issuer that are words; in the form each has `issuer_` before it."""
NO, YES = "no", "yes"


class SignInState(AdminState):
    """Issuers, the form for one of them, and what holds for everybody who signs in."""

    issuers = param.ClassSelector(class_=tuple, default=(), doc="All issuers, oldest first.")
    selected = param.Parameter(doc="The issuer whose form is open, or None.")
    takes_passwords = param.Boolean(default=True, doc="Whether people sign in with passwords.")
    second_factor = param.String(default="nobody", doc="Who has to give a second factor.")

    issuer_name = param.String(default="", doc="What its button says.")
    issuer_address = param.String(default="", doc="Its identifier.")
    issuer_client_id = param.String(default="", doc="What we are called there.")
    issuer_secret = param.String(default="", doc="Our secret there; kept only until it is saved.")
    issuer_scopes = param.String(default="", doc="What is asked for.")
    issuer_name_claim = param.String(default="", doc="Where it says what somebody is called.")
    issuer_email_claim = param.String(default="", doc="Where it says the e-mail address.")
    issuer_groups_claim = param.String(default="", doc="Where it says the groups.")
    issuer_domains = param.String(default="", doc="E-mail domains of those who may sign in.")
    issuer_groups = param.String(default="", doc="Groups of those who may sign in.")
    issuer_admin_groups = param.String(default="", doc="Groups whose people are administrators.")
    issuer_operator_groups = param.String(default="", doc="Groups whose people are operators.")
    issuer_team_groups = param.String(default="", doc="Groups whose people are in a team here: group = team.")
    redirect = param.String(default="", doc="Where it sends people back to; known before there is an issuer.")
    makes_accounts = param.String(default=NO, doc="Whether whoever comes for the first time gets an account.")
    is_private = param.String(default=NO, doc="Whether it may be on the private network.")

    directory = param.Parameter(doc="What there is of the directory of the issuer whose sheet is open, or None.")
    directory_address = param.String(default="", doc="Where directories ask.")
    token = param.String(default="", doc="The token that was just made; forgotten with the sheet.")
    takes_over = param.String(default=NO, doc="Whether accounts that are here already are the directory's, too.")

    fields = (*(f"issuer_{name}" for name in TEXTS), "makes_accounts", "is_private", "takes_over")

    def __init__(self, context: PageContext) -> None:
        super().__init__(context)
        self._issuer_id = IssuerId(uuid7())

    @action
    async def load(self, actor: Actor) -> None:
        """Read all of it."""
        await self._reload(actor)

    @action
    async def set_passwords(self, actor: Actor, *, are_taken: bool) -> None:
        """Let people sign in with passwords, or through issuers alone."""
        async with self.context.backend.database.writing() as session:
            await issuers.set_passwords(session, actor, are_taken=are_taken)
        await self._reload(actor)
        self.said = _("People sign in with passwords.") if are_taken else _("People sign in through issuers alone now.")

    @action
    async def set_second_factor(self, actor: Actor, whose: str) -> None:
        """Ask these people for a second factor from their next sign-in on."""
        async with self.context.backend.database.writing() as session:
            await settings.change(session, actor, SECOND_FACTOR, whose)
        await self._reload(actor)
        self.said = _("It holds from the next sign-in on; sessions that began before go on.")

    def open_add(self) -> None:
        """Open an empty form. The issuer's id is made already: where it sends people back to is registered first."""
        self._fill(NewIssuer("", "", ""), IssuerId(uuid7()))
        self.param.update(selected=None, sheet=ADD, error="", said="")

    @action
    async def open_edit(self, actor: Actor, issuer_id: IssuerId) -> None:
        """Open the form of an issuer; its secret stays where it is."""
        self._fill((await self._select(actor, issuer_id)).filled, issuer_id)
        self.sheet = EDIT

    @action
    async def save(self, actor: Actor) -> None:
        """Store what the form says, once a new issuer has answered."""
        new = self._filled()
        sealer, database = self.context.backend.secrets.sealer, self.context.backend.database
        selected: IssuerInfo | None = self.selected
        if selected is None:
            found = await openid.discover(issuers.checked(new))
            async with database.writing() as session:
                await issuers.add(session, actor, sealer, self._issuer_id, new, found)
        else:
            async with database.writing() as session:
                await issuers.change(session, actor, sealer, selected.id, new, seen=selected.updated_at)
        self.param.update(sheet="", issuer_secret="", said=_("{name} is saved.").format(name=new.name))
        await self._reload(actor)

    @action
    async def test(self, actor: Actor, issuer_id: IssuerId) -> None:
        """Ask the issuer what it says of itself."""
        issuer = await self._select(actor, issuer_id)
        await openid.discover(issuers.checked(issuer.filled))
        self.said = _("{name} answers as an issuer should.").format(name=issuer.filled.name)

    @action
    async def set_active(self, actor: Actor, issuer_id: IssuerId, *, is_active: bool) -> None:
        """Let people sign in through the issuer, or not."""
        issuer = await self._select(actor, issuer_id)
        async with self.context.backend.database.writing() as session:
            await issuers.set_active(session, actor, issuer_id, is_active=is_active)
        said = _("People can sign in with {name}.") if is_active else _("Nobody can sign in with {name} any more.")
        self.said = said.format(name=issuer.filled.name)
        await self._reload(actor)

    @action
    async def open_directory(self, actor: Actor, issuer_id: IssuerId) -> None:
        """Open what the directory of an issuer keeps here, and its token."""
        await self._select(actor, issuer_id)
        await self._read_directory(actor, issuer_id)
        self.param.update(sheet=DIRECTORY, token="")

    @action
    async def make_token(self, actor: Actor) -> None:
        """Make a token for the directory; the one before ends."""
        issuer: IssuerInfo = required(self.selected)
        async with self.context.backend.database.writing() as session:
            token = await directories.make_token(session, actor, issuer.id, takes_over=self.takes_over == YES)
        await self._read_directory(actor, issuer.id)
        self.param.update(sheet=DIRECTORY, token=token)

    @action
    async def save_directory(self, actor: Actor) -> None:
        """Store whether the directory takes over accounts."""
        issuer: IssuerInfo = required(self.selected)
        takes_over = self.takes_over == YES
        async with self.context.backend.database.writing() as session:
            await directories.set_takes_over(session, actor, issuer.id, takes_over=takes_over)
        self.param.update(sheet="", token="", said=_("{name} is saved.").format(name=issuer.filled.name))

    @action
    async def end_token(self, actor: Actor) -> None:
        """End the token of the directory."""
        issuer: IssuerInfo = required(self.selected)
        async with self.context.backend.database.writing() as session:
            await directories.end_token(session, actor, issuer.id)
        await self._read_directory(actor, issuer.id)
        self.param.update(sheet=DIRECTORY)

    def turn_to(self, sheet: str) -> None:
        """Show another sheet of the issuer: a question, or what was there before it."""
        self.param.update(sheet=sheet, token="", error="")

    @action
    async def delete(self, actor: Actor) -> None:
        """Delete the issuer of the form."""
        issuer: IssuerInfo = required(self.selected)
        async with self.context.backend.database.writing() as session:
            await issuers.delete(session, actor, issuer.id)
        said = _("{name} is deleted.").format(name=issuer.filled.name)
        self.param.update(sheet="", selected=None, said=said)
        await self._reload(actor)

    def close(self) -> None:
        """Close the form and forget the secret that was typed."""
        super().close()
        self.param.update(issuer_secret="", token="")

    def _fill(self, new: NewIssuer, issuer_id: IssuerId) -> None:
        self._issuer_id = issuer_id
        self.param.update(
            redirect=f"{self.context.backend.config.public_origin}/oidc/{issuer_id}/callback",
            **{f"issuer_{name}": getattr(new, name) for name in TEXTS},
            makes_accounts=YES if new.makes_accounts else NO,
            is_private=YES if new.is_private else NO,
        )

    def _filled(self) -> NewIssuer:
        texts = {name: getattr(self, f"issuer_{name}") for name in TEXTS}
        return NewIssuer(**texts, makes_accounts=self.makes_accounts == YES, is_private=self.is_private == YES)

    async def _read_directory(self, actor: Actor, issuer_id: IssuerId) -> None:
        config = self.context.backend.config
        async with self.context.backend.database.reading() as session:
            found: DirectoryInfo = await directories.read(session, actor, issuer_id)
        self.param.update(
            directory=found,
            takes_over=YES if found.takes_over else NO,
            directory_address=f"{config.scripts_reach}/scim/v2" if directories.HAS_SCIM else "",
        )

    async def _select(self, actor: Actor, issuer_id: IssuerId) -> IssuerInfo:
        await self._reload(actor)
        found: IssuerInfo = required(next((each for each in self.issuers if each.id == issuer_id), None))
        self.selected = found
        return found

    async def _reload(self, actor: Actor) -> None:
        async with self.context.backend.database.reading() as session:
            self.param.update(
                issuers=await issuers.list_issuers(session, actor),
                takes_passwords=await settings.get(session, PASSWORDS),
                second_factor=await settings.get(session, SECOND_FACTOR),
            )
