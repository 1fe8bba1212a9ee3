"""How documents are cut into passages."""

from fastapi import APIRouter

from llm_ui.api.principal import Parts, Principal
from llm_ui.contract_passages import CutPassage, CutPreview, CutRequest
from llm_ui.documents.preview import preview
from llm_ui.kit.ids import DocumentId
from llm_ui.models import Cutting
from llm_ui.services.cutting import CuttingInfo

router = APIRouter(prefix="/v1/passages")


@router.post("/preview")
async def show(body: CutRequest, parts: Parts, actor: Principal) -> CutPreview:
    """Return how a document would be cut; one that is not the actor's answers 404."""
    cutting = CuttingInfo(Cutting(body.by), body.passage_tokens, body.overlap_tokens)
    found = await preview(parts.database, actor, DocumentId(body.document_id), cutting)
    passages = tuple(
        CutPassage(
            headings=tuple(filter(None, one.title_path.split("\n"))), text=one.text, page_from=one.page_from,
            page_to=one.page_to, tokens=one.tokens,
        )
        for one in found.passages
    )  # fmt: skip
    return CutPreview(passages=passages, count=found.count, mean_tokens=found.mean_tokens, is_all=found.is_all)
