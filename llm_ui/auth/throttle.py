"""Throttling of sign-ins: per account and per address, in the memory of the one process that signs people in."""

import math
import time
from collections.abc import Sequence

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from llm_ui.errors import TooManyRequests

PER_ACCOUNT = (parse("8/5 minutes"), parse("30/1 hour"))
"""Wrong passwords for one account; enough for a person who tries their old ones."""
PER_ADDRESS = (parse("30/5 minutes"), parse("200/1 hour"))
"""Wrong passwords from one address; a whole office may be behind one."""
NEW_ACCOUNTS = (parse("300/1 hour"),)


class Throttle:
    """Counts failures. Right passwords are never counted, and whoever is signed in is not asked."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def require_sign_in(self, account: str, address: str) -> None:
        """Raise `TooManyRequests` with when to try again, before a password is looked at."""
        self._require(PER_ACCOUNT, "account", account.strip().casefold())
        self._require(PER_ADDRESS, "address", address)

    def failed_sign_in(self, account: str, address: str) -> None:
        """Count a wrong password."""
        for limit in PER_ACCOUNT:
            self._limiter.hit(limit, "account", account.strip().casefold())
        for limit in PER_ADDRESS:
            self._limiter.hit(limit, "address", address)

    def new_account(self, address: str) -> None:
        """Count an attempt to make an account. Raises `TooManyRequests`."""
        self._require(NEW_ACCOUNTS, "register", address)
        for limit in NEW_ACCOUNTS:
            self._limiter.hit(limit, "register", address)

    def _require(self, limits: Sequence[RateLimitItem], kind: str, who: str) -> None:
        for limit in limits:
            if not self._limiter.test(limit, kind, who):
                reset_at = self._limiter.get_window_stats(limit, kind, who).reset_time
                wait_s = max(1, math.ceil(reset_at - time.time()))
                wait = f"{wait_s} seconds" if wait_s < 100 else f"{math.ceil(wait_s / 60)} minutes"
                raise TooManyRequests(f"Too many attempts. Try again in {wait}.", retry_after=wait_s)
