"""What a page may ask about agents, checked: everything a browser sends is untrusted."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from llm_ui.chat.op import Reply
from llm_ui.contract import MAX_ANSWER_TOKENS, MAX_TEMPERATURE
from llm_ui.models import ProjectColor, ProjectIcon
from llm_ui.services.agents import MAX_DESCRIPTION_CHARS, MAX_DOCUMENTS, MAX_INSTRUCTIONS_CHARS, MAX_NAME_CHARS


class ListAgents(Reply):
    """Tell the agents that may be asked."""

    op: Literal["list_agents"]


class SaveAgent(Reply):
    """Make an agent, or change one."""

    op: Literal["save_agent"]
    agent: UUID | None = None
    name: Annotated[str, Field(max_length=4 * MAX_NAME_CHARS)]
    description: Annotated[str, Field(max_length=4 * MAX_DESCRIPTION_CHARS)] = ""
    instructions: Annotated[str, Field(max_length=4 * MAX_INSTRUCTIONS_CHARS)] = ""
    color: ProjectColor = ProjectColor.GREY
    icon: ProjectIcon = ProjectIcon.STAR
    model: UUID | None = None
    temperature: Annotated[float, Field(ge=0, le=MAX_TEMPERATURE)] | None = None
    max_tokens: Annotated[int, Field(ge=1, le=MAX_ANSWER_TOKENS)] | None = None
    project: UUID | None = None
    documents: Annotated[tuple[UUID, ...], Field(max_length=MAX_DOCUMENTS)] = ()
    starters: Annotated[tuple[Annotated[str, Field(max_length=1_000)], ...], Field(max_length=50)] = ()
    is_shared: bool = False
    keeps_answers: bool = False
    keeps_similar: bool = False


class DeleteAgent(Reply):
    """Delete one."""

    op: Literal["delete_agent"]
    agent: UUID


class RestoreAgent(Reply):
    """Take it back."""

    op: Literal["restore_agent"]
    agent: UUID


class ListKnowledge(Reply):
    """Tell the documents of a project that an agent can be given."""

    op: Literal["list_knowledge"]
    project: UUID


Agents = ListAgents | SaveAgent | DeleteAgent | RestoreAgent | ListKnowledge
"""What is done with agents."""
