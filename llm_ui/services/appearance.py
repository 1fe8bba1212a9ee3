"""How the workspace looks to people: its name, what it says to everybody, and what is switched off in it."""

from dataclasses import dataclass

from llm_ui.db import ReadSession
from llm_ui.kit import colour
from llm_ui.kit.clock import now
from llm_ui.kit.currency import DOLLARS, Currency
from llm_ui.services import settings
from llm_ui.services.settings import (
    ACCENT,
    BANNER,
    BANNER_FROM,
    BANNER_LEVEL,
    BANNER_UNTIL,
    CURRENCY,
    CURRENCY_RATE,
    FEATURES,
    LOGO,
    SIGN_IN_TEXT,
    WORKSPACE_NAME,
)

LOOK = (WORKSPACE_NAME, ACCENT, LOGO, SIGN_IN_TEXT, BANNER, BANNER_LEVEL, BANNER_FROM, BANNER_UNTIL)


@dataclass(frozen=True, slots=True)
class Appearance:
    """What every page needs to know of it."""

    name: str = WORKSPACE_NAME.default
    sign_in_text: str = ""
    banner: str = ""
    banner_level: str = BANNER_LEVEL.default
    off: tuple[str, ...] = ()
    """Names of the features that are switched off."""
    accent: str = ""
    """The accent colour; empty: ours."""
    logo: str = ""
    """What the address of the logo's pictures holds, which is another one for another logo; empty: ours."""
    currency: Currency = DOLLARS
    """In which amounts are shown."""

    @property
    def styles(self) -> str:
        """The style sheet of the accent colour, after our own."""
        return colour.styles(self.accent) if self.accent else ""

    def picture(self, name: str) -> str | None:
        """Return the address of one of the logo's pictures; None while the logo is ours."""
        return f"/logo/{self.logo}/{name}.png" if self.logo else None


async def currency(session: ReadSession) -> Currency:
    """Return the currency in which amounts are shown. Anybody may know."""
    held = await settings.get_all(session, CURRENCY, CURRENCY_RATE)
    code, rate = held[CURRENCY.name], settings.rate_of(held[CURRENCY_RATE.name])
    return DOLLARS if code == DOLLARS.code else Currency(code, rate)


async def appearance(session: ReadSession) -> Appearance:
    """Return how it looks now. Anybody may know."""
    held = await settings.get_all(session, *LOOK, *FEATURES)
    begins, ends = (held[one.name] and settings.instant_of(held[one.name]) for one in (BANNER_FROM, BANNER_UNTIL))
    instant = now()
    is_shown = (not begins or begins <= instant) and (not ends or instant < ends)
    return Appearance(
        name=held[WORKSPACE_NAME.name] or WORKSPACE_NAME.default,
        sign_in_text=held[SIGN_IN_TEXT.name],
        banner=held[BANNER.name] if is_shown else "",
        banner_level=held[BANNER_LEVEL.name],
        accent=held[ACCENT.name],
        logo=held[LOGO.name],
        currency=await currency(session),
        off=tuple(one.name for one in FEATURES if not held[one.name]),
    )
