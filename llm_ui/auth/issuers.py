"""Signing in through an issuer: out to it, and back with a code."""

import hmac
import json
import re
from dataclasses import astuple
from uuid import UUID

from llm_ui.auth.plain import PlainHandler
from llm_ui.auth.site import safe_path
from llm_ui.errors import InvalidInput, LLMUIError, NotFound
from llm_ui.kit import openid
from llm_ui.kit.i18n import later
from llm_ui.kit.ids import IssuerId
from llm_ui.kit.openid import Attempt
from llm_ui.observability.logging import get_logger
from llm_ui.services import issuers, linked_sign_ins

log = get_logger(__name__)

ATTEMPT_COOKIE = "llm-ui-issuer"
"""Sealed: what the issuer's answer has to fit to, where its person goes on to, and who is connecting an account."""
ATTEMPT_S = 900
"""How long somebody may take at the issuer."""
ERROR = re.compile(r"[a-z_]{1,64}")
ISSUER = r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
OUT_OF_DATE = later("This sign-in was begun elsewhere, too long ago, or is done already. Begin again.")


class ThroughIssuer(PlainHandler):
    """What going there and coming back share."""

    async def address_there(self, issuer_id: IssuerId, path: str, connecting: str = "") -> str:
        """Return where the browser is sent; it keeps in a cookie what the answer has to fit to.

        `connecting` is the session whose person connects an account there with the one here.
        """
        self.site.throttle.issuer(self.site.entrance.network(self.request))
        sealer = self.site.backend.secrets.sealer
        async with self.site.backend.database.reading() as session:
            client, _claims = await issuers.client_of(session, sealer, issuer_id)
        attempt = Attempt.new()
        address = openid.authorization_address(
            client, await openid.discover(client), attempt, self.redirect_uri(issuer_id)
        )
        kept = json.dumps([str(issuer_id), path, connecting, *astuple(attempt)])
        self.set_cookie(ATTEMPT_COOKIE, sealer.seal(kept, ATTEMPT_COOKIE), max_age=ATTEMPT_S)
        return address

    def redirect_uri(self, issuer_id: IssuerId) -> str:
        """Return where the issuer sends people back to: of its own for each, so that none answers for another."""
        return f"{self.site.entrance.origin(self.request)}/oidc/{issuer_id}/callback"

    def refuse_sign_in(self, error: LLMUIError, *, is_connecting: bool = False) -> None:
        """Say why it did not work, with the way back."""
        self.refuse(error)
        back = "/account" if is_connecting else "/login"
        self.show("issuer_refused.html", message=error.message, back=back)


class ToIssuer(ThroughIssuer):
    """Out to the issuer."""

    async def get(self, issuer_id: str) -> None:
        """Send the browser there."""
        path = safe_path(self.get_argument("next", "/"))
        try:
            self.redirect(await self.address_there(IssuerId(UUID(issuer_id)), path))
        except LLMUIError as error:
            self.refuse_sign_in(error)


class FromIssuer(ThroughIssuer):
    """Back from the issuer."""

    async def get(self, issuer_id: str) -> None:
        """Sign in, or connect the account there with the one here."""
        kept = self.site.backend.secrets.sealer.opened(self.get_cookie(ATTEMPT_COOKIE) or "", ATTEMPT_COOKIE, ATTEMPT_S)
        # Whatever comes of it, the answer counts once.
        self.forget_cookie(ATTEMPT_COOKIE)
        connecting = ""
        try:
            if kept is None:
                raise InvalidInput(OUT_OF_DATE)
            begun, path, connecting, *parts = json.loads(kept)
            attempt = Attempt(*parts)
            self._require_fitting(issuer_id, begun, attempt)
            await self._take(IssuerId(UUID(issuer_id)), attempt, path, connecting)
        except LLMUIError as error:
            log.warning("sign_in.refused", step="issuer", why=error.message)
            self.refuse_sign_in(error, is_connecting=bool(connecting))

    def _require_fitting(self, issuer_id: str, begun: str, attempt: Attempt) -> None:
        """Raise `InvalidInput` unless this answers what this browser has begun."""
        state = self.get_query_argument("state", "")
        if begun != issuer_id or not hmac.compare_digest(state.encode(), attempt.state.encode()):
            raise InvalidInput(OUT_OF_DATE)
        if error := self.get_query_argument("error", ""):
            told = error if ERROR.fullmatch(error) else "error"
            raise InvalidInput("The issuer has not signed you in ({error}). Begin again.", error=told)

    async def _take(self, issuer_id: IssuerId, attempt: Attempt, path: str, connecting: str) -> None:
        database, sealer = self.site.backend.database, self.site.backend.secrets.sealer
        async with database.reading() as session:
            client, wanted = await issuers.client_of(session, sealer, issuer_id)
        # Mix-up of issuers (RFC 9207).
        if self.get_query_argument("iss", client.issuer) != client.issuer:
            raise InvalidInput(OUT_OF_DATE)
        found = await openid.discover(client)
        code = self.get_query_argument("code", "")
        claims = await openid.identify(client, found, attempt, code, self.redirect_uri(issuer_id), wanted)
        if not connecting:
            async with database.writing() as session:
                user_id = await linked_sign_ins.enter(session, issuer_id, claims, found.end_session_endpoint)
            await self.go_in(user_id, path, issuer_id)
            return
        if self.actor is None or str(self.actor.session_id) != connecting:
            raise InvalidInput(OUT_OF_DATE)
        async with database.writing() as session:
            await linked_sign_ins.connect(session, self.actor, issuer_id, claims)
        self.redirect(path)


class ConnectIssuer(ThroughIssuer):
    """Connecting one's account at an issuer with the one here."""

    async def post(self, issuer_id: str) -> None:
        """Show the way there: a form may not lead to another site, a link may."""
        if self.actor is None:
            self.redirect("/login?next=/account", status=303)
            return
        chosen = IssuerId(UUID(issuer_id))
        try:
            async with self.site.backend.database.reading() as session:
                offered = await linked_sign_ins.list_linked(session, self.actor)
            name = next((one.name for one in offered if one.issuer_id == chosen), None)
            if name is None:
                raise NotFound("Nobody can sign in this way any more. Choose another one.")
            address = await self.address_there(chosen, "/account", str(self.actor.session_id))
        except LLMUIError as error:
            self.refuse_sign_in(error, is_connecting=True)
            return
        self.show("issuer_connect.html", name=name, address=address)
