"""What an installed page has when the server cannot be reached: a page that says so, kept by a service worker."""

import json
from functools import cache

from tornado.web import RequestHandler

from llm_ui.auth.handler import OurHandler
from llm_ui.kit import assets

FILES = ("theme.js", "theme.css", "plain.css", "offline.js", "look.js", "icon.svg")
"""What the page consists of beside itself. Nothing else is kept in a browser."""
WORKER_POLICY = "default-src 'none'; connect-src 'self'; frame-ancestors 'none'"
"""Of the service worker itself, which only fetches from here."""


class Offline(OurHandler):
    """The page. It is the same for everybody: whoever is signed in is not asked."""

    def get(self) -> None:
        """Show it."""
        self.show("offline.html")


class ServiceWorker(RequestHandler):
    """The script that keeps the page. At the root, because a script below it may not stand in for pages above."""

    def get(self) -> None:
        """Send it with the version it belongs to."""
        self.set_header("Content-Type", "text/javascript; charset=utf-8")
        self.set_header("Cache-Control", "no-cache")
        self.set_header("Content-Security-Policy", WORKER_POLICY)
        self.finish(_script())


@cache
def _script() -> bytes:
    files = json.dumps([assets.url(name) for name in FILES])
    head = f'const VERSION = "{assets.version()}"\nconst FILES = {files}\n'
    return head.encode() + assets.files()["service_worker.js"]
