"""One-time links: taking an invitation, and choosing a new password."""

from collections.abc import Mapping
from typing import ClassVar

from llm_ui.auth.plain import PlainHandler
from llm_ui.errors import InvalidInput, LLMUIError
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import later
from llm_ui.models import LinkKind
from llm_ui.services import account_links, issuers
from llm_ui.services.users import UserInfo


class ChosenPassword(PlainHandler):
    """The form behind a one-time link. Looking at it spends nothing: programs that preview links look, too."""

    kind: ClassVar[LinkKind]
    words: ClassVar[Mapping[str, str]]
    """What the page says: title, what it is for, and its button."""

    async def get(self) -> None:
        """Show the form, or that the link leads nowhere."""
        user = await self._user()
        if user is not None:
            self._show(user)

    async def post(self) -> None:
        """Set the password and sign in; what is refused is said beside the form."""
        user = await self._user()
        if user is None:
            return
        password = self.field("password")
        try:
            async with self.site.backend.database.reading() as session:
                await account_links.require_password(session, user, password)
            password_hash = await self.site.passwords.hash(password)
            async with self.site.backend.database.writing() as session:
                user_id = await account_links.take(session, self.kind, self._token, password_hash)
            await self.go_in(user_id)
        except InvalidInput as error:
            self.refuse(error)
            self._show(user, error.message)
            return
        except LLMUIError as error:
            self._refuse(error)

    @property
    def _token(self) -> str:
        return self.get_argument("token", "")

    async def _user(self) -> UserInfo | None:
        """Return the account of the link; None when the page has said already that there is none."""
        try:
            with self.site.throttle.link(self.site.entrance.network(self.request)):
                async with self.site.backend.database.reading() as session:
                    await issuers.require_passwords(session)
                    return await account_links.of_link(session, self.kind, self._token)
        except LLMUIError as error:
            self._refuse(error)
            return None

    def _refuse(self, error: LLMUIError) -> None:
        self.refuse(error)
        self.show("error.html", title=_("Sorry"), message=error.message)

    def _show(self, user: UserInfo, error: str = "") -> None:
        words = {name: _(text).format(name=user.name) for name, text in self.words.items()}
        self.show("link.html", user=user, error=error, token=self._token, path=self.request.path, **words)


class Invitation(ChosenPassword):
    """Taking an invitation."""

    kind = LinkKind.INVITATION
    words = {  # noqa: RUF012 - as declared above
        "title": later("Welcome, {name}"),
        "sentence": later("You are invited to this workspace. Choose a password to begin."),
        "button": later("Begin"),
    }


class Reset(ChosenPassword):
    """Choosing a new password."""

    kind = LinkKind.RESET
    words = {  # noqa: RUF012 - as declared above
        "title": later("A new password for {name}"),
        "sentence": later("With it you are signed in here, and signed out everywhere else."),
        "button": later("Set password"),
    }
