"""What a chat that begins is asked with: as its project says, else as the person had it outside of projects."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from llm_ui.chat.follow import Op
from llm_ui.chat.tools import Tools
from llm_ui.errors import NotFound
from llm_ui.kit.ids import ProjectId
from llm_ui.services import projects
from llm_ui.services.chats import ChatDetail
from llm_ui.services.projects import ProjectSettings
from llm_ui.ui.page import PageContext


@dataclass(frozen=True, slots=True)
class Choice:
    """A model and its parameters."""

    model: str | None
    temperature: float | None
    max_tokens: int | None


class Page(Protocol):
    """The page whose controls show it."""

    def controls(self, chosen: Choice | None = None) -> Choice:
        """Return what the controls show, once they show this."""

    def offers(self, model: str) -> bool:
        """Return whether this model may be asked."""


class Defaults:
    """Sets the controls of one page where a chat begins; what they showed outside of projects comes back there."""

    def __init__(self, context: PageContext, page: Page, tell: Callable[[Op], None]) -> None:
        self._context = context
        self._page = page
        self.tools = Tools(context, tell)
        self._own: Choice | None = None
        """What the person had, while the controls show what a project says."""

    async def begin(self, project_id: ProjectId | None) -> None:
        """A chat is to begin, in a project or in none."""
        self.tools.opened(None)
        own = self._own or self._page.controls()
        wanted = None if project_id is None else await self._read(project_id)
        if wanted is None:
            self._own = None
            if own != self._page.controls():
                self._page.controls(own)
            return
        self._own = own
        model = None if wanted.model_id is None else str(wanted.model_id)
        self._page.controls(
            Choice(
                model if model is not None and self._page.offers(model) else own.model,
                own.temperature if wanted.temperature is None else wanted.temperature,
                own.max_tokens if wanted.max_tokens is None else wanted.max_tokens,
            )
        )

    def opened(self, chat: ChatDetail) -> None:
        """A chat was opened: it keeps what it was asked with last."""
        self.tools.opened(chat)
        self._own = None if chat.project_id is None else self._own or self._page.controls()
        model = None if chat.model_id is None else str(chat.model_id)
        if model is not None and self._page.offers(model):
            self._page.controls(Choice(model, chat.temperature, chat.max_tokens))

    async def _read(self, project_id: ProjectId) -> ProjectSettings | None:
        """Return what a project says; None when that is nothing."""
        actor = await self._context.actor()
        try:
            async with self._context.backend.database.reading() as session:
                found = (await projects.read(session, actor, project_id)).settings
        except NotFound:
            return None
        says = found.model_id, found.temperature, found.max_tokens
        return None if says == (None, None, None) else found
