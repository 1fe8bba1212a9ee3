"""Looking for passages in the documents of a project."""

import time
from typing import Annotated

from fastapi import APIRouter

from llm_ui.api.principal import Parts
from llm_ui.api.rest.door import Told, asks
from llm_ui.contract import FoundPassage, Retrieved, RetrieveRequest
from llm_ui.kit.ids import DocumentId, ProjectId
from llm_ui.models import KeyScope, Strategy
from llm_ui.runs.passages import Search, seek
from llm_ui.services.access import Actor
from llm_ui.services.projects import require_project

router = APIRouter(prefix="/v1/retrieve", route_class=Told)

Reader = Annotated[Actor, asks(KeyScope.DOCUMENTS_READ)]


@router.post("")
async def retrieve(body: RetrieveRequest, parts: Parts, actor: Reader) -> Retrieved:
    """Return the passages that fit best; a project that is not the actor's answers 404."""
    began = time.monotonic()
    project_id = ProjectId(body.project_id)
    async with parts.database.reading() as session:
        await require_project(session, actor, project_id)
    named = [DocumentId(one) for one in body.documents]
    strategy = None if body.strategy is None else Strategy(body.strategy)
    search = Search(project_id, body.query, body.most, named, strategy)
    sought = await seek(parts.database, parts.embeddings, actor, search, parts.engine.reranker)
    passages = tuple(
        FoundPassage(
            document_id=one.document_id, name=one.document_name, passage=one.chunk_id,
            headings=tuple(filter(None, one.title_path.split("\n"))), text=one.text, page_from=one.page_from,
            page_to=one.page_to, score=one.score,
        )
        for one in sought.passages
    )  # fmt: skip
    took_ms = round((time.monotonic() - began) * 1000, 1)
    return Retrieved(passages=passages, took_ms=took_ms, strategy=sought.strategy.value, problem=sought.problem)
