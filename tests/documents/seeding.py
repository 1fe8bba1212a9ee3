"""Projects with documents and passages, put straight into a database."""

import hashlib
from collections.abc import Iterable, Sequence

from sqlalchemy import insert

from llm_ui.db import Database
from llm_ui.kit.ids import DocumentId, ProjectId, uuid7
from llm_ui.kit.token_count import estimate
from llm_ui.models import Document, DocumentChunk, DocumentStage, Project
from llm_ui.services.access import Actor


async def a_project(database: Database, actor: Actor, name: str = "Project") -> ProjectId:
    """Store an empty project of the actor."""
    project_id = ProjectId(uuid7())
    async with database.writing() as session:
        session.add(Project(id=project_id, owner_id=actor.user_id, name=name))
    return project_id


async def a_document(
    database: Database,
    actor: Actor,
    project_id: ProjectId,
    passages: Sequence[str],
    *,
    name: str = "notes.txt",
    titles: Iterable[str] = (),
    stage: DocumentStage = DocumentStage.READY,
) -> DocumentId:
    """Store a document of these passages; the first of them stand under the titles."""
    document_id = DocumentId(uuid7())
    tokens = [estimate(text) for text in passages]
    headings = [*titles, *("" for _ in passages)]
    document = Document(
        id=document_id, project_id=project_id, user_id=actor.user_id, name=name, size_bytes=sum(map(len, passages)),
        sha256=hashlib.sha256(document_id.bytes).hexdigest(), stage=stage, chunk_count=len(passages),
        tokens=sum(tokens),
    )  # fmt: skip
    rows = [
        {"document_id": document_id, "project_id": project_id, "position": position, "title_path": headings[position],
         "text": text, "page_from": 1, "page_to": 1, "tokens": tokens[position]}
        for position, text in enumerate(passages)
    ]  # fmt: skip
    async with database.writing() as session:
        session.add(document)
        await session.flush()
        if rows:
            await session.execute(insert(DocumentChunk), rows)
    return document_id
