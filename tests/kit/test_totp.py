"""Codes that change with time."""

import pytest

from llm_ui.kit import totp

SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
"""The one of the RFCs: 12345678901234567890."""


@pytest.mark.parametrize(
    ("second", "code"),
    [
        (59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)  # fmt: skip
def test_codes_are_those_of_the_rfc(second: int, code: str) -> None:
    assert totp.code(SECRET, second // totp.STEP_S) == code


@pytest.mark.parametrize(("counter", "code"), [(0, "755224"), (1, "287082"), (9, "520489")])
def test_counters_are_those_of_the_rfc_before(counter: int, code: str) -> None:
    assert totp.code(SECRET, counter) == code


def test_codes_of_a_step_before_and_after_are_taken_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(totp.time, "time", lambda: 1111111111.0)
    present = totp.counter_now()

    taken = [totp.matched(SECRET, totp.code(SECRET, present + drift)) for drift in (-2, -1, 0, 1, 2)]

    assert taken == [None, present - 1, present, present + 1, None]
    assert totp.matched(SECRET, "") is totp.matched(SECRET, "¾½") is None


def test_an_address_can_be_read_by_apps() -> None:
    address = totp.address(SECRET, "Ada: & co", "ann lee")

    assert address == f"otpauth://totp/Ada%3A%20%26%20co:ann%20lee?secret={SECRET}&issuer=Ada%3A%20%26%20co"


def test_each_secret_is_another_one() -> None:
    assert len({totp.new_secret() for _ in range(10)}) == 10
