"""What comes after an answer: a better title, tags, questions to ask next."""

from typing import Protocol
from uuid import UUID

from llm_ui.chat.follow import Op
from llm_ui.errors import LLMUIError
from llm_ui.kit.ids import ChatId
from llm_ui.llm_client import UserClient
from llm_ui.observability.logging import get_logger

log = get_logger(__name__)

ATTEMPTS = 5
"""How often is asked for what is not there yet; each time the LLM API waits for it."""


class Page(Protocol):
    """The page that showed the answer."""

    title: str

    def tell(self, op: Op) -> None:
        """Send an operation."""

    async def retitled(self, chat_id: ChatId, title: str) -> None:
        """A chat has a better title, or tags."""


async def look_after(page: Page, client: UserClient, run_id: UUID) -> None:
    """Tell what is made after a run, once it is. Nobody waits for it, so nobody is told when it cannot be had."""
    title = page.title
    try:
        for _ in range(ATTEMPTS):
            found = await client.aftermath(run_id)
            if found.is_over:
                break
    except LLMUIError as error:
        log.info("aftermath.not_told", run_id=run_id, code=error.code)
        return
    if found.follow_ups:
        page.tell({"op": "follow_ups", "answer": str(found.answer_id), "questions": list(found.follow_ups)})
    if found.title != title or found.tags:
        await page.retitled(ChatId(found.chat_id), found.title)
