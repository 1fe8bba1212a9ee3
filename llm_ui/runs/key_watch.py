"""Ends what goes on with a key soon after the key has ended."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from llm_ui.db import Database
from llm_ui.errors import KeyRefused, LLMUIError
from llm_ui.kit.ids import KeyId
from llm_ui.observability.logging import get_logger
from llm_ui.services import keys

log = get_logger(__name__)

WATCH_S = 0.4
"""How often it is looked whether the keys in use are still good: what a revoked one began ends within a second."""
End = Callable[[LLMUIError], None]


class KeyWatch:
    """Looks whether keys in use are revoked, end, or belong to an account that is disabled meanwhile."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._held: dict[object, tuple[KeyId, End]] = {}
        self._watching: asyncio.Task[None] | None = None

    @contextmanager
    def over(self, key_id: KeyId, end: End) -> Iterator[None]:
        """Call `end` once when the key ends meanwhile."""
        mine = object()
        self._held[mine] = key_id, end
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(self._keep_watching())
        try:
            yield
        finally:
            self._held.pop(mine, None)

    def close(self) -> None:
        """Look no more."""
        if self._watching is not None:
            self._watching.cancel()

    async def _keep_watching(self) -> None:
        while self._held:
            await asyncio.sleep(WATCH_S)
            known = {key_id for key_id, _ in self._held.values()}
            try:
                async with self._database.reading() as session:
                    good = await keys.still_good(session, known)
            except LLMUIError as error:
                log.warning("gateway.keys_not_read", code=error.code)
                continue
            for mine in [mine for mine, (key_id, _) in self._held.items() if key_id in known - good]:
                _, end = self._held.pop(mine)
                end(KeyRefused())
