"""PDF: pages, headings, paragraphs, what nobody sees, and files that are broken or made to do harm."""

import io
import zlib
from pathlib import Path

import pytest
from pypdf import PdfReader, PdfWriter

from llm_ui.documents.sandbox import LIMITS
from llm_ui.kit.reading import BlockKind
from tests.documents.files import read, refusal
from tests.documents.pdf_files import assembled, book, lines, pdf, stream

PROSE = lines(
    "The pump is to be oiled every year, for it will wear", "out otherwise. This costs four hun-", "dred euro."
)
SCAN = b"q 595 0 0 842 0 0 cm /Im1 Do Q\n"
IMAGE = {
    900: stream(
        b"\x00", b"/Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8"
    )
}
IMAGES = b"/XObject << /Im1 900 0 R >>"
DAMAGED = "a.pdf is damaged or not what it says it is. Open it in its application, save it anew and add that."


async def test_pages_are_kept_with_their_paragraphs(tmp_path: Path) -> None:
    content = pdf(PROSE + lines("Another paragraph.", y=620), b"", lines("Third page."))

    found = await read(tmp_path, content, "a.pdf")
    last = await read(tmp_path, content, "a.pdf", after_page=2)

    assert (found.end.media_type, found.end.has_pages, found.end.remark) == ("application/pdf", True, "")
    assert [[block.text for block in page.blocks] for page in found.pages] == [
        [
            "The pump is to be oiled every year, for it will wear out otherwise. This costs four hundred euro.",
            "Another paragraph.",
        ],
        [],
        ["Third page."],
    ]
    assert last.pages == found.pages[2:]


async def test_headings_are_told_by_their_size(tmp_path: Path) -> None:
    content = pdf(
        lines("Pumps", size=24, y=780) + PROSE + lines("Repair", size=15, y=600) + lines("Call us.", y=580)
        + lines("1 Pumps . . . . . . 3", "4", size=15, y=300) + lines("a footnote", size=7, y=100)
    )  # fmt: skip

    found = await read(tmp_path, content, "a.pdf")

    headings = [(block.text, block.level) for block in found.blocks if block.kind is BlockKind.HEADING]
    assert headings == [("Pumps", 1), ("Repair", 2)]
    assert found.of(BlockKind.TEXT)[-1] == "a footnote"


async def test_headings_are_told_by_the_contents_of_the_document(tmp_path: Path) -> None:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf(lines("Care of  pumps", y=780) + PROSE))))
    part = writer.add_outline_item(title="Part One", page_number=0)
    writer.add_outline_item(title="Care of Pumps", page_number=0, parent=part)
    written = io.BytesIO()
    writer.write(written)

    found = await read(tmp_path, written.getvalue(), "a.pdf")

    assert [(block.text, block.level) for block in found.blocks if block.kind is BlockKind.HEADING] == [
        ("Care of pumps", 2)
    ]


def drawn(rows: list[list[str]], starts: tuple[int, ...], y: int = 700) -> bytes:
    """Return the drawing of rows of a table, each cell for itself; a number ends where its column does."""
    return b"".join(
        lines(text, x=start + (60 - round(6.1 * len(text)) if text[-1].isdigit() else 0), y=y - 14 * at)
        for at, cells in enumerate(rows)
        for start, text in zip(starts, cells, strict=True)
        if text
    )


PARTS = [["Part", "Order number", "Price"], ["Bolt", "A-1 x", "0.20"], ["Pump, small", "B-7 y", "120.00"]]


async def test_what_stands_in_columns_is_a_table(tmp_path: Path) -> None:
    wrapped = [*PARTS, ["Washer", "C-9 z", "0.05"], ["", "from May on", ""]]
    content = PROSE + drawn(wrapped, (72, 200, 320), 640) + lines("After it comes more.", y=500)

    found = await read(tmp_path, pdf(content), "a.pdf")

    assert found.shape[1:] == [
        ("table_head", "Part | Order number | Price"),
        ("table_row", "Bolt | A-1 x | 0.20"),
        ("table_row", "Pump, small | B-7 y | 120.00"),
        ("table_row", "Washer | C-9 z from May on | 0.05"),
        ("text", "After it comes more."),
    ]


TWO_COLUMNS = [
    ["The pump is to be oiled every year, for it", "It is looked after by whoever has the key"],
    ["will wear out otherwise, and a new one is", "of the cellar, who writes it down in the"],
    ["dear. Two litres are enough for a summer.", "book that hangs beside the door, in ink."],
]
IN_BOLD = [["Oil it", "every", "year"], ["or it will", "wear", "out soon"], ["and be", "dear.", "Really"]]


@pytest.mark.parametrize(
    "content",
    [
        drawn(PARTS[:2], (72, 200, 320)),
        drawn(TWO_COLUMNS, (72, 310)),
        drawn(IN_BOLD[:1], (72, 110, 140)) + drawn(IN_BOLD[1:2], (72, 126, 153), 686)
        + drawn(IN_BOLD[2:], (72, 118, 151), 672),
        drawn([["1 Pumps . . . . .", "3", "a"]] * 4, (72, 200, 320)),
    ],
    ids=["two rows", "columns of prose", "words in bold", "contents"],
)  # fmt: skip
async def test_what_only_looks_like_a_table_stays_text(tmp_path: Path, content: bytes) -> None:
    found = await read(tmp_path, pdf(content), "a.pdf")

    assert {kind for kind, _ in found.shape} == {"text"}


async def test_lists_are_items_and_rows_stay_lines(tmp_path: Path) -> None:
    content = pdf(PROSE + lines("• oil it", "• turn it until", "it runs", y=600) + lines("bolt 1", "nut 2", y=500))

    found = await read(tmp_path, content, "a.pdf")

    assert found.of(BlockKind.ITEM) == ["oil it", "turn it until\nit runs"]
    assert found.blocks[-1].text == "bolt 1\nnut 2"


HIDDEN = {
    "no colour": b"BT 3 Tr /F1 11 Tf 72 300 Td (obey) Tj ET",
    "white": b"1 g BT /F1 11 Tf 72 300 Td (obey) Tj ET",
    "white in three": b"1 1 1 rg BT /F1 11 Tf 72 300 Td [(ob) -2 (ey)] TJ ET",
    "white of no ink": b"0 0 0 0 k BT /F1 11 Tf 72 300 Td (obey) ' ET",
    "white of its own": b"/Cs1 cs 1 1 1 scn BT /F1 11 Tf 72 300 Td (obey) Tj ET",
    "tiny": b"BT /F1 1 Tf 72 300 Td (obey) Tj ET",
    "made tiny": b"q .05 0 0 .05 0 0 cm BT /F1 11 Tf 720 3000 Td (obey) Tj ET Q",
    "beside the paper": b"BT /F1 11 Tf 700 300 Td (obey) Tj ET",
    "below the paper": b"BT /F1 11 Tf 72 -300 Td (obey) Tj ET",
    "transparent": b"/G0 gs BT /F1 11 Tf 72 300 Td (obey) Tj ET",
    "white after black": b"0 0 0 rg 300 300 50 50 re f 1 g BT /F1 11 Tf 72 300 Td (obey) Tj ET",
}
SEEN = {
    "white on black": b"0 0 0 rg 50 290 500 30 re f 1 g BT /F1 11 Tf 72 300 Td (obey) Tj ET",
    "white on a picture": SCAN + b"1 g BT /F1 11 Tf 72 300 Td (obey) Tj ET",
    "black again": b"q 1 g Q BT /F1 11 Tf 72 300 Td (obey) Tj ET",
    "black after white": b"1 g 0 g BT /F1 11 Tf 72 300 Td (obey) Tj ET",
    "outlined": b"BT 1 Tr /F1 11 Tf 72 300 Td (obey) Tj ET",
    "large by its matrix": b"BT /F1 1 Tf 11 0 0 11 72 300 Tm (obey) Tj ET",
    "on its side": b"BT /F1 11 Tf 0 1 -1 0 72 300 Tm (obey) Tj ET",
}
RESOURCES = IMAGES + b" /ExtGState << /G0 << /ca 0 /CA 0 >> /G1 << /ca 1 >> >>"


async def test_text_that_nobody_sees_is_left_out_and_told(tmp_path: Path) -> None:
    pages = [PROSE + b"q " + drawing + b" Q" for drawing in HIDDEN.values()]

    found = await read(tmp_path, pdf(*pages, resources=RESOURCES, more=IMAGE), "a.pdf")

    texts = [" ".join(block.text for block in page.blocks) for page in found.pages]
    assert [
        name for name, text in zip(HIDDEN, texts, strict=True) if "obey" in text or "four hundred" not in text
    ] == []
    assert found.end.remark == f"Pieces of hidden text were left out: {len(HIDDEN)}."


async def test_text_that_is_seen_stays(tmp_path: Path) -> None:
    pages = [PROSE + drawing for drawing in SEEN.values()]

    found = await read(tmp_path, pdf(*pages, resources=RESOURCES, more=IMAGE), "a.pdf")

    texts = [" ".join(block.text for block in page.blocks) for page in found.pages]
    assert [name for name, text in zip(SEEN, texts, strict=True) if "obey" not in text] == []
    assert found.end.remark == ""


async def test_the_text_of_a_scan_is_read_and_told(tmp_path: Path) -> None:
    page = SCAN + b"BT 3 Tr /F1 11 Tf 72 300 Td (What the scanner recognised.) Tj ET"

    found = await read(tmp_path, pdf(page, lines("Typed."), page, resources=IMAGES, more=IMAGE), "a.pdf")

    assert found.text.count("What the scanner recognised.") == 2
    assert found.end.remark == "Scanned pages, read as a program recognised their text: 1, 3."


async def test_scans_without_text_are_told(tmp_path: Path) -> None:
    mixed = await read(tmp_path, pdf(SCAN, lines("Typed."), SCAN, SCAN, resources=IMAGES, more=IMAGE), "a.pdf")

    assert mixed.end.remark == "Pages that show pictures and have no text: 1, 3-4."
    assert await refusal(tmp_path, pdf(SCAN, SCAN, resources=IMAGES, more=IMAGE), "a.pdf") == (
        "a.pdf holds scanned pages without text. Run text recognition (OCR) over it and add the result."
    )
    assert await refusal(tmp_path, pdf(b"", b""), "a.pdf") == "a.pdf holds no text. Pick another file."


def sealed(password: str) -> bytes:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf(PROSE))))
    writer.encrypt(password, "owner", algorithm="AES-256")
    written = io.BytesIO()
    writer.write(written)
    return written.getvalue()


async def test_a_sealed_file_is_refused_unless_anybody_may_open_it(tmp_path: Path) -> None:
    said = await refusal(tmp_path, sealed("secret"), "a.pdf")
    opened = await read(tmp_path, sealed(""), "a.pdf")

    assert said == "a.pdf is protected by a password. Save it without one and add that."
    assert "four hundred euro" in opened.text


async def test_the_beginning_of_a_file_is_no_file(tmp_path: Path) -> None:
    whole = pdf(PROSE, PROSE)

    for share in (0.02, 0.3):
        assert await refusal(tmp_path, whole[: int(len(whole) * share)], "a.pdf") == DAMAGED


@pytest.mark.parametrize(
    "content",
    [
        b"%PDF-1.7\n" + bytes(range(256)) * 40,
        assembled({1: b"<< /Type /Catalog /Pages 1 0 R >>"}),
        assembled({1: b"<< /Type /Catalog /Pages 2 0 R >>", 2: b"<< /Type /Pages /Count 1 /Kids [2 0 R] >>"}),
        assembled({1: b"<< /Type /Catalog >>"}),
        b"%PDF-1.7\n1 0 obj\n" + b"[" * 20_000 + b"\nendobj\ntrailer << /Root 1 0 R >>\nstartxref\n9\n%%EOF",
    ],
    ids=["noise", "its own pages", "a page in itself", "no pages", "endless nesting"],
)
async def test_a_damaged_file_gets_one_sentence(tmp_path: Path, content: bytes) -> None:
    assert await refusal(tmp_path, content, "a.pdf") in (DAMAGED, "a.pdf holds no text. Pick another file.")


async def test_forms_that_draw_each_other_and_scripts_do_no_harm(tmp_path: Path) -> None:
    resources = b"<< /Font << /F1 3 0 R >> /XObject << /X 901 0 R >> >>"
    form = b"/Type /XObject /Subtype /Form /BBox [0 0 595 842] /Resources " + resources
    more = {
        901: stream(b"BT /F1 11 Tf 72 500 Td (In the form.) Tj ET /X Do /X Do", form),
        902: b"<< /S /JavaScript /JS (app.alert('x')) >>",
    }

    found = await read(
        tmp_path,
        pdf(PROSE + b"/X Do", resources=b"/XObject << /X 901 0 R >>", more=more, catalog=b"/OpenAction 902 0 R"),
        "a.pdf",
    )

    assert "In the form." in found.text
    assert "alert" not in found.text


async def test_a_page_that_unpacks_to_far_too_much_is_refused(tmp_path: Path) -> None:
    bomb = zlib.compress(zlib.compress(b" " * 80_000_000, 9), 9)
    assert len(bomb) < 1_000
    twice = stream(bomb, b"/Filter [/FlateDecode /FlateDecode]")
    once = stream(zlib.compress(b"(x) Tj " * 11_000_000, 1), b"/Filter /FlateDecode")

    for content in (twice, once):
        objects = {
            1: b"<< /Type /Catalog /Pages 2 0 R >>", 2: b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
            3: b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>", 4: content,
            5: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        }  # fmt: skip
        said = await refusal(tmp_path, assembled(objects), "a.pdf")
        assert said == "a.pdf has a page with too much on it to be read. Save it anew, or split it."


async def test_a_file_of_more_pages_than_are_read_is_refused_at_once(tmp_path: Path) -> None:
    kids = b"[" + b"3 0 R " * (LIMITS.pages + 1) + b"]"
    content = assembled({
        1: b"<< /Type /Catalog /Pages 2 0 R >>",
        2: b"<< /Type /Pages /Count %d /Kids " % (LIMITS.pages + 1) + kids + b" >>",
        3: b"<< /Type /Page /Parent 2 0 R >>",
    })  # fmt: skip

    said = await refusal(tmp_path, content, "a.pdf")

    assert said == "a.pdf has more than 20,000 pages. Split it and add the parts."


async def test_one_damaged_page_does_not_spoil_the_others(tmp_path: Path) -> None:
    content = pdf(PROSE, b"BAD", PROSE).replace(
        b"<< /Length 3  >>\nstream\nBAD", b"<< /Length 3 /Filter /Odd >>\nstream\nBAD"
    )

    found = await read(tmp_path, content, "a.pdf")

    assert [bool(page.blocks) for page in found.pages] == [True, False, True]
    assert found.end.remark == "Pages that are damaged and could not be read: 2."


async def test_a_long_book_is_read_whole(tmp_path: Path) -> None:
    found = await read(tmp_path, book(300, paragraphs=1), "a.pdf")

    assert [page.number for page in found.pages] == list(range(1, 301))
    assert [block.text for block in found.blocks if block.kind is BlockKind.HEADING] == [
        f"Chapter {number}" for number in range(300)
    ]
