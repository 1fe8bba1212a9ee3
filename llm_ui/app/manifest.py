"""What a browser is told of the app when somebody installs it: it carries the workspace's name."""

import json

from llm_ui.auth.handler import OurHandler
from llm_ui.kit import assets

FILE = "app.webmanifest"
LOGO_OF = {
    "icons/icon-192.png": "icon-192",
    "icons/icon-512.png": "icon-512",
    "icons/icon-maskable-512.png": "maskable-512",
}
"""Which picture of a logo takes the place of each of our icons."""


class Manifest(OurHandler):
    """The web app manifest. Browsers ask for it without a sign-in."""

    async def get(self) -> None:
        """Send it as things stand now."""
        look = await self.site.appearance()
        app = json.loads(assets.files()[FILE])
        icons = [icon | {"src": assets.url(icon["src"])} for icon in app["icons"]]
        if look.logo:
            icons = [
                icon | {"src": look.picture(LOGO_OF[path])} for icon in app["icons"] if (path := icon["src"]) in LOGO_OF
            ]
        colour = {"theme_color": look.accent} if look.accent else {}
        self.set_header("Content-Type", "application/manifest+json; charset=utf-8")
        self.set_header("Cache-Control", "no-cache")
        self.finish(json.dumps(app | colour | {"name": look.name, "short_name": look.name, "icons": icons}).encode())
