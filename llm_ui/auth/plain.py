"""Base of the pages that are plain HTTP: forms with CSRF tokens, a refusal as a sentence beside the form."""

from llm_ui.auth.handler import OurHandler
from llm_ui.auth.site import SESSION_COOKIE
from llm_ui.errors import LLMUIError
from llm_ui.kit.ids import UserId
from llm_ui.observability.logging import get_logger
from llm_ui.services import sign_in

log = get_logger(__name__)


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

    async def start_session(self, user_id: UserId, new_password_hash: str | None = None) -> None:
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
                new_password_hash=new_password_hash,
            )
        self.set_cookie(SESSION_COOKIE, started.token, max_age=int(started.lifetime.total_seconds()))
        log.info("session.started", user_id=user_id, session_id=started.actor.session_id)
