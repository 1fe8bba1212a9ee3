"""The request that made an answer as code that makes it again."""

import json
import pprint
import shlex
from uuid import UUID

from llm_ui.chat.reply_ops import Language
from llm_ui.contract import SentRequest
from llm_ui.errors import NotFound
from llm_ui.kit.ids import MessageId
from llm_ui.llm_client import UserClient
from llm_ui.services.messages import read_message
from llm_ui.ui.page import PageContext


async def request_code(context: PageContext, client: UserClient, answer_id: UUID, language: Language) -> str:
    """Return the code. Raises `NotFound` for an answer that no model wrote, and what the LLM API refuses."""
    actor = await context.actor()
    async with context.backend.database.reading() as session:
        answer = await read_message(session, actor, MessageId(answer_id))
    if answer.run is None:
        raise NotFound("No model wrote this answer, so there is no request.")
    request = await client.sent_request(answer.run.id)
    return _curl(request) if language == "curl" else _python(request)


def _curl(request: SentRequest) -> str:
    lines = [f"curl {_in_shell(request.url)}", "-H 'Content-Type: application/json'"]
    lines += [f"-H {_in_shell(f'{name}: {value}')}" for name, value in request.headers.items()]
    lines.append(f"-d {shlex.quote(json.dumps(request.body, ensure_ascii=False, indent=2))}")
    return " \\\n  ".join(lines) + "\n"


def _in_shell(text: str) -> str:
    """Return a text quoted so that what stands for key or address is filled in from the environment."""
    return f'"{text}"' if "$" in text else shlex.quote(text)


def _python(request: SentRequest) -> str:
    headers = ", ".join(f"{name!r}: {_in_python(value)}" for name, value in request.headers.items())
    body = pprint.pformat(request.body, width=100, sort_dicts=False)
    return (
        "import os\n\nimport httpx\n\n"
        f"body = {body}\n"
        f"response = httpx.post({_in_python(request.url)}, headers={{{headers}}}, json=body, timeout=120)\n"
        "print(response.text)\n"
    )


def _in_python(text: str) -> str:
    return f"os.path.expandvars({text!r})" if "$" in text else repr(text)
