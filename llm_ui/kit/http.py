"""HTTP clients that trust nothing from the environment and follow nobody."""

import httpx2

USER_AGENT = "llm-ui"
MAX_CONNECTIONS = 1_000
KEPT_ALIVE = 100


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
        limits=httpx2.Limits(max_connections=max_connections, max_keepalive_connections=KEPT_ALIVE),
    )
