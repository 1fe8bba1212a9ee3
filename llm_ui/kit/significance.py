"""Whether two shares differ by more than chance would make them."""

from math import exp, lgamma

SLACK = 1e-7
"""Chances of tables that are equally likely differ by rounding."""


def fisher(good: int, bad: int, other_good: int, other_bad: int) -> float:
    """Return how likely shares at least as different are where there is no difference, from 0 to 1.

    Fisher's exact test, two-sided: the sum over all tables with the same margins that are at most as likely as this one
    (Fisher, Statistical Methods for Research Workers, 1934, section 21.02). Exact for few, too; its time grows with the
    smaller of the margins.
    """
    count, others, all_good = good + bad, other_good + other_bad, good + other_good
    fixed = _choices(count + others, all_good)

    def chance(here: int) -> float:
        return exp(_choices(count, here) + _choices(others, all_good - here) - fixed)

    seen = chance(good) * (1 + SLACK)
    tables = range(max(0, all_good - others), min(count, all_good) + 1)
    return min(1.0, sum(each for each in map(chance, tables) if each <= seen))


def _choices(count: int, chosen: int) -> float:
    """Return the logarithm of the number of ways to choose."""
    return lgamma(count + 1) - lgamma(chosen + 1) - lgamma(count - chosen + 1)
