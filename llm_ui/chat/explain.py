"""*What the model saw*: the parts of what was sent, the timings and the price of one answer, for the page."""

from uuid import UUID

from llm_ui.chat import figures
from llm_ui.kit.ids import MessageId
from llm_ui.services.explanations import Explanation, SentPart, explain_answer
from llm_ui.ui.page import PageContext

MAX_CHARS = 4_000
"""Most characters of a message that the page is told; the rest is counted."""


async def explain(context: PageContext, answer_id: UUID) -> dict[str, object]:
    """Return what is known of how an answer came about. Raises `NotFound`, for somebody else's too."""
    actor = await context.actor()
    async with context.backend.database.reading() as session:
        found = await explain_answer(session, actor, MessageId(answer_id))
    return {
        "facts": _facts(found),
        "parts": [_part(part) for part in found.parts],
        "window": found.window,
        "reserved": found.reserved,
        "cut": found.cut,
        "left_out": list(found.left_out),
        "times": [
            {"name": name, "ms": ms}
            for name, ms in (
                ("Preparing", found.queue_ms),
                ("Waiting for the first token", found.ttft_ms),
                ("Writing", found.writing_ms),
            )
            if ms is not None
        ],
    }


def _facts(found: Explanation) -> list[list[str]]:
    about = "" if found.is_exact else "about "
    facts = [
        ("Model", f"{found.model_name} · {found.provider_name}"),
        ("Ended", found.ended),
        ("Tokens in", f"{about}{found.input_tokens:,}" if found.input_tokens is not None else ""),
        ("of these cached", f"{found.cached_tokens:,}" if found.cached_tokens else ""),
        ("Tokens out", f"{about}{found.output_tokens:,}" if found.output_tokens is not None else ""),
        ("of these reasoning", f"{found.reasoning_tokens:,}" if found.reasoning_tokens else ""),
        ("Cost", figures.price(found.cost_usd) if found.cost_usd is not None else "unknown: the model has no price"),
        ("Attempts", str(found.attempts) if found.attempts > 1 else ""),
        ("Temperature", "" if found.temperature is None else f"{found.temperature:g}"),
        ("Longest answer", "" if found.max_tokens is None else f"{found.max_tokens:,} tokens"),
        ("Request", found.request_id),
        ("Provider's request", found.provider_request_id),
    ]
    return [[name, value] for name, value in facts if value]


def _part(part: SentPart) -> dict[str, object]:
    return {
        "origin": part.origin,
        "name": part.name,
        "tokens": part.tokens,
        "files": [{"name": file.name, "tokens": file.tokens, "is_shown": file.is_shown} for file in part.files],
        "texts": [{"role": role, "text": _shortened(text)} for role, text in part.texts],
    }


def _shortened(text: str) -> str:
    more = len(text) - MAX_CHARS
    return f"{text[:MAX_CHARS]} … and {more:,} more characters" if more > 0 else text
