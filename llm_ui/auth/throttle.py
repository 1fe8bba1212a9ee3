"""Throttling, per account and per address, in the memory of the one process that signs people in."""

import math
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from llm_ui.errors import NotFound, SignInRefused, TooManyRequests
from llm_ui.kit.i18n import ngettext
from llm_ui.kit.text import name_key

PER_ACCOUNT = (parse("8/5 minutes"), parse("30/1 hour"))
"""Wrong passwords for one account: enough for a person who tries their old ones, then the wait grows."""
PER_ADDRESS = (parse("30/5 minutes"), parse("200/1 hour"))
"""Wrong passwords from one address; a whole office may be behind one."""
NEW_ACCOUNTS = (parse("300/1 hour"),)
"""Attempts to make an account from one address, the failed ones included."""
LINKS = (parse("60/5 minutes"),)
"""Links that lead nowhere, from one address: a guess never hits, but each is a look into the database."""
ISSUERS = (parse("60/5 minutes"),)
"""Ways to an issuer that are begun from one address: each asks the issuer."""
ARCHIVES = (parse("10/1 hour"),)
"""Archives of all their chats that one person asks for: each reads and packs everything."""
UPLOADS = (parse("60/1 hour"),)
"""Files with chats that one person uploads."""
PAGES = (parse("600/1 minute"),)
"""Pages one person opens: as many as a process can build, so nobody takes all of it for long."""
KEY_CHARS = 64

Key = tuple[str, str]


LONG_S = 100
"""A wait as long as this is told in minutes."""


class Throttle:
    """Counts failures. Right passwords are never counted, and whoever is signed in is not asked."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._in_flight: Counter[Key] = Counter()

    @contextmanager
    def sign_in(self, account: str, address: str) -> Iterator[None]:
        """Hold a place while one password is checked; `SignInRefused` in the block counts as a wrong one.

        Raises `TooManyRequests` with when to try again, before anything is looked at. Attempts that are still being
        checked count as wrong, so that many at once are no more than one after the other.
        """
        with self._held(("account", name_key(account)[:KEY_CHARS]), address):
            yield

    @contextmanager
    def code(self, user_id: str, address: str) -> Iterator[None]:
        """Hold a place while one code of a second factor is checked, as for a password."""
        with self._held(("code", user_id), address):
            yield

    @contextmanager
    def _held(self, account: Key, address: str) -> Iterator[None]:
        held: dict[Key, Sequence[RateLimitItem]] = {account: PER_ACCOUNT, ("address", address): PER_ADDRESS}
        for key, limits in held.items():
            self._require(limits, key)
        self._in_flight.update(held.keys())
        try:
            yield
        except SignInRefused:
            for key, limits in held.items():
                self._count(limits, key)
            raise
        finally:
            self._in_flight.subtract(held.keys())
            # Only what is in flight is kept: an attacker chooses the names.
            self._in_flight = +self._in_flight

    @contextmanager
    def link(self, address: str) -> Iterator[None]:
        """Count a link that leads nowhere, `NotFound` in the block. Raises `TooManyRequests` after too many."""
        key = ("link", address)
        self._require(LINKS, key)
        try:
            yield
        except NotFound:
            self._count(LINKS, key)
            raise

    def new_account(self, address: str) -> None:
        """Count an attempt to make an account. Raises `TooManyRequests`."""
        self._take(NEW_ACCOUNTS, ("register", address))

    def issuer(self, address: str) -> None:
        """Count a sign-in through an issuer that begins. Raises `TooManyRequests`."""
        self._take(ISSUERS, ("issuer", address))

    def archive(self, user_id: str) -> None:
        """Count an archive that somebody asks for. Raises `TooManyRequests`."""
        self._take(ARCHIVES, ("archive", user_id))

    def upload(self, user_id: str) -> None:
        """Count a file that somebody uploads. Raises `TooManyRequests`."""
        self._take(UPLOADS, ("upload", user_id))

    def page(self, user_id: str) -> None:
        """Count a page that somebody opens. Raises `TooManyRequests`."""
        self._take(PAGES, ("page", user_id))

    def _take(self, limits: Sequence[RateLimitItem], key: Key) -> None:
        self._require(limits, key)
        self._count(limits, key)

    def _count(self, limits: Sequence[RateLimitItem], key: Key) -> None:
        for limit in limits:
            self._limiter.hit(limit, *key)

    def _require(self, limits: Sequence[RateLimitItem], key: Key) -> None:
        for limit in limits:
            window = self._limiter.get_window_stats(limit, *key)
            if window.remaining > self._in_flight[key]:
                continue
            wait_s = 1 if window.remaining else max(1, math.ceil(window.reset_time - time.time()))
            raise TooManyRequests(_sentence(wait_s), retry_after=wait_s)


def _sentence(wait_s: int) -> str:
    if wait_s < LONG_S:
        many = ngettext(
            "Too many attempts. Try again in a second.", "Too many attempts. Try again in {n} seconds.", wait_s
        )
        return many.format(n=wait_s)
    minutes = math.ceil(wait_s / 60)
    return ngettext(
        "Too many attempts. Try again in a minute.", "Too many attempts. Try again in {n} minutes.", minutes
    ).format(n=minutes)
