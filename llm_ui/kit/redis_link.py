"""The connection to Redis, which the processes of one kind share what they know through."""

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

ANSWER_S = 1.0
"""What a command may take: whoever asks goes on without it after that."""


def open_redis(url: str) -> Redis:
    """Return a client, which connects when it is first used. Never log the address: it may hold a password."""
    # Without `driver_info` each connection reads the library's version from the disk, which blocks the loop.
    return Redis.from_url(
        url, decode_responses=True, socket_timeout=ANSWER_S, socket_connect_timeout=ANSWER_S,
        retry=Retry(NoBackoff(), 0), health_check_interval=10, driver_info=None,
    )  # fmt: skip
