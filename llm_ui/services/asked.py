"""What a question leaves open is as its agent says it, and in a new chat as the project that it is kept in."""

from llm_ui.contract import ChatRequest
from llm_ui.db import ReadSession
from llm_ui.models import ChatHistory
from llm_ui.services import agents, ai_models
from llm_ui.services.access import Actor
from llm_ui.services.agents import AgentInfo
from llm_ui.services.projects import project_row


async def filled(
    session: ReadSession, actor: Actor, chat: ChatHistory, agent: AgentInfo | None, request: ChatRequest
) -> ChatRequest:
    """Return the request with the model and the parameters that it does not name.

    Pages name the model, with what the person sees beside it: only scripts leave it to the project. Where the project's
    is gone, or not for the actor, the one that would be asked without it answers.
    """
    if agent is not None:
        request = await agents.asked_of(session, actor, chat.agent_id, agent, request)
    if request.chat_id is not None or request.model_id is not None or chat.project_id is None:
        return request
    own = await project_row(session, actor, chat.project_id)
    offered = () if own.model_id is None else await ai_models.list_models(session, actor)
    return request.model_copy(
        update={
            "model_id": next((one.id for one in offered if one.id == own.model_id), None),
            "temperature": own.temperature if request.temperature is None else request.temperature,
            "max_tokens": own.max_tokens if request.max_tokens is None else request.max_tokens,
        }
    )
