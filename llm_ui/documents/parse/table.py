"""Tables as text: values parted by commas, semicolons or tabs."""

import csv
import io
from collections.abc import Iterable, Iterator

from llm_ui.documents.parse.kind import TSV_TYPE
from llm_ui.documents.parse.paging import pieces, row
from llm_ui.documents.parse.source import Source
from llm_ui.documents.parse.text import decoded
from llm_ui.kit.reading import Block, Page

DELIMITERS = ",;\t|"
SAMPLE_CHARS = 20_000
FIELD_CHARS = 1_000_000


def read(source: Source) -> Iterator[Page]:
    """Yield the rows; the first one names the columns."""
    text = decoded(source)
    csv.field_size_limit(FIELD_CHARS)
    delimiter = "\t" if source.media_type == TSV_TYPE else _delimiter(text[:SAMPLE_CHARS])
    return pieces(rows(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)))


def rows(lines: Iterable[list[str]]) -> Iterator[Block]:
    """Yield the rows that hold anything, the first of them as the head."""
    is_head = True
    for cells in lines:
        if any(cell.strip() for cell in cells):
            yield row(cells, is_head=is_head)
            is_head = False


def _delimiter(sample: str) -> str:
    """Return what parts the values: what stands equally often in most lines, and most often there."""
    lines = [line for line in sample.split("\n")[:50] if line.strip()]

    def score(delimiter: str) -> tuple[int, int]:
        counts = [line.count(delimiter) for line in lines]
        usual = max(set(counts), key=counts.count, default=0)
        return (counts.count(usual) if usual else 0, usual)

    return max(DELIMITERS, key=score)
