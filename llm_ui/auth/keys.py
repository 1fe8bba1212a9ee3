"""Keys of the API, one's own or a service account's: made and shown once, renamed, replaced, revoked."""

from collections.abc import Awaitable, Callable
from decimal import Decimal, InvalidOperation
from urllib.parse import urlsplit
from uuid import UUID

from llm_ui.auth.plain import PlainHandler
from llm_ui.db import ReadSession
from llm_ui.errors import InvalidInput, LLMUIError
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import later
from llm_ui.kit.ids import KeyId, ModelId, ProjectId, UserId
from llm_ui.models import KeyScope
from llm_ui.services import keys, offered, projects, service_accounts
from llm_ui.services.access import Actor, Permission
from llm_ui.services.examples import examples
from llm_ui.services.keys import NewKey
from llm_ui.services.limits import LABELS

SCOPES = {
    KeyScope.CHAT: later("Answers"),
    KeyScope.EMBEDDINGS: later("Embeddings"),
    KeyScope.MODELS: later("List of models"),
    KeyScope.CONVERSATIONS_READ: later("Read chats"),
    KeyScope.CONVERSATIONS_WRITE: later("Write chats"),
    KeyScope.PROJECTS_READ: later("Read projects"),
    KeyScope.PROJECTS_WRITE: later("Change projects"),
    KeyScope.DOCUMENTS_READ: later("Read and search documents"),
    KeyScope.DOCUMENTS_WRITE: later("Add and delete documents"),
    KeyScope.PROMPTS_READ: later("Read prompts"),
    KeyScope.PROMPTS_WRITE: later("Change prompts"),
    KeyScope.AGENTS_READ: later("Read agents"),
    KeyScope.AGENTS_WRITE: later("Change agents"),
    KeyScope.USAGE_READ: later("Read the usage"),
}
LOOPBACK = ("127.0.0.1", "::1", "localhost")
Act = Callable[[Actor], Awaitable[tuple[str, str]]]


class Keys(PlainHandler):
    """One's own keys, or with `account` in the address those of a service account that one decides on."""

    async def get(self) -> None:
        """Show them."""
        if self.actor is None:
            self.redirect("/login?next=/keys")
            return
        await self._show(self.actor)

    async def post(self) -> None:
        """Make, rename, replace or revoke one."""
        if self.actor is None:
            self.redirect("/login?next=/keys", status=303)
            return
        acts: dict[str, Act] = {
            "create": self._create, "rename": self._rename, "rotate": self._rotate, "revoke": self._revoke
        }  # fmt: skip
        error, said, token = "", "", ""
        try:
            act = acts.get(self.field("action"))
            if act is None:
                raise InvalidInput("This form is not known. Reload the page.")
            said, token = await act(self.actor)
        except LLMUIError as refusal:
            self.refuse(refusal)
            error = refusal.message
        await self._show(self.actor, error, said, token)

    async def _create(self, actor: Actor) -> tuple[str, str]:
        known = [scope for scope in KeyScope if scope.value in self.get_body_arguments("scope")]
        project = self.field("project")
        networks = self.field("addresses").replace(",", " ").split()
        async with self.site.backend.database.writing() as session:
            holder = await self._holder(session, actor)
            named = [
                await offered.named(session, holder, name, None)
                for name in self.field("models").replace(",", " ").split()
            ]
            new = NewKey(
                name=self.field("name"),
                scopes=frozenset(known),
                models=frozenset(ModelId(one.model_id) for one in named) or None,
                project_id=ProjectId(_id(project)) if project else None,
                days=self._number("days"),
                budget_usd=self._dollars("budget"),
                requests_per_minute=self._number("requests"),
                addresses=tuple(networks),
                keeps_answers=bool(self.field("keeps_answers")),
                keeps_similar=bool(self.field("keeps_similar")),
            )
            made = await keys.create(session, actor, new, holder)
        return _("This is the key. It is shown only this once: copy it now."), made.token

    async def _rename(self, actor: Actor) -> tuple[str, str]:
        async with self.site.backend.database.writing() as session:
            await keys.rename(session, actor, self._key(), self.field("name"))
        return _("The key has its new name."), ""

    async def _rotate(self, actor: Actor) -> tuple[str, str]:
        async with self.site.backend.database.writing() as session:
            made = await keys.rotate(session, actor, self._key())
        said = _("This is the new key, shown only this once: copy it now. The old one ends in 24 hours.")
        return said, made.token

    async def _revoke(self, actor: Actor) -> tuple[str, str]:
        async with self.site.backend.database.writing() as session:
            await keys.revoke(session, actor, self._key())
        return _("The key is revoked. What was being answered with it ends within a second."), ""

    @property
    def _account(self) -> str:
        return self.get_query_argument("account", "")

    async def _holder(self, session: ReadSession, actor: Actor) -> Actor:
        """Return whose keys the page is about. Raises `NotFound` and `Forbidden`."""
        if not self._account:
            return actor
        return await service_accounts.holder(session, actor, UserId(_id(self._account)))

    def _key(self) -> KeyId:
        return KeyId(_id(self.field("key")))

    def _number(self, name: str) -> int | None:
        typed = self.field(name).strip()
        if not typed:
            return None
        if not typed.isascii() or not typed.isdigit() or len(typed) > 9:
            raise InvalidInput("Type days and requests as whole numbers, or leave them empty.")
        return int(typed)

    def _dollars(self, name: str) -> Decimal | None:
        typed = self.field(name).strip().removeprefix("$").replace(",", ".")
        try:
            found = Decimal(typed) if typed else None
        except InvalidOperation:
            found = Decimal("NaN")
        if found is not None and not found.is_finite():
            raise InvalidInput("Type the budget as dollars, such as 25 or 9.50, or leave it empty.")
        return found

    async def _show(self, actor: Actor, error: str = "", said: str = "", token: str = "") -> None:
        try:
            async with self.site.backend.database.reading() as session:
                holder = await self._holder(session, actor)
                account = None if holder is actor else await service_accounts.read(session, actor, holder.user_id)
                found = await keys.list_keys(session, actor, holder.user_id)
                places = await projects.list_projects(session, holder)
                models = await offered.list_offered(session, holder, None)
        except LLMUIError as refusal:
            self.say(refusal.status, _("API keys"), refusal.message)
            return
        base, config = self._base_url(), self.site.backend.config
        is_own = config.public_api_url or config.api_url or self.site.entrance.is_loopback(self.request)
        example = next((one.name for one in models if not one.makes_embeddings), "demo")
        self.show(
            "keys.html", error=error, said=said, token=token, keys=found, projects=places, scopes=SCOPES, base=base,
            account=account, address=f"/keys?account={account.id}" if account else "/keys",
            labels=LABELS, may_limit=actor.may(Permission.MANAGE_SETTINGS),
            examples=examples(base, example), names=[one.name for one in models],
            is_out_of_reach=not is_own and config.api_host in LOOPBACK,
        )  # fmt: skip

    def _base_url(self) -> str:
        """Return where scripts ask: as it is set, else the LLM API's port on the host of the browser's address."""
        config = self.site.backend.config
        if config.public_api_url:
            return f"{config.scripts_reach}/v1"
        host = urlsplit(f"//{self.request.host}").hostname or "127.0.0.1"
        return f"http://{f'[{host}]' if ':' in host else host}:{config.api_port}/v1"


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise InvalidInput("This does not exist any more. Reload the page.") from None
