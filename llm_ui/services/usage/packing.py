"""The bytes of a pack: a column of numbers, one of each sum, and one of how many calls were asked for by people
themselves, each in as few bytes a value as its largest needs.

First comes how many bytes a value of each column has (1, 2, 4 or 8), in one byte each; then the columns, unsigned,
little-endian. Money is in picodollars. Readers take whole columns at once.
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from llm_ui.services.usage.rollups import SUMS

if TYPE_CHECKING:
    import numpy as np

COLUMNS = 1 + len(SUMS) + 1
CODES = {1: "B", 2: "H", 4: "I", 8: "Q"}
"""Of the module `struct`, by bytes of a value."""
COST, REQUESTS = SUMS.index("cost_usd"), SUMS.index("requests")

Row = Sequence[int]
"""The number of a subject, then its sums in the order of `SUMS`; in a pack also how many calls it asked for."""


def packed(rows: Sequence[Row]) -> bytes:
    """Return the bytes of some rows, no two of which have one number."""
    columns = list(zip(*rows, strict=True)) or [()] * COLUMNS
    widths = [next(width for width in CODES if max(column, default=0) < 256**width) for column in columns]
    values = (struct.pack(f"<{len(rows)}{CODES[width]}", *one) for width, one in zip(widths, columns, strict=True))
    return bytes(widths) + b"".join(values)


def merged(packs: Iterable[bytes]) -> bytes:
    """Return the pack of what is in some packs, the sums of each number added up."""
    found: dict[int, list[int]] = {}
    for pack in packs:
        for number, *sums in _rows(pack):
            before = found.get(number)
            found[number] = sums if before is None else [one + more for one, more in zip(before, sums, strict=True)]
    return packed([(number, *sums) for number, sums in sorted(found.items())])


def most_expensive(packs: Sequence[bytes], rows: Sequence[Row], most: int | None) -> list[tuple[int, ...]]:
    """Return the sums of each number over some packs and rows, the most expensive first, then the busiest.

    `most`: of so many; None: of all. Takes milliseconds for each million of sums, without waiting for anything.
    """
    import numpy as np  # noqa: PLC0415 - 20 MB that only who reads packs needs

    tables = [_columns(pack)[: 1 + len(SUMS)] for pack in packs]
    if rows:
        tables.append(list(np.array(rows, dtype=np.int64).T))
    size = 1 + max((int(columns[0].max(initial=0)) for columns in tables), default=0)
    cost, requests = np.zeros(size, np.int64), np.zeros(size, np.int64)
    for number, *sums in tables:
        # No number is in a table twice, so none of these is lost.
        cost[number] += sums[COST].astype(np.int64)
        requests[number] += sums[REQUESTS].astype(np.int64)
    used = np.flatnonzero(requests)
    chosen = used[np.lexsort((-requests[used], -cost[used]))][:most]
    place = np.full(size, -1)
    place[chosen] = np.arange(len(chosen))
    totals = np.zeros((len(SUMS), len(chosen)), np.int64)
    for number, *sums in tables:
        rows_of = np.flatnonzero(place[number] >= 0)
        at = place[number[rows_of]]
        for total, one in zip(totals, sums, strict=True):
            total[at] += one[rows_of].astype(np.int64)
    return [(number, *sums) for number, sums in zip(chosen.tolist(), totals.T.tolist(), strict=True)]


def who_asked(packs: Iterable[bytes]) -> set[int]:
    """Return the numbers of those who asked for anything."""
    found: set[int] = set()
    for pack in packs:
        number, *_, asked = _columns(pack)
        found.update(number[asked > 0].tolist())
    return found


def _rows(pack: bytes) -> Iterator[tuple[int, ...]]:
    columns = (struct.unpack_from(f"<{many}{CODES[width]}", pack, at) for width, many, at in _layout(pack))
    return zip(*columns, strict=True)


def _columns(pack: bytes) -> "list[np.ndarray[Any, Any]]":
    import numpy as np  # noqa: PLC0415 - as above

    return [np.frombuffer(pack, f"<u{width}", many, at) for width, many, at in _layout(pack)]


def _layout(pack: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield of each column how many bytes a value has, how many values there are, and where they begin."""
    widths = pack[:COLUMNS]
    many, at = (len(pack) - COLUMNS) // sum(widths), COLUMNS
    for width in widths:
        yield width, many, at
        at += width * many
