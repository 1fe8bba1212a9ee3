"""Which passages are worth to be scored: those that hold the most, and the rarest, of the words."""

import heapq
from collections.abc import Sequence
from operator import itemgetter


def promising(lists: Sequence[str], weights: Sequence[float], most: int) -> list[int]:
    """Return the passages with the greatest sum of the weights of the words they hold, the greatest first.

    Each list names the passages that hold one word, their numbers with commas between: in this form a database hands
    over 35,000 of them in 4 ms, which as rows takes 20. To add them up takes 9 ms; with NumPy it is 4, for which the
    processes that answer would have to load it.
    """
    sums: dict[str, float] = {}
    for numbers, weight in zip(lists, weights, strict=True):
        for number in numbers.split(","):
            sums[number] = sums.get(number, 0.0) + weight
    sums.pop("", None)
    return [int(number) for number, _ in heapq.nlargest(most, sums.items(), key=itemgetter(1))]
