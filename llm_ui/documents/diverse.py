"""Passages that say nearly the same do not crowd out others.

Maximal marginal relevance: next comes the passage with the greatest `λ · relevance − (1 − λ) · likeness` to those that
were taken, the most like of them (Carbonell and Goldstein, The Use of MMR, Diversity-Based Reranking for Reordering
Documents and Producing Summaries, 1998, §2). Relevance is a passage's share of the best score. Likeness is Broder's
resemblance (On the Resemblance and Containment of Documents, 1997, §2): of all runs of three words that stand in either
the share that stands in both. Two versions of a text have most of theirs in common; two texts about the same thing,
which both may be needed, next to none.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence

RELEVANCE = 0.9
"""λ. On half of the questions of the Cranfield collection nDCG@10 is 0.376 with it and 0.375 without, recall@10 0.403
and 0.400. With a copy of every document in which one word in twenty is another, recall@10 is 0.356 and 0.318; at 0.7 it
is 0.386, for which nDCG@10 of the collection itself goes to 0.373."""
RUN = 3
"""Words."""


def diverse(texts: Sequence[str], scores: Sequence[float], most: int) -> list[int]:
    """Return the places of at most so many texts in the order in which they are to be read.

    They come best first, each with its score; of those with the same words the first one alone is taken.
    """
    runs = [_runs(text) for text in texts]
    holders: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for place, held in enumerate(runs):
        for run in held:
            holders[run].append(place)
    best = max(scores, default=1.0)
    worth = [RELEVANCE * score / best for score in scores]
    likest = [0.0] * len(texts)
    left = set(range(len(texts)))
    taken: list[int] = []
    while left and len(taken) < most:
        place = max(left, key=lambda one: (worth[one] - (1 - RELEVANCE) * likest[one], -one))
        left.remove(place)
        taken.append(place)
        shared = Counter(other for run in runs[place] for other in holders[run] if other in left)
        for other, count in shared.items():
            likeness = count / (len(runs[place]) + len(runs[other]) - count)
            likest[other] = max(likest[other], likeness)
            if likeness == 1:
                left.remove(other)
    return taken


def _runs(text: str) -> frozenset[tuple[str, ...]]:
    """Return the runs of words of a text; case and white space do not count. A shorter text is one run."""
    words = text.casefold().split()
    return frozenset(zip(*(words[at:] for at in range(RUN)), strict=False)) or frozenset({tuple(words)})
