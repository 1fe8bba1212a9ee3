"""What a page asks to be told and that changes nothing: behind an answer, its request as code, what a search finds."""

from llm_ui.chat import ops
from llm_ui.chat.explain import explain
from llm_ui.chat.find import find
from llm_ui.chat.follow import Op
from llm_ui.chat.request_code import request_code
from llm_ui.llm_client import UserClient
from llm_ui.ui.page import PageContext


async def look_up(context: PageContext, client: UserClient, asked: ops.LookUp) -> Op:
    """Return the operation that tells it. Raises our errors."""
    match asked:
        case ops.Explain():
            return {"op": "explained", "answer": str(asked.answer), **await explain(context, asked.answer)}
        case ops.CopyRequest():
            code = await request_code(context, client, asked.answer, asked.language)
            return {"op": "request", "answer": str(asked.answer), "code": code}
        case ops.Search():
            return await find(context, asked)
