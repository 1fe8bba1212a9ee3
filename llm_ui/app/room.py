"""How many pages there may be: each takes memory in this process until its websocket has been gone for a while."""

from collections.abc import Iterable
from typing import Any

from llm_ui.services.access import Actor

MAX_PAGES_A_PERSON = 40
MAX_PAGES = 1_000
"""At under a megabyte each, and more people than one process can serve."""
NEVER_MS = 10**12


async def make_room(contexts: Iterable[Any], actor: Actor) -> bool:
    """Return whether one more page fits, throwing away left ones first: those a reload leaves wait for nobody."""
    contexts = list(contexts)
    if await _fits(contexts, _of(actor), MAX_PAGES_A_PERSON):
        return await _fits(contexts, lambda _: True, MAX_PAGES)
    return False


def _of(actor: Actor) -> Any:
    return lambda live: live.document.session_context.request.actor.user_id == actor.user_id


async def _fits(contexts: list[Any], is_counted: Any, limit: int) -> bool:
    counted = [live for context in contexts for live in context.sessions if is_counted(live)]
    if len(counted) < limit:
        return True
    left = [live for live in counted if live.connection_count == 0]
    for live in sorted(left, key=lambda live: -live.milliseconds_since_last_unsubscribe)[: max(1, len(left) // 2)]:
        # Whoever comes back to it gets it built again from its token.
        live.request_expiration()
    for context in contexts:
        await context._cleanup_sessions(NEVER_MS)
    return bool(left)
