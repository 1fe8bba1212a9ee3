"""A project and its documents, for a person's page."""

import asyncio

from llm_ui.chat import limits, reply_ops
from llm_ui.chat.follow import Op
from llm_ui.db import ReadSession
from llm_ui.errors import NotFound
from llm_ui.kit.clock import now
from llm_ui.kit.file_store import FileStore
from llm_ui.kit.i18n import told
from llm_ui.kit.ids import ChatId, DocumentId, ProjectId
from llm_ui.models import DocumentStage
from llm_ui.observability.logging import get_logger
from llm_ui.services import budgets, projects
from llm_ui.services import documents as services
from llm_ui.services.access import Actor
from llm_ui.services.documents import FILES_LOCK, DocumentInfo, Listing
from llm_ui.services.fetches import list_fetches
from llm_ui.services.project_figures import Used, contents, used
from llm_ui.services.quotas import room
from llm_ui.ui.amounts import price
from llm_ui.ui.page import PageContext

log = get_logger(__name__)


async def project(context: PageContext, asked: reply_ops.Projects | reply_ops.Documents) -> Op:
    """Do what is asked and return the operation that tells a project, or documents of it. Raises our errors."""
    match asked:
        case reply_ops.ReadProject() | reply_ops.SaveInstructions():
            return await _read(context, asked)
        case reply_ops.WeighProject():
            return await _weigh(context, asked)
        case reply_ops.ListDocuments() | reply_ops.LookAtDocuments():
            return await _look(context, asked)
        case reply_ops.ReadPage():
            return await _page(context, asked)
        case reply_ops.FindDocuments():
            return await _find(context, asked)
        case _:
            return await _change(context, asked)


async def _weigh(context: PageContext, asked: reply_ops.WeighProject) -> Op:
    """Return the operation that tells what is in a project, before it is deleted."""
    actor = await context.actor()
    async with context.backend.database.reading() as session:
        found = await contents(session, actor, ProjectId(asked.project))
    counts = {"documents": found.documents, "size": found.size_bytes, "facts": found.facts, "chats": found.chats}
    return {"op": "project_weight", "project": str(asked.project), **counts}


async def _read(context: PageContext, asked: reply_ops.ReadProject | reply_ops.SaveInstructions) -> Op:
    """Return the operation that tells a project with the first of its documents, or that it is gone."""
    actor = await context.actor()
    database = context.backend.database
    project_id = ProjectId(asked.project)
    if isinstance(asked, reply_ops.SaveInstructions):
        async with database.writing() as session:
            await projects.change(session, actor, project_id, instructions=asked.instructions)
    try:
        async with database.reading() as session:
            found = await projects.read(session, actor, project_id)
            listing = await services.list_documents(session, actor, project_id)
            shown = await listed(session, actor, project_id, listing)
            month = await used(
                session, actor, project_id, now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
            )
            in_all = await used(session, actor, project_id)
            budget = await budgets.read(session, actor, project_id)
    except NotFound as error:
        return {"op": "project_gone", "project": str(project_id), "text": told(error.message)}
    return {
        "op": "project",
        "project": str(found.id),
        "name": found.name,
        "instructions": found.instructions,
        "is_saved": isinstance(asked, reply_ops.SaveInstructions),
        "used": {"month": _told(month), "all": _told(in_all)},
        "budget": limits.budget(budget),
        **shown,
    }


def _told(figures: Used) -> Op:
    cost = None if figures.cost_usd is None else price(figures.cost_usd)
    return {"chats": figures.chats, "messages": figures.messages, "tokens": figures.tokens, "cost": cost}


async def _look(context: PageContext, asked: reply_ops.ListDocuments | reply_ops.LookAtDocuments) -> Op:
    actor = await context.actor()
    project_id = ProjectId(asked.project)
    async with context.backend.database.reading() as session:
        if isinstance(asked, reply_ops.LookAtDocuments):
            listing = await services.look_at(session, actor, project_id, list(map(DocumentId, asked.documents)))
            shown = await listed(session, actor, project_id, listing)
            return {"op": "documents_now", "project": str(project_id), **shown}
        listing = await services.list_documents(session, actor, project_id, name=asked.name, offset=asked.offset)
        shown = await listed(session, actor, project_id, listing)
    number = {"number": asked.number, "offset": asked.offset}
    return {"op": "documents", "project": str(project_id), **number, **shown}


async def _find(context: PageContext, asked: reply_ops.FindDocuments) -> Op:
    """Return the operation that tells what can be picked, and the project it is of."""
    actor = await context.actor()
    project_id = None if asked.project is None else ProjectId(asked.project)
    async with context.backend.database.reading() as session:
        if asked.chat is not None:
            project_id = await projects.project_of(session, actor, ChatId(asked.chat))
        found = () if project_id is None else await services.offer(session, actor, project_id, asked.text)
    documents = [
        {"id": str(one.id), "name": one.name, "pages": one.page_count if one.has_pages else 0} for one in found
    ]
    project = None if project_id is None else str(project_id)
    return {"op": "found_documents", "number": asked.number, "project": project, "documents": documents}


async def _page(context: PageContext, asked: reply_ops.ReadPage) -> Op:
    """Return the operation that tells a page of a document, or that it is gone."""
    actor = await context.actor()
    document_id = DocumentId(asked.document)
    cited: str | None = None
    try:
        async with context.backend.database.reading() as session:
            found = await services.find(session, actor, document_id)
            blocks = await services.read_page(session, actor, document_id, asked.page)
            if asked.passage is not None:
                passages = await services.passages_on(session, actor, document_id, asked.page)
                cited = next((one.text for one in passages if one.id == asked.passage), None)
    except NotFound:
        return {"op": "document_gone", "document": str(document_id)}
    return {"op": "document_page", "document": _shown(found), "page": asked.page, "blocks": blocks, "passage": cited}


async def _change(
    context: PageContext, asked: reply_ops.RenameDocument | reply_ops.RetryDocument | reply_ops.DeleteDocument
) -> Op:
    actor = await context.actor()
    database = context.backend.database
    document_id = DocumentId(asked.document)
    freed: str | None = None
    async with database.writing() as session:
        found = await services.find(session, actor, document_id)
        match asked:
            case reply_ops.RenameDocument():
                await services.rename(session, actor, document_id, asked.name)
            case reply_ops.RetryDocument():
                await services.retry(session, actor, document_id)
            case reply_ops.DeleteDocument():
                freed = await services.remove(session, actor, document_id)
        await session.flush()
        listing = await services.look_at(session, actor, found.project_id, [document_id])
        shown = await listed(session, actor, found.project_id, listing)
    if freed is not None:
        log.info("document.deleted", document_id=document_id, user_id=actor.user_id)
        await _let_go(context, freed)
    changed = {"document": str(document_id), "name": found.name, "is_deleted": freed is not None}
    return {"op": "document_changed", "project": str(found.project_id), **changed, **shown}


async def _let_go(context: PageContext, sha256: str) -> None:
    """Remove a stored file unless somebody needs it."""
    store = FileStore(context.backend.config.files_path)
    async with context.backend.database.writing(lock=FILES_LOCK) as session:
        if not await services.is_needed(session, sha256):
            await asyncio.to_thread(store.remove, sha256)


async def listed(session: ReadSession, actor: Actor, project_id: ProjectId, listing: Listing) -> Op:
    """Return documents, what is still to be fetched and how much room there is, as the page is told of them."""
    there_is = await room(session, actor, project_id)
    return {
        "documents": [_shown(one) | _meant(one, listing) for one in listing.documents],
        "count": listing.count,
        "busy": listing.busy,
        "failed": listing.failed,
        "unembedded": listing.unembedded,
        "size": listing.size_bytes,
        "being_read": [{"name": one.name, "page": one.page_count} for one in listing.being_read],
        "has_more": listing.has_more,
        "fetches": [
            {
                "id": str(one.id),
                "address": one.address,
                "error": one.error_message and told(one.error_message),
                "is_begun": one.is_begun,
            }
            for one in await list_fetches(session, actor, project_id)
        ],
        "most_size": there_is.most_of_project,
        "all_size": there_is.of_person,
        "most_all_size": there_is.most_of_person,
    }


def _meant(one: DocumentInfo, listing: Listing) -> Op:
    """Return whether a document that is ready can be found by what it means, where anything is."""
    if listing.embedding_model is None or one.stage is not DocumentStage.READY:
        return {"meaning": "none", "embed_error": None}
    if one.embedded_by == listing.embedding_model:
        return {"meaning": "ready", "embed_error": None}
    return {"meaning": "waiting", "embed_error": one.embed_error and told(one.embed_error)}


def _shown(one: DocumentInfo) -> Op:
    """Return a document as the page is told of it."""
    return {
        "id": str(one.id),
        "project": str(one.project_id),
        "name": one.name,
        "size": one.size_bytes,
        "source": one.source_url,
        "version": one.version,
        "stage": one.stage.value,
        "error": one.error_message and told(one.error_message),
        "remark": told(one.remark),
        "pages": one.page_count,
        "has_pages": one.has_pages,
        "passages": one.chunk_count,
    }
