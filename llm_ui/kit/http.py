"""HTTP clients that trust nothing from the environment and follow nobody."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import httpx2

from llm_ui.errors import LLMUIError

USER_AGENT = "llm-ui"
MAX_CONNECTIONS = 1_000
KEPT_ALIVE = 100
KEPT_ALIVE_S = 30.0
"""How long a connection waits for the next request; most providers close theirs after a minute."""
END_S = 0.05
"""How long an answer that has said its last word is waited for to close."""


def new_client(*, base_url: str = "", max_connections: int = MAX_CONNECTIONS) -> httpx2.AsyncClient:
    """Return a client with pooled connections.

    Proxies and certificates of the environment are ignored and redirects are not followed: a key must not go where
    nobody sent it.
    """
    return httpx2.AsyncClient(
        base_url=base_url,
        trust_env=False,
        follow_redirects=False,
        headers={"User-Agent": USER_AGENT},
        limits=httpx2.Limits(
            max_connections=max_connections, max_keepalive_connections=KEPT_ALIVE, keepalive_expiry=KEPT_ALIVE_S
        ),
    )


async def read_out(events: AsyncIterator[object]) -> None:
    """Read a streamed answer to its end once its last word is known; mostly both have come together.

    A body that is left before its end takes its connection with it, and the next request pays for another one: with TLS
    that is three round trips.
    """
    with suppress(TimeoutError, httpx2.HTTPError, LLMUIError):
        async with asyncio.timeout(END_S):
            async for _ in events:
                pass
