"""How much may be asked with a key, and by a person with all theirs. In the memory of one process."""

import math
from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from llm_ui.config import Config
from llm_ui.errors import TooManyRequests
from llm_ui.kit.bucket import Buckets, Level
from llm_ui.services.access import Actor
from llm_ui.services.keys import Caller


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left after a request was let through."""

    requests: Level
    tokens: Level


class Limits:
    """Counts requests, tokens and what goes on at the same time. One in each process."""

    def __init__(self, config: Config) -> None:
        self._requests = config.key_requests_per_minute
        self._tokens = config.key_tokens_per_minute
        self._most_at_once = config.key_requests_at_once
        self._buckets = Buckets()
        self._going_on: Counter[Hashable] = Counter()

    @contextmanager
    def admitted(self, caller: Caller, tokens: int) -> Iterator[Allowance]:
        """Let a request through that sends so many tokens, and hold its place. Raises `TooManyRequests`."""
        who = caller.actor.user_id, caller.series_id
        for one in who:
            if self._going_on[one] >= self._most_at_once:
                raise TooManyRequests(
                    "{most} requests are under way already. Wait until one of them has ended.",
                    most=self._most_at_once, retry_after=1,
                )  # fmt: skip
        taken = [
            ((kind, one), limit, amount) for one in who for kind, limit, amount in self._asked(caller, one, tokens)
        ]
        wait = max(self._buckets.wait_s(*one) for one in taken)
        if wait > 0:
            seconds = math.ceil(wait)
            raise TooManyRequests(
                "These are more requests or tokens than are allowed in a minute. Try again in {seconds} seconds.",
                seconds=seconds, retry_after=seconds,
            )  # fmt: skip
        for key, limit, amount in taken:
            self._buckets.take(key, limit, amount)
        self._going_on.update(who)
        try:
            yield self._allowance(caller)
        finally:
            self._going_on.subtract(who)
            self._going_on = +self._going_on

    def used(self, actor: Actor, tokens: int) -> None:
        """Count tokens that nobody knew of before: those of the answer. What is asked without a key does not count."""
        for one in (actor.user_id, actor.key.series_id) if actor.key is not None else ():
            self._buckets.take(("tokens", one), self._tokens, tokens)

    def _asked(self, caller: Caller, who: Hashable, tokens: int) -> Iterator[tuple[str, int, int]]:
        own = caller.requests_per_minute if who == caller.series_id else None
        yield "requests", own or self._requests, 1
        yield "tokens", self._tokens, tokens

    def _allowance(self, caller: Caller) -> Allowance:
        series = caller.series_id
        return Allowance(
            self._buckets.level(("requests", series), caller.requests_per_minute or self._requests),
            self._buckets.level(("tokens", series), self._tokens),
        )
