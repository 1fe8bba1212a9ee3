"""Tables of PDF files, in the ways that programs draw them."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.documents.files import read
from tests.documents.pdf_files import (
    by_cells,
    by_columns,
    in_one_text,
    in_one_text_array,
    in_spaces,
    lines,
    pdf,
    turned,
)

PARTS = [["Part", "Order number", "Price"], ["Bolt", "A-1 x", "0.20"], ["Pump, small", "B-7 y", "120.00"]]
SHAPE = [
    ("table_head", "Part | Order number | Price"),
    ("table_row", "Bolt | A-1 x | 0.20"),
    ("table_row", "Pump, small | B-7 y | 120.00"),
]
BEFORE, AFTER = "The pump is to be oiled every year, or it will wear out.", "After it comes more."

Drawn = Callable[[Sequence[Sequence[str]]], bytes]


@pytest.mark.parametrize("drawn", [in_one_text, in_one_text_array, in_spaces, by_cells, by_columns])
async def test_a_table_is_told_however_it_is_drawn(tmp_path: Path, drawn: Drawn) -> None:
    content = lines(BEFORE, y=740) + drawn(PARTS) + lines(AFTER, y=500)

    found = await read(tmp_path, pdf(content), "a.pdf")

    assert found.shape == [("text", BEFORE), *SHAPE, ("text", AFTER)]


@pytest.mark.parametrize("drawn", [by_cells, by_columns])
async def test_a_table_on_a_page_that_is_turned_is_told(tmp_path: Path, drawn: Drawn) -> None:
    found = await read(tmp_path, pdf(turned(drawn([[*row] for row in PARTS]) + lines(AFTER, y=500))), "a.pdf")

    assert found.shape == [*SHAPE, ("text", AFTER)]


async def test_cells_of_several_lines_stay_together(tmp_path: Path) -> None:
    rows = [
        ["Part", "Order\nnumber", "Price"],
        ["Bolt", "A-1", "0.20"],
        ["Pump,\nsmall", "B-7\nfrom May on", "120.00"],
        ["Washer", "C-9", "0.05"],
    ]

    found = await read(tmp_path, pdf(by_cells(rows, step=6)), "a.pdf")

    assert [text for _, text in found.shape] == [
        "Part | Order number | Price",
        "Bolt | A-1 | 0.20",
        "Pump, small | B-7 from May on | 120.00",
        "Washer | C-9 | 0.05",
    ]


@pytest.mark.parametrize("drawn", [by_cells, by_columns])
async def test_empty_cells_keep_their_columns(tmp_path: Path, drawn: Drawn) -> None:
    rows = [*PARTS, ["Washer", "", "0.05"], ["Nut", "C-9", "1.00"]]

    found = await read(tmp_path, pdf(drawn(rows)), "a.pdf")

    assert found.shape == [*SHAPE, ("table_row", "Washer |  | 0.05"), ("table_row", "Nut | C-9 | 1.00")]


async def test_a_title_above_several_columns_is_told_in_each(tmp_path: Path) -> None:
    starts = (72, 180, 260, 340, 420)
    titles = lines("2025", x=240, y=714) + lines("2026", x=400, y=714)
    rows = [
        ["Part", "North", "South", "North", "South"],
        ["Bolt", "10", "20", "30", "40"],
        ["Nut", "1", "2", "3", "4"],
        ["Pump", "5", "60", "7", "80"],
    ]

    found = await read(tmp_path, pdf(titles + by_cells(rows, 700, starts)), "a.pdf")

    assert [text for _, text in found.shape] == [
        "Part | 2025 North | 2025 South | 2026 North | 2026 South",
        "Bolt | 10 | 20 | 30 | 40",
        "Nut | 1 | 2 | 3 | 4",
        "Pump | 5 | 60 | 7 | 80",
    ]


async def test_a_table_that_goes_on_names_its_columns_on_each_page(tmp_path: Path) -> None:
    found = await read(tmp_path, pdf(by_columns(PARTS), by_columns([*PARTS, ["Nut", "C-9", "1.00"]])), "a.pdf")

    assert found.shape == [*SHAPE, *SHAPE, ("table_row", "Nut | C-9 | 1.00")]


LEFT = [
    "The pump is to be oiled", "every year, or it will", "wear out and a new one", "is dear. Two litres are",
    "enough for a summer of", "work in the cellar.",
]  # fmt: skip
RIGHT = [
    "It is looked after by", "whoever has the key of", "the house, who writes it", "down in the book beside",
    "the door, in ink, with", "the day and the name.",
]  # fmt: skip
INDEX = [["bolt, 12", "nut, 3", "valve, 90"], ["cellar, 5", "oil, 7-9", "washer, 4"], ["key, 71", "pump, 1", "yard, 8"]]


@pytest.mark.parametrize(
    "rows",
    [[[*both] for both in zip(LEFT, RIGHT, strict=True)], [[*all_] for all_ in zip(LEFT, RIGHT, LEFT, strict=True)],
     INDEX],
    ids=["two columns of prose", "three columns of prose", "an index"],
)  # fmt: skip
async def test_columns_that_are_no_table_stay_in_their_order(tmp_path: Path, rows: list[list[str]]) -> None:
    starts = (72, 220, 370)[: len(rows[0])]

    found = await read(tmp_path, pdf(by_columns(rows, 700, starts)), "a.pdf")

    assert {kind for kind, _ in found.shape} == {"text"}
    assert " ".join(found.text.split()) == " ".join(row[at] for at in range(len(starts)) for row in rows)
