"""What every page is built from."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.kit.ids import SessionId, UserId
from llm_ui.llm_client import LLMClient
from llm_ui.models import Role
from llm_ui.services.access import Actor
from llm_ui.services.appearance import Appearance
from llm_ui.services.secrets import Secrets


@dataclass(frozen=True, slots=True)
class Backend:
    """What the pages of one process share."""

    config: Config
    database: Database
    llm: LLMClient
    secrets: Secrets


@dataclass(frozen=True, slots=True)
class PageContext:
    """One open page: the backend and whoever opened it.

    `user_id`, `name` and `role` are as they were when the page was built and decide only what is drawn; every action
    asks `actor()`, which reads the session and the account anew and raises `NotSignedIn` once they are gone.
    """

    backend: Backend
    session_id: SessionId
    user_id: UserId
    name: str
    role: Role
    csrf_token: str
    actor: Callable[[], Awaitable[Actor]]
    appearance: Appearance = field(default_factory=Appearance)
    is_open: Callable[[], bool] = lambda: True
    """Whether a browser is connected to it."""
