"""The requests to the provider that one answer takes, one after each use of tools: what each used, and when."""

import time
from dataclasses import dataclass, field
from decimal import Decimal

from llm_ui.contract import Usage
from llm_ui.kit.money import plain
from llm_ui.providers.base import UsageDelta
from llm_ui.services.prices import Prices, cost


@dataclass
class Round:
    """One request. Times are of the monotonic clock, in seconds."""

    input_tokens: int
    """Estimated."""
    prices: Prices
    """Of the model that is asked."""
    tried_at: float | None = None
    """When the provider was called for the first time; `called_at` is the last one."""
    called_at: float | None = None
    first_at: float | None = None
    last_at: float | None = None
    is_moved: bool = False
    """Whether it goes on with what another model had begun, and not with what tools gave."""
    is_cached: bool = False
    """Whether nobody was asked, for the answer was there."""
    request_id: str = ""
    """The provider's."""
    reported: UsageDelta = field(default_factory=UsageDelta)
    tokens_before: int = 0
    """Estimated, of what the model had said before this request; of its reasoning the next."""
    thoughts_before: int = 0

    def cost(self, used: Usage) -> Decimal | None:
        """Return the price of these tokens; None: nobody knows it. What was there is for nothing."""
        return Decimal(0) if self.is_cached else self.worth(used)

    def worth(self, used: Usage) -> Decimal | None:
        """Return what these tokens cost where they are asked for."""
        return cost(
            self.prices, input_tokens=used.input_tokens, cached_tokens=used.cached_tokens,
            output_tokens=used.output_tokens, reasoning_tokens=used.reasoning_tokens,
            written_tokens=self.reported.written_tokens or 0,
        )  # fmt: skip

    @property
    def span_s(self) -> float:
        """How long the model wrote."""
        return (self.last_at or 0) - (self.first_at or 0)

    def mark(self) -> None:
        """Something came."""
        self.last_at = time.monotonic()
        self.first_at = self.first_at or self.last_at

    def usage(self, said: int, thoughts: int, *, is_over: bool, is_whole: bool) -> Usage:
        """Return the tokens: the provider's once it has reported both sides and the request is over, else estimates.

        `said` and `thoughts` are estimates of all that the model has written for this answer. A stopped request's last
        report counts less than was said; the larger count is the honest one.
        """
        said, thoughts = said - self.tokens_before, thoughts - self.thoughts_before
        reported = self.reported
        if is_over and reported.input_tokens is not None and reported.output_tokens is not None:
            output = reported.output_tokens
            return Usage(
                input_tokens=reported.input_tokens,
                cached_tokens=reported.cached_tokens or 0,
                output_tokens=output if is_whole else max(output, said + thoughts),
                reasoning_tokens=reported.reasoning_tokens or 0,
                source="provider" if is_whole else "estimate",
            )
        called = self.called_at is not None or self.is_cached
        return Usage(
            input_tokens=(reported.input_tokens or self.input_tokens) if called else 0,
            cached_tokens=reported.cached_tokens or 0,
            output_tokens=said + thoughts,
            reasoning_tokens=thoughts,
            source="estimate",
        )


@dataclass
class Rounds:
    """Those of one answer: the one that goes on, and what those before it used."""

    now: Round
    received_at: float
    over: list[tuple[Round, Usage]] = field(default_factory=list)

    @property
    def number(self) -> int:
        """Counts the requests, from 1."""
        return len(self.over) + 1

    @property
    def first(self) -> Round:
        """Return the first one."""
        return self.over[0][0] if self.over else self.now

    @property
    def span_s(self) -> float:
        """How long the model wrote in all of them."""
        return self.now.span_s + sum(one.span_s for one, _ in self.over)

    def next(self, used: Usage, more: int, said: int, thoughts: int) -> None:
        """Begin another one, which is sent so many tokens more than the one before was and was answered with."""
        self.over.append((self.now, used))
        sent = self.now.input_tokens + more
        self.now = Round(sent, self.now.prices, tokens_before=said, thoughts_before=thoughts)

    def move(self, factor: float, prices: Prices, *, is_further: bool) -> None:
        """Another model is asked what this one did not answer; it counts the same as so many times the tokens."""
        before = self.now
        sent = round(before.input_tokens * factor)
        self.now = Round(
            sent, prices, is_moved=is_further, is_cached=before.is_cached, tokens_before=before.tokens_before,
            thoughts_before=before.thoughts_before,
        )  # fmt: skip

    def cost(self, now: Usage) -> Decimal | None:
        """Return the price of all, each at its own model's; of the one that goes on that of these tokens."""
        costs = [one.cost(used) for one, used in [*self.over, (self.now, now)]]
        known = [price for price in costs if price is not None]
        return sum(known, Decimal(0)).normalize() if len(known) == len(costs) else None

    def saved(self, now: Usage) -> Decimal | None:
        """Return what those would have cost whose answer was there; None: none was, or nobody knows it."""
        found = [one.worth(used) for one, used in [*self.over, (self.now, now)] if one.is_cached]
        known = [price for price in found if price is not None]
        return sum(known, Decimal(0)).normalize() if known else None

    def total(self, now: Usage) -> Usage:
        """Return the tokens of all; of the one that goes on these."""
        every = [*(used for _, used in self.over), now]
        return Usage(
            input_tokens=sum(used.input_tokens for used in every),
            cached_tokens=sum(used.cached_tokens for used in every),
            output_tokens=sum(used.output_tokens for used in every),
            reasoning_tokens=sum(used.reasoning_tokens for used in every),
            source="provider" if all(used.source == "provider" for used in every) else "estimate",
        )

    def listed(self, now: Usage) -> list[dict[str, object]]:
        """Return them as a run's manifest lists them; nothing of an answer that took one."""
        every = [*self.over, (self.now, now)]
        return [self._listed(one, used) for one, used in every] if self.over else []

    def _listed(self, one: Round, used: Usage) -> dict[str, object]:
        price = one.cost(used)
        return {
            **used.model_dump(),
            "cost_usd": None if price is None else plain(price),
            "request_id": one.request_id,
            "is_moved": one.is_moved,
            "called_ms": self._ms(one.called_at),
            "first_ms": self._ms(one.first_at),
            "last_ms": self._ms(one.last_at),
        }

    def _ms(self, at: float | None) -> float | None:
        return None if at is None else round((at - self.received_at) * 1000, 1)
