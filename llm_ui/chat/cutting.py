"""How the documents of a project are cut into passages, for a person's page."""

from llm_ui.chat import reply_ops
from llm_ui.chat.documents import listed
from llm_ui.chat.follow import Op
from llm_ui.contract.passages import CutRequest
from llm_ui.kit.ids import ProjectId
from llm_ui.llm_client import UserClient
from llm_ui.services import documents
from llm_ui.services.cutting import CuttingInfo, read_cutting, set_cutting
from llm_ui.ui.page import PageContext


async def cutting(context: PageContext, client: UserClient, asked: reply_ops.Cuttings) -> Op:
    """Do what is asked and return the operation that tells it. Raises our errors."""
    match asked:
        case reply_ops.PreviewCutting():
            return await _preview(client, asked)
        case reply_ops.ReadCutting():
            actor = await context.actor()
            async with context.backend.database.reading() as session:
                found = await read_cutting(session, actor, ProjectId(asked.project))
            sizes = {"passage_tokens": found.passage_tokens, "overlap_tokens": found.overlap_tokens}
            return {"op": "cutting", "project": str(asked.project), "by": found.by.value, **sizes}
        case reply_ops.SaveCutting():
            return await _save(context, asked)


async def _preview(client: UserClient, asked: reply_ops.PreviewCutting) -> Op:
    request = CutRequest(
        document_id=asked.document, by=asked.by.value, passage_tokens=asked.passage_tokens,
        overlap_tokens=asked.overlap_tokens,
    )  # fmt: skip
    found = await client.preview_cut(request)
    return {"op": "cut", "number": asked.number, **found.model_dump(mode="json")}


async def _save(context: PageContext, asked: reply_ops.SaveCutting) -> Op:
    actor, project_id = await context.actor(), ProjectId(asked.project)
    async with context.backend.database.writing() as session:
        wanted = CuttingInfo(asked.by, asked.passage_tokens, asked.overlap_tokens)
        count = await set_cutting(session, actor, project_id, wanted)
        listing = await documents.list_documents(session, actor, project_id)
        shown = await listed(session, actor, project_id, listing)
    return {"op": "documents_cut", "project": str(project_id), "cut_anew": count, **shown}
