"""How much of the model's window the next message finds taken, and what sending costs."""

from decimal import Decimal
from uuid import UUID

from llm_ui.chat import ops
from llm_ui.chat.follow import Op
from llm_ui.chat.limits import at_most
from llm_ui.contract import Preview, PreviewRequest
from llm_ui.kit.ids import ChatId
from llm_ui.llm_client import UserClient
from llm_ui.services.budgets import WARN_FROM
from llm_ui.ui.names import shown_name


async def gauge(
    client: UserClient, chat_id: ChatId | None, model_id: str | None, max_tokens: int | None, asked: ops.Gauge
) -> Op:
    """Return the operation that tells it. Raises what the LLM API refuses."""
    request = PreviewRequest(
        chat_id=chat_id,
        model_id=None if model_id is None else UUID(model_id),
        max_tokens=max_tokens,
        attachments=asked.attachments,
        project_id=asked.project if chat_id is None else None,
        is_temporary=asked.is_temporary,
        text=asked.text,
        documents=asked.documents,
        agent_id="none" if asked.agent is None else asked.agent,
    )
    found = await client.preview(request)
    return {
        "op": "gauge",
        "number": asked.number,
        "chat": None if chat_id is None else str(chat_id),
        "window": found.window,
        "reserved": found.reserved,
        "taken": found.instructions + found.history + found.passages,
        "attached": found.attachments,
        "passages": found.passages,
        "passage_count": found.passage_count,
        "is_in_project": found.is_in_project,
        "factor": found.tokens_factor,
        "is_cut": found.is_cut,
        "likely": shown_name(found.likely_model),
        "budget": None if found.budget_usd is None else _budget(found),
        "price": None if found.input_usd_per_mtok is None else float(found.input_usd_per_mtok),
    }


def _budget(found: Preview) -> Op:
    """Return what is left of the project's budget, and whether that is little."""
    amount, left = Decimal(found.budget_usd or 0), Decimal(found.budget_left_usd or 0)
    return {
        "amount": at_most(amount), "left": at_most(left), "left_usd": float(left),
        "is_low": left <= (1 - WARN_FROM) * amount,
    }  # fmt: skip
