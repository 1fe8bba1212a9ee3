"""Agents, for a person's page."""

import re
from uuid import UUID

from llm_ui.chat import agent_ops
from llm_ui.chat.follow import Op
from llm_ui.kit.ids import AgentId, DocumentId, ModelId, ProjectId
from llm_ui.services import agents as services
from llm_ui.services.access import Permission
from llm_ui.services.agents import AgentInfo, AgentSettings
from llm_ui.ui.page import PageContext

TEMPORARY_PATH = "/temporary"
AGENT_PATH = re.compile(rf"(?:{TEMPORARY_PATH})?/a/([0-9a-f\-]{{36}})/?")


def agent_of(path: str) -> AgentId | None:
    """Return the agent of a path, None when there is none in it."""
    found = AGENT_PATH.fullmatch(path)
    try:
        return None if found is None else AgentId(UUID(found.group(1)))
    except ValueError:
        return None


def picked_at(path: str, agent_id: AgentId | None) -> str:
    """Return the path once somebody was picked at it: that of a temporary chat names who answers there."""
    if not path.startswith(TEMPORARY_PATH):
        return path
    return TEMPORARY_PATH if agent_id is None else f"{TEMPORARY_PATH}/a/{agent_id}"


async def agents(
    context: PageContext,
    asked: agent_ops.ListAgents | agent_ops.SaveAgent | agent_ops.DeleteAgent | agent_ops.RestoreAgent,
) -> Op:
    """Do what is asked and return the operation that tells the agents. Raises our errors."""
    actor = await context.actor()
    database = context.backend.database
    saved: AgentId | None = None
    if not isinstance(asked, agent_ops.ListAgents):
        async with database.writing() as session:
            match asked:
                case agent_ops.SaveAgent():
                    agent_id = None if asked.agent is None else AgentId(asked.agent)
                    saved = await services.save(session, actor, agent_id, _settings(asked))
                case agent_ops.DeleteAgent():
                    await services.remove(session, actor, AgentId(asked.agent))
                case agent_ops.RestoreAgent():
                    await services.restore(session, actor, AgentId(asked.agent))
    async with database.reading() as session:
        found = await services.list_agents(session, actor)
    return {
        "op": "agents",
        "saved": None if saved is None else str(saved),
        "may_share": actor.may(Permission.MANAGE_SETTINGS),
        "agents": list(map(shown_agent, found)),
    }


async def knowledge(context: PageContext, asked: agent_ops.ListKnowledge) -> Op:
    """Return the operation that tells the documents of a project. Raises `NotFound`."""
    actor = await context.actor()
    async with context.backend.database.reading() as session:
        found = await services.name_documents(session, actor, ProjectId(asked.project))
    documents = [{"id": str(document_id), "name": name} for document_id, name in found]
    return {"op": "knowledge", "project": str(asked.project), "documents": documents}


def shown_agent(one: AgentInfo) -> Op:
    """Return an agent as the page is told of it."""
    own = one.settings
    return {
        "id": str(one.id),
        "name": own.name,
        "description": own.description,
        "instructions": own.instructions,
        "color": own.color.value,
        "icon": own.icon.value,
        "model": None if own.model_id is None else str(own.model_id),
        "model_name": own.model_name,
        "temperature": own.temperature,
        "max_tokens": own.max_tokens,
        "project": None if own.project_id is None else str(own.project_id),
        "documents": [str(each) for each in own.documents],
        "starters": list(own.starters),
        "is_shared": own.is_shared,
        "keeps_answers": own.keeps_answers,
        "keeps_similar": own.keeps_similar,
        "is_mine": one.is_mine,
        "owner": one.owner_name,
        "has_knowledge": one.has_knowledge,
    }


def _settings(asked: agent_ops.SaveAgent) -> AgentSettings:
    return AgentSettings(
        name=asked.name,
        description=asked.description,
        instructions=asked.instructions,
        color=asked.color,
        icon=asked.icon,
        model_id=None if asked.model is None else ModelId(asked.model),
        temperature=asked.temperature,
        max_tokens=asked.max_tokens,
        project_id=None if asked.project is None else ProjectId(asked.project),
        documents=tuple(DocumentId(each) for each in asked.documents),
        starters=asked.starters,
        is_shared=asked.is_shared,
        keeps_answers=asked.keeps_answers,
        keeps_similar=asked.keeps_similar,
    )
