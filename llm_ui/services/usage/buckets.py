"""How long calls took, as a histogram: which bucket a time belongs to, and percentiles of many.

Bucket b holds times above `EDGES[b - 1]` up to `EDGES[b]`; edges are powers of the fourth root of two, in milliseconds,
from 1 ms to 262 s; what is longer is in the last one. A percentile is the geometric middle of the bucket that it falls
into, so it is off by a factor of 2^(1/8) at most: 9.1 %. Below 1 ms and above 262 s it is the edge.
"""

import bisect
import math
from collections.abc import Mapping

from sqlalchemy import ColumnElement, case, literal_column
from sqlalchemy.orm import InstrumentedAttribute

STEPS = 4
"""Buckets for each doubling."""
LAST = 18 * STEPS
EDGES = tuple(round(2 ** (step / STEPS), 6) for step in range(LAST + 1))
"""In milliseconds."""


def bucket_of(ms: float) -> int:
    """Return the bucket of a time."""
    return bisect.bisect_left(EDGES, ms)


def bucket_sql(ms: InstrumentedAttribute[float | None], low: int = 0, high: int = LAST + 1) -> ColumnElement[int]:
    """Return the same as an expression: halves until one bucket is left, so that it is quick for many rows."""
    if low == high:
        return literal_column(str(low))
    middle = (low + high) // 2
    is_below = ms <= literal_column(str(EDGES[middle]))
    return case((is_below, bucket_sql(ms, low, middle)), else_=bucket_sql(ms, middle + 1, high))


def percentile(calls: Mapping[int, int], share: float) -> float | None:
    """Return the time in milliseconds that this share of the calls did not exceed; None without calls.

    `calls` counts them by bucket.
    """
    total = sum(calls.values())
    seen = 0
    for bucket in sorted(calls):
        seen += calls[bucket]
        if seen and seen >= share * total:
            return middle_of(bucket)
    return None


def middle_of(bucket: int) -> float:
    """Return the time that a bucket stands for, in milliseconds."""
    if bucket == 0 or bucket > LAST:
        return EDGES[min(bucket, LAST)]
    return math.sqrt(EDGES[bucket - 1] * EDGES[bucket])
