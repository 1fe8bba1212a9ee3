"""Passwords: what is acceptable, and that hashing stays off the loop and bounded."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_ui.errors import InvalidInput, Unavailable
from llm_ui.kit.passwords import HASHES_AT_ONCE, MAX_WAITING, Passwords, require_acceptable

GOOD = "a long walk by the river"
OWN_WORDS = ("margaret", "margaret.hamilton@example.org")


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    passwords = Passwords()
    yield passwords
    passwords.close()


@pytest.mark.parametrize(
    "password",
    [
        GOOD,
        "correct horse battery staple",
        "пароль из нескольких слов",
        "漢字仮名交じり文で十五文字以上",
        "😀🎉🚲🌧️🦊🍇⚓🎲🧊🪐🎻🧭🪁🏔️🌵",
    ],
)
def test_long_passwords_of_any_characters_are_fine(password: str) -> None:
    require_acceptable(password, OWN_WORDS)


@pytest.mark.parametrize("password", ["", "short", "fourteen chars", "Tr0ub4dor&3"])
def test_short_passwords_are_refused_with_the_length(password: str) -> None:
    with pytest.raises(InvalidInput, match="at least 15 characters"):
        require_acceptable(password, OWN_WORDS)


@pytest.mark.parametrize(
    "password",
    [
        "passwordpassword",
        "Password12345678",
        "qwertyuiopasdfgh",
        "1234567890123456",
        "123456789012345678901234567890",
        "aaaaaaaaaaaaaaaa",
        "abcabcabcabcabca",
        "abcdefghijklmnopqrst",
        "zyxwvutsrqponmlk",
        "margaretmargaret",
        "Margaret-Margaret1",
        "margaret.hamilton",
        "margaret.hamilton@example.org",
        "llm-ui-llm-ui-llm-ui",
        "drowssapdrowssap",
        "summer2026summer2026",
        "iloveyouiloveyou",
        "adminadminadmin1",
    ],
)
def test_passwords_that_are_guessed_first_are_refused(password: str) -> None:
    with pytest.raises(InvalidInput, match="easy to guess"):
        require_acceptable(password, OWN_WORDS)


def test_passwords_have_an_upper_limit_in_bytes() -> None:
    words = " ".join(f"word{number}" for number in range(400))
    require_acceptable(words[:1024], OWN_WORDS)

    with pytest.raises(InvalidInput, match="longer than"):
        require_acceptable(words[:1025], OWN_WORDS)


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=2_000), st.lists(st.text(max_size=20), max_size=3))
def test_any_text_is_judged_without_failing(password: str, own_words: list[str]) -> None:
    with contextlib.suppress(InvalidInput):
        require_acceptable(password, own_words)


async def test_a_hash_is_argon2id_salted_and_checked(passwords: Passwords) -> None:
    first, second = await passwords.hash(GOOD), await passwords.hash(GOOD)

    assert first.startswith("$argon2id$v=19$m=65536,t=3,")
    assert first != second
    assert await passwords.check(GOOD, first) == (True, None)
    assert await passwords.check(GOOD + "!", first) == (False, None)


async def test_the_whole_password_counts(passwords: Passwords) -> None:
    stored = await passwords.hash("x" * 1023 + "a")

    assert (await passwords.check("x" * 1023 + "b", stored))[0] is False
    assert (await passwords.check("x" * 1023, stored))[0] is False


async def test_the_same_keys_give_the_same_password_however_they_are_composed(passwords: Passwords) -> None:
    stored = await passwords.hash("caf\u00e9 au lait matinal")

    assert (await passwords.check("cafe\u0301 au lait matinal", stored))[0] is True


@pytest.mark.parametrize("password", ["", "\0", "\ud800", "a" * 5_000, "é" * 5_000, "a\0b"])
async def test_what_no_account_has_is_wrong_and_no_error(passwords: Passwords, password: str) -> None:
    stored = await passwords.hash(GOOD)

    assert await passwords.check(password, stored) == (False, None)
    assert await passwords.check(password, None) == (False, None)


async def test_an_account_that_is_not_there_has_the_parameters_of_one_that_is(passwords: Passwords) -> None:
    stored = await passwords.hash(GOOD)

    assert passwords._decoy.split("$")[:4] == stored.split("$")[:4]


async def test_a_hash_with_other_parameters_is_renewed_when_it_was_right(passwords: Passwords) -> None:
    old = str(passwords._context.handler("argon2").using(time_cost=1, memory_cost=64).hash(GOOD))

    is_right, renewed = await passwords.check(GOOD, old)

    assert is_right
    assert renewed is not None
    assert renewed.startswith("$argon2id$v=19$m=65536,t=3,")
    assert await passwords.check("wrong", old) == (False, None)


async def test_two_are_hashed_at_once_off_the_loop_and_too_many_are_refused(passwords: Passwords) -> None:
    release, running, most = threading.Event(), 0, 0
    lock = threading.Lock()

    def slow(_: str) -> str:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        release.wait(10)
        with lock:
            running -= 1
        return "hash"

    passwords._hash = slow  # type: ignore[method-assign]
    waiting = [asyncio.create_task(passwords.hash(GOOD)) for _ in range(MAX_WAITING)]
    await asyncio.sleep(0)

    with pytest.raises(Unavailable, match="Try again"):
        await passwords.hash(GOOD)

    release.set()
    assert await asyncio.gather(*waiting) == ["hash"] * MAX_WAITING
    assert most == HASHES_AT_ONCE
