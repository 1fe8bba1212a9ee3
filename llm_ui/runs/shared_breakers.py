"""The breakers of several processes, shared through Redis.

Every process keeps its own and asks nobody while all is well. What it notes of a provider it tells the others, which
note the same: so five failures are five, whoever met them. Who probes, Redis says. Without it each goes on for itself.
"""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import RedisError

from llm_ui.errors import ProviderFault
from llm_ui.kit.ids import ProviderId
from llm_ui.observability.logging import get_logger
from llm_ui.runs.breaker import COUNTED, left_alone
from llm_ui.runs.breakers import Breakers

log = get_logger(__name__)

CHANNEL = "llm-ui:breakers"
OPEN_KEY = "llm-ui:breaker:open:"
"""With the provider's id: set while it is left alone, so that a process that starts knows it too."""
PROBE_KEY = "llm-ui:breaker:probe:"
"""With the provider's id: held by the one process that tries whether it is well again."""
KEPT_S = 600
"""How long it is remembered that a provider was left alone, if nobody asks it again."""
PROBE_S = 60
"""How long a process that dies while it tries keeps the others from it."""
PATIENCE_S = 1.0
"""Between attempts to hear from Redis."""
MOST_UNTOLD = 1_000
AWAY = (RedisError, OSError, TimeoutError)


class SharedBreakers(Breakers):
    """Those of a process that tells others, and is told, while `shared` is entered."""

    def __init__(self, redis: Redis, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(clock)
        self._redis = redis
        self._name = secrets.token_hex(8)
        self._untold: asyncio.Queue[tuple[str, ProviderId]] = asyncio.Queue(MOST_UNTOLD)
        self._probing: set[ProviderId] = set()
        self._is_away = False

    @asynccontextmanager
    async def shared(self) -> AsyncIterator[None]:
        """Tell and hear until the end of the block."""
        tasks = {asyncio.create_task(self._keep_telling()), asyncio.create_task(self._keep_hearing())}
        try:
            yield
        finally:
            # More than once: a cancellation gets lost in the client where it comes while a connection fails.
            while tasks:
                for task in tasks:
                    task.cancel()
                _, tasks = await asyncio.wait(tasks, timeout=0.1)

    async def admit(self, provider_id: ProviderId) -> None:
        """Let a request through; of those that try whether a provider is well again, one of all processes."""
        breaker = self.of(provider_id)
        if not breaker.admit():
            return
        try:
            is_ours = await self._redis.set(PROBE_KEY + str(provider_id), self._name, nx=True, ex=PROBE_S)
        except AWAY as error:
            self._lost(error)
            is_ours = True
        except BaseException:
            breaker.abandoned()
            raise
        if not is_ours:
            breaker.abandoned()
            raise left_alone(PATIENCE_S)
        self._probing.add(provider_id)

    def succeeded(self, provider_id: ProviderId) -> None:
        """Note that a request was answered, and tell it where a failure was told."""
        breaker = self.of(provider_id)
        is_news = breaker.is_noted
        breaker.succeeded()
        self._probing.discard(provider_id)
        if is_news:
            self._tell("well", provider_id)

    def abandoned(self, provider_id: ProviderId) -> None:
        """Note that a request ended without telling anything; if it was the probe, let another process try."""
        super().abandoned(provider_id)
        if provider_id in self._probing:
            self._probing.discard(provider_id)
            self._tell("let go", provider_id)

    def failed(self, provider_id: ProviderId, fault: ProviderFault) -> None:
        """Note a failure and tell it."""
        if fault not in COUNTED:
            self.abandoned(provider_id)
            return
        breaker = self.of(provider_id)
        is_probe = provider_id in self._probing
        self._probing.discard(provider_id)
        was_open = breaker.is_open
        breaker.failed(fault)
        has_opened = breaker.is_open and (is_probe or not was_open)
        self._tell("open" if has_opened else "failed", provider_id)

    def _tell(self, what: str, provider_id: ProviderId) -> None:
        with suppress(asyncio.QueueFull):
            self._untold.put_nowait((what, provider_id))

    async def _keep_telling(self) -> None:
        while True:
            what, provider_id = await self._untold.get()
            try:
                await self._told(what, provider_id)
            except AWAY as error:
                self._lost(error)

    async def _told(self, what: str, provider_id: ProviderId) -> None:
        message = json.dumps({"by": self._name, "what": what, "provider": str(provider_id)})
        async with self._redis.pipeline(transaction=True) as pipe:
            if what == "open":
                pipe.set(OPEN_KEY + str(provider_id), self._name, ex=KEPT_S)
            if what == "well":
                pipe.delete(OPEN_KEY + str(provider_id))
            if what != "failed":
                pipe.delete(PROBE_KEY + str(provider_id))
            if what != "let go":
                pipe.publish(CHANNEL, message)
            await pipe.execute()

    async def _keep_hearing(self) -> None:
        while True:
            try:
                await self._hear()
            except AWAY as error:
                self._lost(error)
            await asyncio.sleep(PATIENCE_S)

    async def _hear(self) -> None:
        """Take in what others tell, after what they had told before."""
        async with self._redis.pubsub() as listener:
            await listener.subscribe(CHANNEL)
            async for key in self._redis.scan_iter(f"{OPEN_KEY}*"):
                left_ms = await self._redis.pttl(key)
                breaker = self.of(_provider(key.removeprefix(OPEN_KEY)))
                if left_ms > 0 and not breaker.is_open:
                    breaker.open(since_s=KEPT_S - left_ms / 1000)
            self._is_away = False
            while True:
                message = await listener.get_message(ignore_subscribe_messages=True, timeout=5)
                if message is not None:
                    self._heard(json.loads(message["data"]))

    def _heard(self, told: dict[str, str]) -> None:
        if told["by"] == self._name:
            return
        provider_id = _provider(told["provider"])
        breaker = self.of(provider_id)
        match told["what"]:
            case "open":
                breaker.open()
            case "well":
                breaker.cleared()
            case _:
                was_open = breaker.is_open
                breaker.count()
                if breaker.is_open and not was_open:
                    # Told by the one that saw it last: of two that fail at once, none has seen all.
                    self._tell("open", provider_id)

    def _lost(self, error: Exception) -> None:
        if not self._is_away:
            log.warning("redis.away", error=type(error).__name__)
        self._is_away = True


def _provider(text: str) -> ProviderId:
    return ProviderId(UUID(text))
