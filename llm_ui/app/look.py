"""How the workspace looks: what open pages ask when it changed, and the pictures of its logo."""

import asyncio
from typing import Any

from llm_ui.app.streamed import StreamedUpload
from llm_ui.auth.handler import OurHandler
from llm_ui.errors import LLMUIError
from llm_ui.kit import assets
from llm_ui.kit.file_store import NewFile
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.picture import LOGO_SIZES, logo
from llm_ui.services import logo as logos
from llm_ui.services.access import Actor, Permission, require

MAX_MB = 15
YEAR_S = 31_536_000
PICTURES = "|".join(LOGO_SIZES)
"""What a picture's address may end with."""


class Look(OurHandler):
    """How it looks now, for pages that are open: `assets/look.js` shows it. Browsers ask without a sign-in, too."""

    async def get(self) -> None:
        """Send it; only its mark when the browser has it already."""
        self.set_header("Cache-Control", "no-cache")
        try:
            look = await self.site.look()
        except LLMUIError as error:
            self.set_status(error.status)
            self.finish()
            return
        told = {
            "name": look.name,
            "styles": look.styles,
            "logo": look.picture("logo") or assets.url("icon.svg"),
            "touch": look.picture("apple-180") or assets.url("icons/icon-apple-180.png"),
            "sign_in_text": look.sign_in_text,
            "banner": look.banner,
            "level": look.banner_level,
            "off": " ".join(look.off),
            "currency": look.currency.code,
            "rate": str(look.currency.rate),
        }
        self.finish(told)


class Logo(OurHandler):
    """One picture of the logo. Another logo has another address, so that browsers may keep each for ever."""

    async def get(self, version: str, name: str) -> None:
        """Send it."""
        async with self.site.backend.database.reading() as session:
            data = await logos.read(session, version, name)
        if data is None:
            self.say(404, _("Not found"), _("There is no page at this address."))
            return
        self.set_header("Content-Type", "image/png")
        self.set_header("Cache-Control", f"public, max-age={YEAR_S}, immutable")
        self.finish(data)


class LogoUpload(StreamedUpload):
    """Takes in a logo. The file that came is thrown away."""

    @property
    def most_mb(self) -> int:
        """What a file may have."""
        return MAX_MB

    async def admit(self, actor: Actor) -> None:
        """Refuse whoever may not change settings before anything is read."""
        require(actor, Permission.MANAGE_SETTINGS)

    async def take(self) -> dict[str, Any]:
        """Draw it anew in all sizes and keep those."""
        file, actor = self.received()
        pictures = await asyncio.to_thread(_drawn, file, self.name)
        async with self.site.backend.database.writing() as session:
            await logos.put(session, actor, pictures)
        return {}


def _drawn(file: NewFile, name: str) -> dict[str, bytes]:
    return logo(file.read(), name)
