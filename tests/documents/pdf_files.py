"""A maker of PDF files: objects, cross-reference table, trailer."""

import zlib
from collections.abc import Mapping, Sequence


def lines(*texts: str, x: int = 72, y: int = 700, size: float = 11, leading: float = 14) -> bytes:
    """Return the drawing of lines of text below one another."""
    shown = " T* ".join(f"({text}) Tj" for text in texts)
    return f"BT /F1 {size} Tf {leading} TL {x} {y} Td {shown} ET\n".encode("cp1252")


STARTS = (72, 200, 320)
LETTER_PT = 5.5
"""Of print of 11 points, on the whole."""


def in_one_text(rows: Sequence[Sequence[str]], y: int = 700) -> bytes:
    """Return the drawing of a table row by row, with a move from cell to cell and no other break."""
    drawing = b"BT /F1 11 Tf 1 0 0 1 72 %d Tm " % y
    for cells in rows:
        at = STARTS[0]
        for start, text in zip(STARTS, cells, strict=True):
            drawing += b"%d 0 Td (%s) Tj " % (start - at, text.encode("cp1252"))
            at = start
        drawing += b"%d -14 Td " % (STARTS[0] - at)
    return drawing + b"ET\n"


def in_one_text_array(rows: Sequence[Sequence[str]], y: int = 700) -> bytes:
    """Return the drawing of a table with each row in one piece, as TeX draws them."""
    drawing = b"BT /F1 11 Tf 1 0 0 1 72 %d Tm " % y
    for cells in rows:
        gaps = [b"%d" % -((right - left - LETTER_PT * len(text)) / 11 * 1000)
                for left, right, text in zip(STARTS, STARTS[1:], cells, strict=False)]  # fmt: skip
        parts = [b"(%s)" % text.encode("cp1252") for text in cells]
        drawing += b"[" + b"".join(part + gap for part, gap in zip(parts, [*gaps, b""], strict=True)) + b"] TJ "
        drawing += b"0 -14 Td "
    return drawing + b"ET\n"


def pdf(
    *pages: bytes,
    packed: bool = False,
    resources: bytes = b"",
    more: Mapping[int, bytes] | None = None,
    catalog: bytes = b"",
    trailer: bytes = b"",
) -> bytes:
    """Return a file with one content stream a page. `more` holds objects by number, from 900 on."""
    kids = b" ".join(b"%d 0 R" % (10 + 2 * number) for number in range(len(pages)))
    objects: dict[int, bytes] = {
        1: b"<< /Type /Catalog /Pages 2 0 R " + catalog + b" >>",
        2: b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(pages), kids),
        3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    }
    for number, content in enumerate(pages):
        page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R " % (11 + 2 * number)
        objects[10 + 2 * number] = page + b"/Resources << /Font << /F1 3 0 R >> " + resources + b" >> >>"
        objects[11 + 2 * number] = (
            stream(zlib.compress(content), b"/Filter /FlateDecode") if packed else stream(content)
        )
    return assembled({**objects, **(more or {})}, trailer)


def stream(content: bytes, entries: bytes = b"") -> bytes:
    """Return an object that holds bytes."""
    return b"<< /Length %d " % len(content) + entries + b" >>\nstream\n" + content + b"\nendstream"


def assembled(objects: Mapping[int, bytes], trailer: bytes = b"") -> bytes:
    """Return a file of the objects, of which the first is the catalogue."""
    file = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    places: list[tuple[int, int]] = []
    for number, content in sorted(objects.items()):
        places.append((number, len(file)))
        file += b"%d 0 obj\n" % number + content + b"\nendobj\n"
    start = len(file)
    file += b"xref\n0 1\n0000000000 65535 f \n"
    for number, place in places:
        file += b"%d 1\n%010d 00000 n \n" % (number, place)
    file += (
        b"trailer\n<< /Size %d /Root 1 0 R " % (max(objects) + 1) + trailer + b" >>\nstartxref\n%d\n%%%%EOF\n" % start
    )
    return bytes(file)


def book(pages: int, paragraphs: int = 6, words: int = 60) -> bytes:
    """Return a file of prose: packed pages with a title each."""
    line = "The pump is to be oiled every year, or it will wear out"
    content: Sequence[bytes] = [
        lines(f"Chapter {number}", size=20, y=780)
        + b"".join(
            lines(*[f"{line} {each}." for each in range(words // 12)], y=740 - 100 * part) for part in range(paragraphs)
        )
        for number in range(pages)
    ]
    return pdf(*content, packed=True)
