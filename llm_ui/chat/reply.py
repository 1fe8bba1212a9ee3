"""What a page asks that one operation answers: what is behind an answer, a search, prompts, links, projects, wishes."""

from llm_ui.chat import ops
from llm_ui.chat.explain import explain
from llm_ui.chat.find import find
from llm_ui.chat.follow import Op
from llm_ui.chat.library import prompts
from llm_ui.chat.links import links
from llm_ui.chat.memories import memory
from llm_ui.chat.places import places
from llm_ui.chat.preferences import preferences
from llm_ui.chat.request_code import request_code
from llm_ui.chat.summaries import summary
from llm_ui.llm_client import UserClient
from llm_ui.ui.page import PageContext


async def reply(context: PageContext, client: UserClient, asked: ops.Replies) -> Op:
    """Do what is asked and return the operation that tells it. Raises our errors."""
    match asked:
        case ops.Explain():
            return {"op": "explained", "answer": str(asked.answer), **await explain(context, asked.answer)}
        case ops.CopyRequest():
            code = await request_code(context, client, asked.answer, asked.language)
            return {"op": "request", "answer": str(asked.answer), "code": code}
        case ops.Search():
            return await find(context, asked)
        case ops.ListPrompts() | ops.SavePrompt() | ops.DeletePrompt():
            return await prompts(context, asked)
        case ops.ListLinks() | ops.Share() | ops.Revoke():
            return await links(context, asked)
        case ops.ListPlaces() | ops.SaveProject() | ops.DeleteProject():
            return await places(context, asked)
        case ops.ReadPreferences() | ops.WantFollowUps():
            return await preferences(context, asked)
        case ops.ListMemories() | ops.SaveMemory() | ops.DeleteMemory() | ops.UseMemory():
            return await memory(context, asked)
        case ops.ReadSummary() | ops.EditSummary():
            return await summary(context, asked)
