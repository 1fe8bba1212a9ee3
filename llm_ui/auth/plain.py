"""Base of the pages that are plain HTTP: forms with CSRF tokens, a refusal as a sentence beside the form."""

import json

from llm_ui.auth.handler import OurHandler
from llm_ui.auth.site import SESSION_COOKIE
from llm_ui.errors import InvalidInput, LLMUIError, SignInRefused
from llm_ui.kit.ids import IssuerId, UserId
from llm_ui.observability.logging import get_logger
from llm_ui.services import second_factor, sign_in, users
from llm_ui.services.access import Actor

log = get_logger(__name__)

FIRST_STEP_COOKIE = "llm-ui-first-step"
"""Sealed: who has passed the first step of signing in, and where they go on to."""
FIRST_STEP_S = 600
"""How long the second step may take: an app may have to be installed first."""


class PlainHandler(OurHandler):
    """A plain page. Nothing of it is kept in caches."""

    async def prepare(self) -> None:
        """Refuse addresses that are not ours; find out who is asking."""
        self.set_header("Cache-Control", "no-store")
        if not self.refuse_unknown_host():
            self.request.actor = await self.site.actor_of(self.request)
            self.request.appearance = await self.site.appearance()

    def field(self, name: str) -> str:
        """Return a field of the form, as typed."""
        return self.get_body_argument(name, "", strip=False)

    def refuse(self, error: LLMUIError) -> None:
        """Set the status of a refusal, and when to try again."""
        self.set_status(error.status)
        if error.retry_after is not None:
            self.set_header("Retry-After", f"{error.retry_after:.0f}")

    async def confirm(self, actor: Actor) -> None:
        """Check the password of the form, where the account has one. Raises `InvalidInput` when it is wrong."""
        if not await self.has_password(actor):
            return
        try:
            await self.site.checked(self.request, actor.name, self.field("password"))
        except SignInRefused:
            raise InvalidInput("The password is wrong. Type it again.") from None

    async def has_password(self, actor: Actor) -> bool:
        """Return whether the account has a password."""
        async with self.site.backend.database.reading() as session:
            return await users.has_password(session, actor)

    async def go_in(self, user_id: UserId, path: str = "/", issuer_id: IssuerId | None = None) -> None:
        """Sign in whoever has passed the first step and go on to the path, after the second step if there is one."""
        async with self.site.backend.database.reading() as session:
            step = await second_factor.next_step(session, user_id)
        if step is None:
            await self.start_session(user_id, issuer_id)
            self.redirect(path, status=303)
            return
        passed = json.dumps([str(user_id), path, issuer_id and str(issuer_id)])
        sealed = self.site.backend.secrets.sealer.seal(passed, FIRST_STEP_COOKIE)
        self.set_cookie(FIRST_STEP_COOKIE, sealed, max_age=FIRST_STEP_S)
        self.redirect("/login/second", status=303)

    async def start_session(self, user_id: UserId, issuer_id: IssuerId | None = None) -> None:
        """Begin a session with a new token in the cookie; the one this browser had before ends."""
        async with self.site.backend.database.writing() as session:
            if self.actor is not None:
                await sign_in.sign_out(session, self.actor)
            started = await sign_in.start_session(
                session,
                user_id,
                self.site.time_outs,
                user_agent=self.request.headers.get("User-Agent", ""),
                address=self.site.entrance.address(self.request),
                issuer_id=issuer_id,
            )
        if self.get_cookie(FIRST_STEP_COOKIE):
            self.forget_cookie(FIRST_STEP_COOKIE)
        self.set_cookie(SESSION_COOKIE, started.token, max_age=int(started.lifetime.total_seconds()))
        log.info("session.started", user_id=user_id, session_id=started.actor.session_id)
