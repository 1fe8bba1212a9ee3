"""Projects that are begun like another one: a duplicate, or one from a template. Chats are never taken along."""

from dataclasses import replace

from sqlalchemy import insert

from llm_ui.db import Session
from llm_ui.errors import NotFound
from llm_ui.kit.ids import DocumentId, MemoryId, ProjectId, uuid7
from llm_ui.models import Document, DocumentStage, Project, ProjectColor, ProjectIcon, UserMemory
from llm_ui.services import audit
from llm_ui.services.access import Actor, Permission, readable, require
from llm_ui.services.cutting import read_cutting
from llm_ui.services.memories import list_memories
from llm_ui.services.projects import let_memory_in, read, save
from llm_ui.services.quotas import require_room
from llm_ui.services.retrieval import list_cases, strategy_of, take_in


async def begin_like(
    session: Session,
    actor: Actor,
    original_id: ProjectId,
    name: str,
    look: tuple[ProjectColor, ProjectIcon],
    *,
    with_documents: bool,
) -> ProjectId:
    """Begin a project with the instructions, settings and facts of another one; with its documents if asked for.

    Its test set goes along with the documents that it is about.

    Raises `InvalidInput`, `NotFound`, and `TooLarge` when there is no room for its documents.
    """
    require(actor, Permission.CHAT)
    original = await read(session, actor, original_id)
    project_id = await save(session, actor, None, name)
    row = await session.scalar(readable(Project, actor).where(Project.id == project_id))
    if row is None:
        raise NotFound("The project was deleted at the same moment. Try again.")
    row.color, row.icon = look
    row.instructions = original.instructions
    await let_memory_in(session, actor, project_id, is_in=original.lets_memory_in)
    # As it is, even when the model is gone: that is said at the project's home.
    row.model_id, row.model_name = original.settings.model_id, original.settings.model_name
    row.temperature, row.max_tokens = original.settings.temperature, original.settings.max_tokens
    row.strategy = await strategy_of(session, actor, original_id)
    cutting = await read_cutting(session, actor, original_id)
    row.cutting, row.passage_tokens, row.overlap_tokens = cutting.by, cutting.passage_tokens, cutting.overlap_tokens
    for fact in await list_memories(session, actor, original_id):
        session.add(
            UserMemory(
                id=MemoryId(uuid7()), user_id=actor.user_id, project_id=project_id, text=fact.text, is_on=fact.is_on
            )
        )
    await session.flush()
    if with_documents:
        await _copy_documents(session, actor, original_id, project_id, name)
    await audit.record(
        session, actor, "project.copied", name, target_id=project_id, original=str(original_id),
        with_documents=with_documents,
    )  # fmt: skip
    return project_id


async def _copy_documents(
    session: Session, actor: Actor, original_id: ProjectId, project_id: ProjectId, name: str
) -> None:
    """Have a project hold the same files; workers take over what was read of them, or read them.

    The caller holds `FILES_LOCK`, so that two at once cannot take the same room. Raises `TooLarge`.
    """
    mine = readable(Document, actor).where(Document.project_id == original_id)
    originals = (await session.scalars(mine)).all()
    await require_room(session, actor, project_id, name, sum(one.size_bytes for one in originals))
    copies = {one.id: DocumentId(uuid7()) for one in originals}
    rows = [
        {
            "id": copies[one.id], "project_id": project_id, "user_id": actor.user_id, "name": one.name,
            "size_bytes": one.size_bytes, "sha256": one.sha256, "source_url": one.source_url,
            **(
                {"stage": DocumentStage.FAILED, "error_message": one.error_message, "copy_of": None}
                if one.stage is DocumentStage.FAILED
                else {"stage": DocumentStage.RECEIVED, "error_message": None, "copy_of": one.id}
            ),
        }
        for one in originals
    ]  # fmt: skip
    if rows:
        await session.execute(insert(Document), rows)
    cases = await list_cases(session, actor, original_id)
    await take_in(
        session, actor, project_id, [replace(one.told(), document_id=copies[one.document_id]) for one in cases]
    )
