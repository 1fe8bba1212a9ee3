"""What a new message would be sent with, before it is sent."""

from fastapi import APIRouter

from llm_ui.api.principal import Parts, Principal
from llm_ui.contract import Preview, PreviewRequest
from llm_ui.kit.ids import ChatId, ModelId, ProjectId
from llm_ui.runs import context
from llm_ui.services.chats import chat_row
from llm_ui.services.projects import require_project
from llm_ui.services.targets import target as find_target

router = APIRouter(prefix="/v1/preview")


@router.post("")
async def preview(body: PreviewRequest, parts: Parts, actor: Principal) -> Preview:
    """Return the context's size and the model's prices."""
    async with parts.database.reading() as session:
        await require_project(session, actor, ProjectId(body.project_id) if body.project_id else None)
        chat = None if body.chat_id is None else await chat_row(session, actor, ChatId(body.chat_id))
        model_id = ModelId(body.model_id) if body.model_id else None if chat is None else chat.model_id
        target = await find_target(session, actor, model_id, may_choose=True)
        likely = await parts.engine.router.picked_in_chat(session, actor, target, chat, body)
        return await context.preview(session, actor, body, likely, chat)
