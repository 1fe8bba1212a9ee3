"""`python -m tests.bench [NAME …]`: the speed and memory budgets, each beside the raw path of the same run.

Nothing here fails for being slow: it prints figures to be read, with the machine named.
"""

import platform
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
from tabulate import tabulate

from tests.bench import (
    administration,
    api,
    chats,
    dashboard,
    filters,
    gateway,
    imports,
    lexical,
    litellm,
    pages,
    parse,
    rendering,
    retrieval,
    search,
    similar,
    start,
    vectors,
)


@dataclass(frozen=True)
class Row:
    """One figure beside the raw path's and the budget."""

    what: str
    ours: str
    raw: str
    ratio: str
    budget: str


BENCHES: dict[str, Callable[[Path], list[tuple[str, str, str, str, str]]]] = {
    "start": start.measure,
    "api": api.measure,
    "gateway": gateway.measure,
    "filters": filters.measure,
    "pages": pages.measure,
    "chats": chats.measure,
    "search": search.measure,
    "retrieval": retrieval.measure,
    "vectors": vectors.measure,
    "lexical": lexical.measure,
    "imports": imports.measure,
    "similar": similar.measure,
    "rendering": rendering.measure,
    "administration": administration.measure,
    "parse": parse.measure,
}
ASKED = {"litellm": litellm.measure}
"""Run only by name: it installs what it measures."""
TABLES = {"dashboard": dashboard.table}
"""Those with a table of their own: both databases beside each other."""


def main(names: list[str]) -> None:
    """Run the named benches, or all, and print one table."""
    known = {**BENCHES, **ASKED, **TABLES}
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.exit(f"unknown: {', '.join(unknown)}; there are {', '.join(known)}")
    rows: list[tuple[str, str, str, str, str]] = []
    tables: list[str] = []
    for name in names or [*BENCHES, *TABLES]:
        with tempfile.TemporaryDirectory() as folder:
            if name in TABLES:
                tables.append(TABLES[name](Path(folder)))
            else:
                rows += {**BENCHES, **ASKED}[name](Path(folder))
    memory_gb = psutil.virtual_memory().total / 2**30
    print(f"{platform.system()} {platform.machine()}, {psutil.cpu_count()} cores, {memory_gb:.0f} GB, ", end="")
    print(f"Python {platform.python_version()}; everything on loopback, one machine\n")
    if rows:
        tables.insert(0, tabulate(rows, headers=["what", "ours", "raw path", "ratio", "budget"], tablefmt="github"))
    print("\n\n".join(tables))


if __name__ == "__main__":
    main(sys.argv[1:])
