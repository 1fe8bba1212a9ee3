"""What was asked in the last minute, and what is being answered: counted in memory, or by several processes in Redis.

A minute slides: of the clock minute before this one so much still counts as its part of the last sixty seconds
(https://limits.readthedocs.io, sliding window counter, read 2026-11-22). What is taken is counted before it is known
whether it fits, and given back where it does not: of two that come together none gets through on what the other has.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from limits.aio.storage import MemoryStorage

from llm_ui.kit.bucket import Level
from llm_ui.observability.logging import get_logger

if TYPE_CHECKING:
    from limits.aio.storage import RedisStorage
    from redis.asyncio import Redis

log = get_logger(__name__)

T = TypeVar("T")
MINUTE_S = 60
KEPT_S = 2 * MINUTE_S + 5
"""A minute counts while it lasts, and in part during the next one."""
LEASE_S = 60
"""A place of a process that died comes free after so long."""
RENEW_S = 15.0
AWAY_S = 5.0
"""For how long Redis is left alone that did not answer; meanwhile each process counts for itself."""
HOLD = """
local now = tonumber(redis.call('TIME')[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZSCORE', KEYS[1], ARGV[1]) or redis.call('ZCARD', KEYS[1]) < tonumber(ARGV[2]) then
    redis.call('ZADD', KEYS[1], now + tonumber(ARGV[3]), ARGV[1])
    redis.call('EXPIRE', KEYS[1], ARGV[3])
    return 1
end
return 0
"""
UNLIMITED = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of taking some of what a minute allows."""

    wait_s: float
    """Until there is enough; 0: it was taken."""
    slot: int
    """The clock minute that it was taken in."""
    level: Level


@dataclass
class _Store:
    """Where is counted."""

    storage: "MemoryStorage | RedisStorage"
    redis: "Redis | None" = None
    held: dict[str, set[str]] = field(default_factory=dict)
    """In memory: who holds a place."""
    away: tuple[type[Exception], ...] = ()
    """What it raises where it cannot be reached."""

    async def hold(self, key: str, most: int, lease: str) -> bool:
        if self.redis is not None:
            return bool(await self.redis.eval(HOLD, 1, _named(key), lease, str(most), str(LEASE_S)))
        holders = self.held.setdefault(key, set())
        if lease not in holders and len(holders) >= most:
            return False
        holders.add(lease)
        return True

    async def let_go(self, key: str, lease: str) -> None:
        if self.redis is not None:
            await self.redis.zrem(_named(key), lease)
        elif (holders := self.held.get(key)) is not None:
            holders.discard(lease)
            if not holders:
                del self.held[key]


class Counts:
    """Counts for the limits of a process, or of all processes that share a Redis."""

    def __init__(self, redis_url: str | None, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._own = _Store(MemoryStorage())
        self._shared = None if redis_url is None else _in_redis(redis_url)
        self._away_until = 0.0
        self._leases: dict[tuple[str, str], int] = {}
        """What this process holds, and of how much at most."""
        self._renewing: asyncio.Task[None] | None = None

    async def take(self, key: str, limit: int, amount: int) -> Taken:
        """Take so much of what a minute allows, if there is enough. More than the limit needs an empty minute."""
        amount = min(amount, limit)
        slot, into_s = divmod(self._clock(), MINUTE_S)
        slot, share = int(slot), 1 - into_s / MINUTE_S
        current = await self._do(lambda at: at.storage.incr(f"{key}/{slot}", KEPT_S, amount))
        before = await self._do(lambda at: at.storage.get(f"{key}/{slot - 1}"))
        total = before * share + current
        if total <= limit:
            reset_s = 2 * MINUTE_S - into_s if current else share * MINUTE_S
            return Taken(0, slot, Level(limit, int(limit - total), reset_s))
        await self.give(key, slot, -amount)
        wait_s = _wait_s(before, current - amount, limit, amount, into_s)
        return Taken(wait_s, slot, Level(limit, max(0, int(limit - total + amount)), wait_s))

    async def give(self, key: str, slot: int, more: int) -> None:
        """Count more in a minute that was counted in already, or less."""
        if more and self._clock() // MINUTE_S - slot < 2:
            await self._do(lambda at: at.storage.incr(f"{key}/{slot}", KEPT_S, more))

    async def hold(self, key: str, most: int, lease: str) -> bool:
        """Hold one of so many places; return whether one was free."""
        if not await self._do(lambda at: at.hold(key, most, lease)):
            return False
        self._leases[key, lease] = most
        if self._shared is not None and (self._renewing is None or self._renewing.done()):
            self._renewing = asyncio.create_task(self._renew())
        return True

    async def let_go(self, key: str, lease: str) -> None:
        """Leave a place; one that is not held is no error."""
        if self._leases.pop((key, lease), None) is None:
            return
        await self._own.let_go(key, lease)
        if self._shared is not None:
            await self._do(lambda at: at.let_go(key, lease))

    async def close(self) -> None:
        """Leave all places, and Redis."""
        if self._renewing is not None:
            self._renewing.cancel()
        for key, lease in list(self._leases):
            await self.let_go(key, lease)
        if self._shared is not None and self._shared.redis is not None:
            with suppress(*self._shared.away):
                await self._shared.redis.aclose()

    async def _renew(self) -> None:
        """Keep the places of this process for as long as it holds any."""
        while self._leases:
            await asyncio.sleep(RENEW_S)
            for key, lease in list(self._leases):
                await self._do(partial(_Store.hold, key=key, most=UNLIMITED, lease=lease))

    async def _do(self, work: Callable[[_Store], Awaitable[T]]) -> T:
        """Count in Redis, or in memory while there is none or it does not answer: no question fails for that."""
        if self._shared is not None and time.monotonic() >= self._away_until:
            try:
                return await work(self._shared)
            except self._shared.away as error:
                self._away_until = time.monotonic() + AWAY_S
                log.warning("limits.redis_away", error=type(error).__name__)
        return await work(self._own)


def _in_redis(url: str) -> _Store:
    # Most have none, and it would take 10 MB.
    from limits.aio.storage import RedisStorage  # noqa: PLC0415
    from redis.exceptions import RedisError  # noqa: PLC0415

    from llm_ui.kit.redis_link import open_redis  # noqa: PLC0415

    redis = open_redis(url)
    pool: Any = redis.connection_pool
    storage = RedisStorage(f"async+{url}", implementation="redispy", key_prefix="llm-ui", connection_pool=pool)
    return _Store(storage, redis, away=(RedisError, OSError, TimeoutError))


def _named(key: str) -> str:
    return f"llm-ui:{key}"


def _wait_s(before: int, current: int, limit: int, amount: int, into_s: float) -> float:
    """Return the seconds until so much fits: in this minute as the one before ages, or in the next one."""
    if before and current + amount <= limit:
        return max(0.05, MINUTE_S * (1 - (limit - current - amount) / before) - into_s)
    left_s = MINUTE_S - into_s
    return left_s if current <= 0 else max(left_s, left_s + MINUTE_S * (1 - (limit - amount) / current))
