"""The second factor: the second step of signing in, and the page on which it is set up."""

import asyncio
import json
from uuid import UUID

from llm_ui.auth.plain import FIRST_STEP_COOKIE, FIRST_STEP_S, PlainHandler
from llm_ui.auth.site import safe_path
from llm_ui.errors import InvalidInput, LLMUIError, SignInRefused
from llm_ui.kit import totp
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.ids import IssuerId, UserId
from llm_ui.services import second_factor, sign_in
from llm_ui.services.access import Actor
from llm_ui.services.second_factor import Step

QR_SCALE = 5
QR_BORDER = 4
"""The quiet zone that the standard asks for (ISO/IEC 18004), in modules: apps find no code without it in the dark."""


class Enrolling(PlainHandler):
    """What both pages share: a secret as a QR code, and the code that the app then shows."""

    async def enrol(self, actor: Actor) -> tuple[str, ...]:
        """Turn the second factor on with what the form holds; return the recovery codes."""
        sealer = self.site.backend.secrets.sealer
        async with self.site.backend.database.writing() as session:
            return await second_factor.enrol(session, actor, sealer, self.field("sealed"), self.field("code"))

    async def enrolment(self, actor: Actor) -> dict[str, str]:
        """Return what the form shows: the secret that was shown before after a wrong code, else a new one."""
        sealer, sealed = self.site.backend.secrets.sealer, self.field("sealed")
        try:
            secret = second_factor.proposed(sealer, actor.user_id, sealed)
        except InvalidInput:
            secret, sealed = second_factor.propose(sealer, actor.user_id)
        address = totp.address(secret, self.request.appearance.name, actor.name)
        picture = await asyncio.to_thread(_drawn, address)
        return {"sealed": sealed, "secret": secret, "address": address, "picture": picture}


class SecondStep(Enrolling):
    """The second step of signing in: a code, or setting up the app where there has to be one."""

    async def get(self) -> None:
        """Show the form."""
        passed = self._passed()
        if passed is None:
            self.redirect("/login")
            return
        await self._show(passed[0])

    async def post(self) -> None:
        """Take the code and sign in."""
        passed = self._passed()
        if passed is None:
            self.redirect("/login", status=303)
            return
        user_id, path, issuer_id = passed
        try:
            if self.field("sealed"):
                async with self.site.backend.database.reading() as session:
                    actor = await sign_in.person(session, user_id)
                codes = await self.enrol(actor)
                await self.start_session(user_id, issuer_id)
                self.show("recovery_codes.html", codes=codes, path=path)
                return
            await self.site.take_code(self.request, user_id, self.field("code"))
            await self.start_session(user_id, issuer_id)
        except LLMUIError as error:
            self.refuse(error)
            await self._show(user_id, error.message)
            return
        self.redirect(path, status=303)

    def _passed(self) -> tuple[UserId, str, IssuerId | None] | None:
        """Return who has passed the first step, where they want to go, and through which issuer they came."""
        cookie = self.get_cookie(FIRST_STEP_COOKIE) or ""
        opened = self.site.backend.secrets.sealer.opened(cookie, FIRST_STEP_COOKIE, FIRST_STEP_S)
        if opened is None:
            return None
        user_id, path, issuer_id = json.loads(opened)
        return UserId(UUID(user_id)), safe_path(path), IssuerId(UUID(issuer_id)) if issuer_id else None

    async def _show(self, user_id: UserId, error: str = "") -> None:
        try:
            async with self.site.backend.database.reading() as session:
                step = await second_factor.next_step(session, user_id)
                actor = await sign_in.person(session, user_id)
        except LLMUIError:
            # Disabled or deleted since the first step.
            self.forget_cookie(FIRST_STEP_COOKIE)
            self.redirect("/login", status=303)
            return
        form = await self.enrolment(actor) if step is Step.ENROL else None
        self.show("second_step.html", error=error, form=form, action="/login/second", needs_password=False)


class SecondFactorPage(Enrolling):
    """One's own second factor: setting it up, new recovery codes, turning it off."""

    async def get(self) -> None:
        """Show it."""
        if self.actor is None:
            self.redirect("/login?next=/account/second-factor")
            return
        await self._show(self.actor)

    async def post(self) -> None:
        """Set it up, make new recovery codes or turn it off."""
        if self.actor is None:
            self.redirect("/login?next=/account/second-factor", status=303)
            return
        acts = {"enrol": self._enrol, "codes": self._renew_codes, "off": self._turn_off}
        error, said = "", ""
        try:
            act = acts.get(self.field("action"))
            if act is None:
                raise InvalidInput("This form is not known. Reload the page.")
            codes = await act(self.actor)
            if codes:
                self.show("recovery_codes.html", codes=codes, path="/account/second-factor")
                return
            said = _("It is off. Signing in takes the password alone.")
        except LLMUIError as refusal:
            self.refuse(refusal)
            error = refusal.message
        await self._show(self.actor, error, said)

    async def _enrol(self, actor: Actor) -> tuple[str, ...]:
        await self.confirm(actor)
        return await self.enrol(actor)

    async def _renew_codes(self, actor: Actor) -> tuple[str, ...]:
        await self._take_code(actor)
        async with self.site.backend.database.writing() as session:
            return await second_factor.renew_codes(session, actor)

    async def _turn_off(self, actor: Actor) -> tuple[str, ...]:
        await self._take_code(actor)
        async with self.site.backend.database.writing() as session:
            await second_factor.turn_off(session, actor)
        return ()

    async def _take_code(self, actor: Actor) -> None:
        try:
            await self.site.take_code(self.request, actor.user_id, self.field("code"))
        except SignInRefused as refusal:
            # Not 401: whoever is signed in stays so.
            raise InvalidInput(refusal.message) from None

    async def _show(self, actor: Actor, error: str = "", said: str = "") -> None:
        async with self.site.backend.database.reading() as session:
            left = await second_factor.codes_left(session, actor.user_id)
        needs_password = left is None and await self.has_password(actor)
        form = await self.enrolment(actor) if left is None else None
        self.show(
            "second_factor.html", error=error, said=said, left=left, form=form, needs_password=needs_password,
            action="/account/second-factor",
        )  # fmt: skip


def _drawn(address: str) -> str:
    """Return a QR code as the address of an SVG picture."""
    import segno  # noqa: PLC0415 - few people ever need it

    return str(segno.make(address, micro=False).svg_data_uri(scale=QR_SCALE, border=QR_BORDER, light="white"))
