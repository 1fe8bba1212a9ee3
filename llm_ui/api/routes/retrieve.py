"""Looking for passages in the documents of a project."""

import time

from fastapi import APIRouter

from llm_ui.api.principal import Parts, Principal
from llm_ui.contract import FoundPassage, Retrieved, RetrieveRequest
from llm_ui.documents.retrieve import retrieve
from llm_ui.kit.ids import DocumentId, ProjectId
from llm_ui.services.projects import require_project

router = APIRouter(prefix="/v1/retrieve")


@router.post("")
async def search(body: RetrieveRequest, parts: Parts, actor: Principal) -> Retrieved:
    """Return the passages that fit best; a project that is not the actor's answers 404."""
    began = time.monotonic()
    project_id = ProjectId(body.project_id)
    async with parts.database.reading() as session:
        await require_project(session, actor, project_id)
        found = await retrieve(
            session,
            actor,
            project_id,
            body.query,
            most=body.most,
            documents=[DocumentId(one) for one in body.documents],
        )
    passages = tuple(
        FoundPassage(
            document_id=one.document_id, name=one.document_name, passage=one.chunk_id,
            headings=tuple(filter(None, one.title_path.split("\n"))), text=one.text, page_from=one.page_from,
            page_to=one.page_to, score=one.score,
        )
        for one in found
    )  # fmt: skip
    return Retrieved(passages=passages, took_ms=round((time.monotonic() - began) * 1000, 1))
