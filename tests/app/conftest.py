"""The UI process's server in the test's own loop, with real databases and raw websockets, without a browser."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from panel import Template
from panel.widgets import TextInput
from tornado.websocket import WebSocketClientConnection

from llm_ui.app.routing import _guarded
from llm_ui.app.serving import ActorOf, Served, serve
from llm_ui.auth import templates
from llm_ui.auth.site import SESSION_COOKIE, Site
from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.kit import assets
from llm_ui.llm_client import LLMClient
from llm_ui.models import Role
from llm_ui.services import users
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.secrets import Secrets
from llm_ui.services.sign_in import TimeOuts, start_session
from llm_ui.services.users import NewUser
from llm_ui.ui.page import Backend
from tests.app.browser import Browser

PASSWORD = "a long walk by the river"
PAGE = """<!doctype html><html><head><title>Page</title><script>"of the template"</script></head>
<body><p>{{ name }}</p>{{ plot_script }}</body></html>"""


@dataclass
class Workspace:
    """The site as the tests see it."""

    site: Site
    served: Served
    password_hash: str
    people: dict[str, Actor] = field(default_factory=dict)
    sockets: list[WebSocketClientConnection] = field(default_factory=list)

    @property
    def origin(self) -> str:
        """The address browsers open."""
        return f"http://127.0.0.1:{self.site.backend.config.port}"

    def browser(self, **headers: str) -> Browser:
        """A browser without cookies."""
        return Browser(self.origin, headers=headers, sockets=self.sockets)

    async def add(self, name: str, role: Role = Role.USER) -> Actor:
        """Create an account with the password `PASSWORD`."""
        async with self.site.backend.database.writing() as session:
            new = NewUser(name, f"{name}@example.org", PASSWORD)
            made = await users.create(session, SYSTEM, new, role, self.password_hash)
        self.people[name] = Actor(made.id, made.name, made.role)
        return self.people[name]

    async def signed_in(self, name: str = "ann", role: Role = Role.USER) -> Browser:
        """A browser in which a person is signed in; the account is made when there is none."""
        person = self.people.get(name) or await self.add(name, role)
        async with self.site.backend.database.writing() as session:
            started = await start_session(
                session, person.user_id, TimeOuts.of(self.site.backend.config), user_agent="Test", address="127.0.0.1"
            )
        self.people[name] = started.actor
        return Browser(self.origin, {SESSION_COOKIE: started.token}, sockets=self.sockets)


def pages(_: ActorOf) -> Mapping[str, Callable[[], Any]]:
    """Return pages as small as they can be: what is tested is in front of them."""

    def page() -> Template:
        template = Template(templates.TEMPLATES.from_string(PAGE), items={"field": TextInput(value="typed")})
        template.add_variable("name", "<script>value()</script>")
        return template

    def broken() -> Template:
        return _guarded(lambda: {}["a secret detail"])

    return {"/": page, "/c/{chat_id}": page, "/admin/providers": page, "/broken": broken}


@pytest.fixture
def applications() -> Callable[[ActorOf], Mapping[str, Callable[[], Any]]]:
    """The pages that are served."""
    return pages


@pytest.fixture(scope="session")
def password_hash() -> str:
    """The hash of `PASSWORD`: one takes a tenth of a second."""
    from passlib.hash import argon2  # noqa: PLC0415 - only the tests that need it wait for it

    return str(argon2.hash(PASSWORD))


@pytest.fixture
async def site(sqlite_config: Config, sqlite_database: Database, secrets: Secrets) -> AsyncIterator[Site]:
    """A site with its own limits and an LLM API that is not there."""
    await asyncio.to_thread(assets.version)
    await asyncio.to_thread(templates.load)
    llm = LLMClient(sqlite_config.llm_api_url, secrets.signer)
    site = Site.of(Backend(sqlite_config, sqlite_database, llm, secrets))
    yield site
    site.passwords.close()
    await llm.aclose()


@pytest.fixture
async def workspace(site: Site, applications: Any, password_hash: str) -> AsyncIterator[Workspace]:
    """The served site."""
    served = serve(site, applications)
    workspace = Workspace(site, served, password_hash)
    yield workspace
    await workspace.served.close()
    for socket in workspace.sockets:
        socket.close()
