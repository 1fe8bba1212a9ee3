"""What models are told ahead of a chat, and the versions of prompts, for a person's page."""

from llm_ui.chat import reply_ops
from llm_ui.chat.follow import Op
from llm_ui.db import ReadSession, Session
from llm_ui.kit.ids import AgentId, ChatId, ProjectId, PromptId, PromptVersionId, SavedPromptId
from llm_ui.kit.token_count import estimate
from llm_ui.services import agents, library, prompt_versions, prompts
from llm_ui.services.access import Actor, Permission
from llm_ui.services.chats import open_chat
from llm_ui.services.levels import Level, levels
from llm_ui.ui.names import shown_name
from llm_ui.ui.page import PageContext


async def told(context: PageContext, asked: reply_ops.Told) -> Op:
    """Do what is asked and return the operation that tells it. Raises our errors."""
    actor = await context.actor()
    database = context.backend.database
    match asked:
        case reply_ops.SavePersonal():
            async with database.writing() as session:
                await prompts.save_personal(session, actor, asked.text)
            return {"op": "told_changed"}
        case reply_ops.RestoreVersion():
            async with database.writing() as session:
                await _restore(session, actor, asked)
            return {"op": "told_changed"}
        case reply_ops.ListVersions():
            async with database.reading() as session:
                versions = await prompt_versions.list_versions(session, actor, PromptId(asked.prompt))
            pieces = await prompt_versions.differences(versions)
            listed = [
                {
                    "id": str(one.id),
                    "number": one.number,
                    "author": one.author_name,
                    "at": int(one.created_at.timestamp() * 1000),
                    "text": one.text,
                    "pieces": [{"kind": piece.kind, "text": piece.text} for piece in changed],
                }
                for one, changed in zip(versions, pieces, strict=True)
            ]
            return {"op": "versions", "prompt": str(asked.prompt), "versions": listed}
        case _:
            async with database.reading() as session:
                return await _levels(session, actor, asked)


async def _levels(session: ReadSession, actor: Actor, asked: reply_ops.ReadTold) -> Op:
    chat = None if asked.chat is None else await open_chat(session, actor, ChatId(asked.chat))
    prompt_id = None if chat is None else chat.system_prompt_id
    project_id = chat.project_id if chat is not None else None if asked.project is None else ProjectId(asked.project)
    agent = None if asked.agent is None else await agents.read(session, actor, AgentId(asked.agent))
    found = await levels(session, actor, prompt_id, project_id, agent=agent)
    platform = await prompts.instructions(session, actor, prompt_id)
    own = await prompts.personal_id(session, actor)
    may_change = actor.may(Permission.MANAGE_SETTINGS)
    return {
        "op": "told",
        "levels": list(map(_shown, found)),
        "personal": None if own is None else str(own),
        "platform": str(platform.id) if platform is not None and may_change else None,
    }


def _shown(level: Level) -> Op:
    name = level.name if level.origin in ("team", "project", "agent") else shown_name(level.name)
    return {"origin": level.origin, "name": name, "text": level.text, "tokens": estimate(level.text)}


async def _restore(session: Session, actor: Actor, asked: reply_ops.RestoreVersion) -> None:
    version = await prompt_versions.read(session, actor, PromptVersionId(asked.version))
    if asked.of == "personal":
        await prompts.save_personal(session, actor, version.text)
    elif asked.of == "platform":
        await prompts.change_text(session, actor, PromptId(asked.prompt), version.text)
    else:
        await library.change_text(session, actor, SavedPromptId(asked.prompt), version.text)
