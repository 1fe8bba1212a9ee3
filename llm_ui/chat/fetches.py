"""Documents that are fetched from the web, for a person's page."""

from llm_ui.chat import reply_ops
from llm_ui.chat.documents import listed
from llm_ui.chat.follow import Op
from llm_ui.errors import Forbidden
from llm_ui.kit.ids import DocumentId, FetchId, ProjectId
from llm_ui.services import documents
from llm_ui.services import fetches as services
from llm_ui.ui.page import PageContext


async def fetches(context: PageContext, asked: reply_ops.Fetches) -> Op:
    """Do what is asked and return the operation that tells what is still to be fetched. Raises our errors."""
    if not context.backend.config.fetch_web:
        raise Forbidden("This server fetches nothing from the web. Download it and upload the file.")
    actor = await context.actor()
    async with context.backend.database.writing() as session:
        match asked:
            case reply_ops.FetchDocument():
                project_id = ProjectId(asked.project)
                await services.begin(session, actor, project_id, asked.address)
            case reply_ops.FetchAgain():
                project_id = (await documents.find(session, actor, DocumentId(asked.document))).project_id
                await services.begin_again(session, actor, DocumentId(asked.document))
            case reply_ops.RetryFetch():
                project_id = await services.retry(session, actor, FetchId(asked.fetch))
            case reply_ops.RemoveFetch():
                project_id = await services.remove(session, actor, FetchId(asked.fetch))
        listing = await documents.look_at(session, actor, project_id, [])
        shown = await listed(session, actor, project_id, listing)
    is_begun = isinstance(asked, reply_ops.FetchDocument)
    return {"op": "documents_now", "project": str(project_id), "is_begun": is_begun, **shown}
