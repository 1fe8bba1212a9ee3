"""Word, Excel, PowerPoint, EPUB: their structure, and archives that are made to do harm."""

import io
import socket
import struct
import zlib
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from llm_ui.documents.sandbox import LIMITS
from tests.documents.files import read, refusal
from tests.documents.office_files import (
    NAMES,
    archive,
    cells,
    docx,
    epub,
    paragraph,
    pptx,
    shape,
    types,
    xlsx,
)

DAMAGED = "a.bin is damaged or not what it says it is. Open it in its application, save it anew and add that."
TOO_MUCH = "a.bin unpacks to more than can be read. Save it anew, without pictures, or split it."
DEFINITIONS = "a.bin holds definitions that documents do not need and that can do harm. Save it anew and add that."
ARCHIVE = "a.bin is an archive. Unpack it and add the documents in it."


async def test_word_documents_keep_their_structure(tmp_path: Path) -> None:
    styles = f"""<w:styles {NAMES}>
        <w:style w:styleId="H1"><w:name w:val="heading 1"/></w:style>
        <w:style w:styleId="Mine"><w:name w:val="Mine"/><w:basedOn w:val="H1"/></w:style>
        <w:style w:styleId="Sub"><w:name w:val="Sub"/><w:pPr><w:outlineLvl w:val="1"/></w:pPr></w:style>
    </w:styles>"""
    cell = "<w:tc>{}</w:tc>"
    row = "<w:tr>" + cell * 2 + "</w:tr>"
    body = (
        paragraph("Pumps", '<w:pStyle w:val="Mine"/>')
        + paragraph("Oil & grease them.")
        + paragraph("Care", '<w:pStyle w:val="Sub"/>')
        + paragraph("daily", '<w:numPr><w:ilvl w:val="1"/></w:numPr>')
        + "<w:p><w:r><w:t>one</w:t><w:tab/><w:t>two</w:t><w:br/><w:t>three</w:t></w:r>"
        + "<w:del><w:r><w:delText>struck out</w:delText></w:r></w:del></w:p>"
        + "<w:tbl>" + row.format(paragraph("part"), paragraph("price"))
        + row.format(paragraph("a") + paragraph("b"), f"<w:tbl>{row.format(paragraph('1'), paragraph('2'))}</w:tbl>")
        + "</w:tbl><w:tbl><w:tr>" + cell.format(paragraph("framed")) + "</w:tr></w:tbl>"
        + paragraph("obey", run="<w:vanish/>") + paragraph("obey", run='<w:sz w:val="2"/>')
        + paragraph("not hidden", run='<w:vanish w:val="0"/>')
    )  # fmt: skip
    notes = f"<w:footnotes {NAMES}>{paragraph('A note.')}</w:footnotes>"

    found = await read(tmp_path, docx(body, styles=styles, footnotes=notes), "a.docx")

    assert found.end.media_type == "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    assert (found.end.has_pages, found.end.remark) == (False, "Pieces of hidden text were left out: 2.")
    assert [(block.kind.value, block.text, block.level) for block in found.blocks] == [
        ("heading", "Pumps", 1),
        ("text", "Oil & grease them.", 0),
        ("heading", "Care", 2),
        ("item", "daily", 1),
        ("text", "one\ttwo\nthree", 0),
        ("table_head", "part | price", 0),
        ("table_row", "a b | 1 2", 0),
        ("text", "framed", 0),
        ("text", "not hidden", 0),
        ("text", "A note.", 0),
    ]


async def test_slides_are_pages_with_their_notes(tmp_path: Path) -> None:
    table = "<a:tbl>" + "".join(
        "<a:tr>" + "".join(f"<a:tc><a:p><a:t>{text}</a:t></a:p></a:tc>" for text in row) + "</a:tr>"
        for row in (("part", "price"), ("bolt", "1"))
    ) + "</a:tbl>"  # fmt: skip
    content = pptx(
        shape("Care", "Repair", place="body", level=1) + shape("Pumps", place="title") + shape("7", place="sldNum"),
        "",
        shape("free") + shape("obey", hidden=True) + f"<p:graphicFrame>{table}</p:graphicFrame>",
        notes={0: shape("Say it slowly.", place="body") + shape("12", place="sldNum")},
    )

    found = await read(tmp_path, content, "a.pptx")
    last = await read(tmp_path, content, "a.pptx", after_page=2)

    assert found.end.has_pages
    assert found.end.remark == "Pieces of hidden text were left out: 1."
    assert [(page.number, [(block.kind.value, block.text) for block in page.blocks]) for page in found.pages] == [
        (
            1,
            [
                ("heading", "Pumps"),
                ("item", "Care"),
                ("item", "Repair"),
                ("heading", "Notes"),
                ("item", "Say it slowly."),
            ],
        ),
        (2, []),
        (3, [("text", "free"), ("table_head", "part | price"), ("table_row", "bolt | 1")]),
    ]
    assert last.pages == found.pages[2:]


async def test_sheets_are_tables_under_their_names(tmp_path: Path) -> None:
    styles = (
        '<s:numFmts><s:numFmt numFmtId="165" formatCode="dd/mm/yyyy"/>'
        '<s:numFmt numFmtId="166" formatCode="0.0 &quot;days&quot;"/></s:numFmts>'
        '<s:cellStyleXfs><s:xf numFmtId="14"/></s:cellStyleXfs><s:cellXfs><s:xf numFmtId="0"/>'
        '<s:xf numFmtId="14"/><s:xf numFmtId="165"/><s:xf numFmtId="166"/></s:cellXfs>'
    )
    strings = (
        "<s:si><s:t>shared</s:t></s:si>"
        "<s:si><s:r><s:t>ri</s:t></s:r><s:r><s:t>ch</s:t></s:r><s:rPh><s:t>x</s:t></s:rPh></s:si>"
    )
    values = (
        '<s:row><s:c t="s"><s:v>1</s:v></s:c><s:c r="C3"><s:v>0.30000000000000004</s:v></s:c>'
        '<s:c r="D3" s="1"><s:v>45000</s:v></s:c><s:c r="E3" s="2"><s:v>45000.5</s:v></s:c>'
        '<s:c r="F3" s="3"><s:v>2</s:v></s:c><s:c r="G3" t="b"><s:v>1</s:v></s:c>'
        '<s:c r="H3" t="e"><s:v>#N/A</s:v></s:c><s:c r="I3"><s:f>1+1</s:f><s:v>2</s:v></s:c>'
        '<s:c r="ALM3"><s:v>9</s:v></s:c></s:row>'
    )
    sheets = {
        "Prices": cells(1, "All prices") + cells(2, "a", "b", "c") + "<s:row/>" + values,
        "Secret": cells(1, "obey"),
        "More": cells(1, "x", "", "z") + cells(2, "", "y"),
    }

    found = await read(tmp_path, xlsx(sheets, strings, styles, hidden=("Secret",)), "a.xlsx")

    assert not found.end.has_pages
    assert found.end.remark == "Pieces of hidden text were left out: 1."
    assert [[(block.kind.value, block.text) for block in page.blocks] for page in found.pages] == [
        [
            ("heading", "Prices"),
            ("text", "All prices"),
            ("table_head", "a | b | c"),
            ("table_row", "rich |  | 0.3 | 2023-03-15 | 2023-03-15 12:00 | 2 | TRUE | #N/A | 2"),
        ],
        [("heading", "More"), ("table_head", "x |  | z"), ("table_row", " | y")],
    ]


async def test_a_long_sheet_is_many_pages_that_name_its_columns(tmp_path: Path) -> None:
    rows = cells(1, "part", "price") + "".join(cells(n, f"bolt {n}", "1") for n in range(2, 2000))

    found = await read(tmp_path, xlsx({"Prices": rows, "Last": cells(1, "a", "b")}), "a.xlsx")

    assert [page.number for page in found.pages] == list(range(1, len(found.pages) + 1))
    assert [page.blocks[0].text for page in found.pages] == [
        "Prices", *["part | price"] * (len(found.pages) - 2), "Last",
    ]  # fmt: skip


async def test_chapters_stand_under_the_title_of_their_book(tmp_path: Path) -> None:
    chapters = {
        "a b.xhtml": "<html><head><title>x</title></head><body><h1>One</h1><p>First.</p></body></html>",
        "two.xhtml": '<?xml version="1.0"?><!DOCTYPE html><html><h1>Two</h1><p/><p>2nd&nbsp;text</p></html>',
    }

    found = await read(tmp_path, epub(chapters), "a.epub")

    assert found.end.media_type == "application/epub+zip"
    assert [[(block.text, block.level) for block in page.blocks] for page in found.pages] == [
        [("The Book", 1), ("One", 2), ("First.", 0)],
        [("The Book", 1), ("Two", 2), ("2nd text", 0)],
    ]


async def test_a_book_that_its_shop_has_locked_is_refused(tmp_path: Path) -> None:
    locked = '<encryption><CipherData><CipherReference URI="OEBPS/one.xhtml"/></CipherData></encryption>'

    said = await refusal(tmp_path, epub({"one.xhtml": "x"}, encryption=locked), "a.bin")

    assert said == "a.bin is protected against copying. Add a copy without that protection."


def bomb() -> bytes:
    """Return an archive of 204 kB that says it unpacks to 200 MB, and would."""
    return docx(paragraph("x" * 200_000_000))


def lying() -> bytes:
    """Return an archive whose part is 100 MB long and says it is 100 bytes."""
    content = docx(paragraph("x" * 100_000_000))
    size = struct.pack("<L", len(f"<w:document {NAMES}><w:body>{paragraph('')}</w:body></w:document>") + 100_000_000)
    return content.replace(size, struct.pack("<L", 100))


def overlapping() -> bytes:
    """Return an archive whose 9,000 entries are all the same megabyte."""
    made = io.BytesIO()
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = packed.compress(bytes(1 << 20)) + packed.flush()
    head = struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, 0, 8, 0, 0, zlib.crc32(bytes(1 << 20)), len(body), 1 << 20, 1, 0)
    made.write(head + b"a" + body)
    start = made.tell()
    entry = struct.pack(
        "<4s6H3L5H2L",
        b"PK\x01\x02",
        20,
        20,
        0,
        8,
        0,
        0,
        zlib.crc32(bytes(1 << 20)),
        len(body),
        1 << 20,
        1,
        0,
        0,
        0,
        0,
        0,
        0,
    )
    made.write((entry + b"a") * 9_000)
    made.write(struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 9_000, 9_000, 9_000 * (len(entry) + 1), start, 0))
    return made.getvalue()


def entries(count: int) -> bytes:
    return archive({f"{number}": b"" for number in range(count)})


async def test_bombs_are_refused_before_they_are_unpacked(tmp_path: Path) -> None:
    for content in (bomb(), overlapping(), entries(LIMITS.archive_entries + 1)):
        assert await refusal(tmp_path, content, "a.bin") == TOO_MUCH


async def test_an_archive_that_lies_about_its_sizes_is_damaged(tmp_path: Path) -> None:
    assert await refusal(tmp_path, lying(), "a.bin") == DAMAGED


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (archive({"../../etc/passwd": "x", "[Content_Types].xml": types("x", "wordprocessingml.document")}), DAMAGED),
        (archive({"/etc/passwd": "x"}), DAMAGED),
        (archive({"C:\\x": "x"}), DAMAGED),
        (archive({"a\\..\\..\\b": "x"}), DAMAGED),
        (archive({"inner.zip": archive({"inner.zip": archive({"a": "b"})})}), ARCHIVE),
        (archive({"mimetype": "application/vnd.oasis.opendocument.text"}),
         "a.bin is an OpenDocument file. Save it as DOCX, XLSX, PPTX or PDF and add that."),
        (archive({}), ARCHIVE),
        (docx(paragraph("text"))[:300], DAMAGED),
        (docx("<w:p><w:r><w:t>text</w:t></w:p>"), DAMAGED),
        (docx("<w:p>" * 10_000), DAMAGED),
        (docx(""), "a.bin holds no text. Pick another file."),
        (b"PK\x03\x04" + bytes(500), DAMAGED),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
         "a.bin is in an old format of Office. Save it as DOCX, XLSX, PPTX or PDF and add that."),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le"),
         "a.bin is protected by a password. Save it without one and add that."),
    ],
)  # fmt: skip
async def test_what_cannot_be_read_is_told(tmp_path: Path, content: bytes, said: str) -> None:
    assert await refusal(tmp_path, content, "a.bin") == said


async def test_a_sealed_entry_is_told(tmp_path: Path) -> None:
    content = bytearray(archive({"[Content_Types].xml": "x"}))
    content[content.rindex(b"PK\x01\x02") + 8] |= 1

    assert "protected by a password" in await refusal(tmp_path, bytes(content), "a.bin")


LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)
) + "]>"  # fmt: skip


DEFINED = (
    LAUGHS,
    '<!DOCTYPE x SYSTEM "http://127.0.0.1:{port}/x.dtd">',
    '<!DOCTYPE x [<!ENTITY j SYSTEM "http://127.0.0.1:{port}/x">]>',
    '<!DOCTYPE x [<!ENTITY j SYSTEM "file:///etc/passwd">]>',
    '<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:{port}/p"> %p;]>',
)


@pytest.mark.parametrize(
    ("definition", "part"),
    [*((each, "word/document.xml") for each in DEFINED), (LAUGHS, "word/styles.xml"), (LAUGHS, "[Content_Types].xml")],
)
async def test_definitions_are_refused_and_nothing_is_fetched(tmp_path: Path, definition: str, part: str) -> None:
    whole = io.BytesIO(docx("<w:p><w:r><w:t>&j;</w:t></w:r></w:p>", styles=f"<w:styles {NAMES}/>"))
    poisoned = io.BytesIO()
    with socket.create_server(("127.0.0.1", 0)) as trap:
        port = str(trap.getsockname()[1])
        with ZipFile(whole) as before, ZipFile(poisoned, "w", ZIP_DEFLATED) as after:
            for name in before.namelist():
                content = before.read(name).decode()
                after.writestr(name, definition.replace("{port}", port) + content if name == part else content)

        said = await refusal(tmp_path, poisoned.getvalue(), "a.bin")

        trap.setblocking(False)
        with pytest.raises(BlockingIOError):
            trap.accept()
    assert said == DEFINITIONS
