"""What a browser is told of the app when somebody installs it: it carries the workspace's name."""

import json

from llm_ui.auth.handler import OurHandler
from llm_ui.kit import assets

FILE = "app.webmanifest"


class Manifest(OurHandler):
    """The web app manifest. Browsers ask for it without a sign-in."""

    async def get(self) -> None:
        """Send it as things stand now."""
        name = (await self.site.appearance()).name
        app = json.loads(assets.files()[FILE])
        icons = [icon | {"src": assets.url(icon["src"])} for icon in app["icons"]]
        self.set_header("Content-Type", "application/manifest+json; charset=utf-8")
        self.set_header("Cache-Control", "no-cache")
        self.finish(json.dumps(app | {"name": name, "short_name": name, "icons": icons}).encode())
