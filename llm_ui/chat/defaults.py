"""What a chat that begins is asked with: as its agent says, else its project, else as the person had it outside."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, Protocol
from uuid import UUID

from llm_ui.chat.agents import agent_of, picked_at, shown_agent
from llm_ui.chat.follow import Op
from llm_ui.chat.ops import PickAgent, PickModel
from llm_ui.chat.tools import Tools
from llm_ui.errors import NotFound
from llm_ui.kit.i18n import told
from llm_ui.kit.ids import AgentId, ProjectId
from llm_ui.services import agents, projects
from llm_ui.services.agents import AgentInfo, AgentSettings
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

    def tell(self, op: Op) -> None:
        """Send an operation."""


_Says = ProjectSettings | AgentSettings
"""What says what a chat begins with."""


class Defaults:
    """Sets the controls of one page where a chat begins; what they showed outside of projects comes back there."""

    def __init__(self, context: PageContext, page: Page, tell: Callable[[Op], None]) -> None:
        self._context = context
        self._page = page
        self.tools = Tools(context, tell)
        self._own: Choice | None = None
        """What the person had, while the controls show what a project or an agent says."""
        self.path = ""
        """Where the person is; it may name the agent of a chat that begins."""
        self.agent: AgentInfo | None = None
        """Who answers next; None: the model alone."""
        self._alone: Choice | None = None
        """What the controls showed before an agent was picked; None: nobody knows."""

    def wanted(self) -> dict[str, object]:
        """Return the fields of a request that say who answers, and with which tools."""
        return {"agent_id": self.answers, **self.tools.wanted()}

    @property
    def answers(self) -> UUID | Literal["none"]:
        """Return who answers next, as a request names it."""
        return "none" if self.agent is None else self.agent.id

    @property
    def asks(self) -> tuple[object, object]:
        """Return what is asked next, and who answers with it."""
        return self._page.controls().model, self.answers

    async def begin(self, project_id: ProjectId | None) -> None:
        """A chat is to begin, in a project or in none, perhaps with an agent."""
        self.tools.opened(None)
        own = self._own or self._page.controls()
        agent_id = agent_of(self.path)
        try:
            self._answered_by(None if agent_id is None else await self._find(agent_id))
        except NotFound as error:
            self._page.tell({"op": "toast", "text": told(error.message), "is_error": True})
        wanted = None if project_id is None else await self._read(project_id)
        of_agent, self._alone = _said(self.agent), None
        if wanted is None and of_agent is None:
            self._own = None
            if own != self._page.controls():
                self._page.controls(own)
            return
        self._own = own
        self._set(of_agent, self._set(wanted, own))

    async def opened(self, chat: ChatDetail) -> None:
        """A chat was opened: it keeps whom and what it was asked with last."""
        self.tools.opened(chat)
        is_set = chat.project_id is not None or chat.agent_id is not None
        self._own = (self._own or self._page.controls()) if is_set else None
        actor = await self._context.actor()
        async with self._context.backend.database.reading() as session:
            agent, gone = await agents.of_chat(session, actor, chat.id, chat.agent_id)
        self._answered_by(agent, gone)
        self._alone = None
        model = None if chat.model_id is None else str(chat.model_id)
        if model is not None and self._page.offers(model):
            self._page.controls(Choice(model, chat.temperature, chat.max_tokens))

    async def pick(self, asked: PickModel | PickAgent) -> None:
        """Ask this model next, or have this agent answer. Raises `NotFound`."""
        shown, had_agent = self._page.controls(), self.agent is not None
        if isinstance(asked, PickModel):
            model = str(asked.model)
            self._page.controls(replace(shown, model=model if self._page.offers(model) else shown.model))
            return
        self._answered_by(None if asked.agent is None else await self._find(AgentId(asked.agent)))
        self.path = picked_at(self.path, None if self.agent is None else self.agent.id)
        if self.agent is None:
            self._page.controls(self._alone or replace(shown, temperature=None, max_tokens=None))
            return
        self._alone = self._alone if had_agent else shown
        self._set(_said(self.agent), self._alone or shown)

    def _set(self, wanted: _Says | None, otherwise: Choice) -> Choice:
        """Have the controls show what is said; where nothing is said what they show otherwise."""
        if wanted is None:
            return otherwise
        model = None if wanted.model_id is None else str(wanted.model_id)
        return self._page.controls(
            Choice(
                model if model is not None and self._page.offers(model) else otherwise.model,
                otherwise.temperature if wanted.temperature is None else wanted.temperature,
                otherwise.max_tokens if wanted.max_tokens is None else wanted.max_tokens,
            )
        )

    def _answered_by(self, agent: AgentInfo | None, gone: str = "") -> None:
        self.agent = agent
        self._page.tell({"op": "agent", "agent": None if agent is None else shown_agent(agent), "gone": gone})

    async def _find(self, agent_id: AgentId) -> AgentInfo:
        actor = await self._context.actor()
        async with self._context.backend.database.reading() as session:
            return await agents.read(session, actor, agent_id)

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


def _said(agent: AgentInfo | None) -> AgentSettings | None:
    """Return what an agent says; None when that is nothing."""
    if agent is None:
        return None
    own = agent.settings
    return None if (own.model_id, own.temperature, own.max_tokens) == (None, None, None) else own
