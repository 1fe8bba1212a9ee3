"""Passwords: what is acceptable, hashing and checking, never on the event loop.

Policy after NIST SP 800-63B-4 §3.1.1.2: a password that is the only factor has at least 15 characters, any
characters, no composition rules, and is not one that attackers try first. Hashes are argon2id (RFC 9106).
"""

import asyncio
import secrets
import unicodedata
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar, TypeVarTuple, Unpack

from passlib.context import CryptContext

from llm_ui.errors import InvalidInput, Unavailable

T = TypeVar("T")
Args = TypeVarTuple("Args")

MIN_CHARS = 15
MAX_BYTES = 1_024
"""Longer ones would make hashing a way to keep the server busy; no person types them."""
MIN_DISTINCT_CHARS = 5
HASHES_AT_ONCE = 2
"""A hash takes 64 MB and tens of milliseconds of a core: more at once would starve everything else."""
MAX_WAITING = 60
"""Whoever comes after these would wait for seconds, and a flood for ever longer."""

COMMON_WORDS = (
    "password", "passwort", "passw0rd", "p@ssw0rd", "qwerty", "letmein", "welcome", "iloveyou", "administrator",
    "admin", "changeme", "llm-ui", "llmui", "secret", "monkey", "dragon", "master", "football", "baseball",
    "sunshine", "princess", "superman", "trustno1", "abc123", "login", "hello", "test", "user",
)  # fmt: skip
SEQUENCES = ("abcdefghijklmnopqrstuvwxyz", "01234567890123456789", "qwertyuiopasdfghjklzxcvbnm")
MIN_WORD_CHARS = 3
MIN_RUN_CHARS = 6
MAX_SHARE_OF_COMMON = 0.6
"""A password most of which is a common word or the account's own name counts as that word."""


@cache
def _context() -> CryptContext:
    return CryptContext(schemes=["argon2"], argon2__type="ID")


@cache
def _decoy() -> str:
    """Return a hash that costs what an account's costs, and that nobody's password has."""
    return str(_context().hash(secrets.token_urlsafe(32)))


class Passwords:
    """Hashes and checks passwords in at most two threads of its own. Make one in each process."""

    def __init__(self) -> None:
        self._context = _context()
        self._threads = ThreadPoolExecutor(HASHES_AT_ONCE, thread_name_prefix="password")
        self._waiting = 0
        self._decoy = _decoy()

    async def hash(self, password: str) -> str:
        """Return the hash to store. Raises `Unavailable` when too many wait."""
        return await self._run(self._hash, password)

    async def check(self, password: str, stored: str | None) -> tuple[bool, str | None]:
        """Return whether the password is right, and a new hash when the stored one's parameters are out of date.

        Without a stored hash (nobody of that name) it takes as long as with one, and is wrong. Raises `Unavailable`
        when too many wait.
        """
        return await self._run(self._check, password, stored)

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[[Unpack[Args]], T], *args: *Args) -> T:
        if self._waiting >= MAX_WAITING:
            raise Unavailable("Many people are signing in right now. Try again in a few seconds.", retry_after=3)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, *args)
        finally:
            self._waiting -= 1

    def _hash(self, password: str) -> str:
        return str(self._context.hash(_normal(password)))

    def _check(self, password: str, stored: str | None) -> tuple[bool, str | None]:
        if not stored or len(password) > MAX_BYTES:
            self._context.verify(_normal(password[:MAX_BYTES]), self._decoy)
            return False, None
        is_right, renewed = self._context.verify_and_update(_normal(password), stored)
        return bool(is_right), renewed


def require_acceptable(password: str, own_words: Iterable[str]) -> None:
    """Raise `InvalidInput` with what to change unless the password may be used.

    `own_words` are the account's name and e-mail address, which attackers try first.
    """
    text = _normal(password)
    if len(text) < MIN_CHARS:
        raise InvalidInput(
            "The password needs at least {count} characters; a few words in a row are fine.", count=MIN_CHARS
        )
    if len(text.encode()) > MAX_BYTES:
        raise InvalidInput("The password is longer than {count} bytes. Shorten it.", count=MAX_BYTES)
    folded = text.casefold()
    words = [*COMMON_WORDS, *(part for word in own_words for part in word.casefold().split("@"))]
    if len(set(folded)) < MIN_DISTINCT_CHARS or _is_repetition(folded) or _is_mostly(folded, words):
        raise InvalidInput("This password is too easy to guess. Use a few unrelated words instead.")


def _normal(password: str) -> str:
    """Return the NFC form, so that the same keys give the same password on every keyboard and system."""
    return unicodedata.normalize("NFC", password.encode("utf-8", "replace").decode())


def _is_repetition(text: str) -> bool:
    return any(text == (text[:size] * (len(text) // size + 1))[: len(text)] for size in range(1, len(text) // 2 + 1))


def _is_mostly(text: str, words: Iterable[str]) -> bool:
    left = text
    # Longest first: a name inside an address must not break the address up.
    for word in sorted((word for word in words if len(word) >= MIN_WORD_CHARS), key=len, reverse=True):
        left = left.replace(word, "").replace(word[::-1], "")
    for sequence in (*SEQUENCES, *(sequence[::-1] for sequence in SEQUENCES)):
        for size in range(len(sequence), MIN_RUN_CHARS - 1, -1):
            for start in range(len(sequence) - size + 1):
                left = left.replace(sequence[start : start + size], "")
    return len(left) < (1 - MAX_SHARE_OF_COMMON) * len(text)
