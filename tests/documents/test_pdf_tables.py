"""Tables of PDF files, in the ways that programs draw them."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.documents.files import read
from tests.documents.pdf_files import in_one_text, in_one_text_array, lines, pdf

PARTS = [["Part", "Order number", "Price"], ["Bolt", "A-1 x", "0.20"], ["Pump, small", "B-7 y", "120.00"]]
SHAPE = [
    ("table_head", "Part | Order number | Price"),
    ("table_row", "Bolt | A-1 x | 0.20"),
    ("table_row", "Pump, small | B-7 y | 120.00"),
]
BEFORE, AFTER = "The pump is to be oiled every year, or it will wear out.", "After it comes more."

Drawn = Callable[[Sequence[Sequence[str]]], bytes]


@pytest.mark.parametrize("drawn", [in_one_text, in_one_text_array])
async def test_a_table_is_told_however_it_is_drawn(tmp_path: Path, drawn: Drawn) -> None:
    content = lines(BEFORE, y=740) + drawn(PARTS) + lines(AFTER, y=500)

    found = await read(tmp_path, pdf(content), "a.pdf")

    assert found.shape == [("text", BEFORE), *SHAPE, ("text", AFTER)]
