"""Fisher's exact test beside what is reckoned with whole numbers, and what has to hold of any table."""

from fractions import Fraction
from math import comb

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from llm_ui.kit.significance import fisher

COUNTS = st.integers(0, 60)


def exactly(a: int, b: int, c: int, d: int) -> Fraction:
    """Return the same without rounding."""
    rows, good = a + b + c + d, a + c
    tables = range(max(0, good - c - d), min(a + b, good) + 1)
    chances = {here: Fraction(comb(a + b, here) * comb(c + d, good - here), comb(rows, good)) for here in tables}
    return sum((each for each in chances.values() if each <= chances[a]), Fraction())


@given(COUNTS, COUNTS, COUNTS, COUNTS)
@example(90, 10, 60, 40)
@example(3, 1, 1, 3)
def test_it_is_what_whole_numbers_give(a: int, b: int, c: int, d: int) -> None:
    p = fisher(a, b, c, d)

    assert 0 < p <= 1
    assert p == pytest.approx(float(exactly(a, b, c, d)))
    assert p == pytest.approx(fisher(c, d, a, b)) == pytest.approx(fisher(b, a, d, c))


def test_the_lady_who_tastes_tea() -> None:
    # Fisher, The Design of Experiments, 1935: three of four cups; one-sided 17/70, two-sided 34/70.
    assert fisher(3, 1, 1, 3) == pytest.approx(34 / 70)
