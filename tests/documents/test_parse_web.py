"""HTML, e-mail, JSON and pictures; and files that are something else than they say."""

import importlib
import json
import random
import shutil
from pathlib import Path

import pytest

from llm_ui.documents.parse import READERS, kind, reader
from llm_ui.errors import InvalidInput
from llm_ui.kit.reading import BlockKind
from tests.documents.files import read, refusal
from tests.documents.office_files import cells, docx, epub, paragraph, pptx, shape, xlsx
from tests.documents.pdf_files import lines, pdf

PAGE = """<!DOCTYPE html>
<html><head><title>The Manual</title>
<style>.gone, #also-gone { display : none } @media (max-width: 600px) { .wide { display: none } }
.tiny { color: red }</style>
<script>document.write("<p>obey</p>")</script></head>
<body>
<nav><ul><li>Home<li>Up<ul><li>Deeper</ul></ul></nav>
<h2>Care   of
pumps</h2>
<!-- obey -->
<p>Oil &amp; grease &lt;them&gt;<br>daily<p>or weekly.
<p hidden>obey <b>now</b></p>
<div style="DISPLAY: none"><p>obey</div>
<span style="font-size:0px">obey</span><span style="font-size: 1.2em">large</span>
<p class="a gone">obey</p><p id="also-gone">obey</p><p class="wide tiny">wide</p>
<table><tr><td><table><thead><tr><th>part<th>price<tbody><tr><td>bolt<td><p>1</p><p>2</p></table></td><td>beside</td></tr></table>
<table><tr><td>alone</td></tr></table>
<pre>
  code
    here
</pre>
<img src="http://127.0.0.1:1/x.png" alt="a picture">
<svg><title>no title</title><text>drawn</text></svg>
</body></html>"""


async def test_a_page_is_what_a_browser_shows(tmp_path: Path) -> None:
    found = await read(tmp_path, PAGE, "a.txt")

    assert found.end.media_type == "text/html"
    assert [(block.kind.value, block.text, block.level) for block in found.blocks] == [
        ("heading", "The Manual", 1),
        ("item", "Home", 0),
        ("item", "Up", 0),
        ("item", "Deeper", 1),
        ("heading", "Care of pumps", 2),
        ("text", "Oil & grease <them>\ndaily", 0),
        ("text", "or weekly.", 0),
        ("text", "large", 0),
        ("text", "wide", 0),
        ("table_head", "part | price", 0),
        ("table_row", "bolt | 1 2", 0),
        ("text", "beside", 0),
        ("text", "alone", 0),
        ("code", "  code\n    here", 0),
        ("text", "a picture", 0),
    ]
    assert found.end.remark.split("\n") == [
        "Scripts and comments were left out: 2.",
        "Pieces of hidden text were left out: 6.",
    ]


async def test_a_page_is_read_in_the_encoding_it_names(tmp_path: Path) -> None:
    page = (
        "<html><meta http-equiv='Content-Type' content='text/html; charset=koi8-r'><p>Насос нужно смазывать</p></html>"
    )

    for encoding, content in (("koi8-r", page), ("utf-8", page.replace("koi8-r", "no-such-thing"))):
        assert (await read(tmp_path, content.encode(encoding), "a.html")).text == "Насос нужно смазывать"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("<p>" + "<b>" * 20_000 + "deep", "deep"),
        ("<html>before<!-- never ends", "before"),
        ("<html>before<a href='" + "x" * 99_999, "before"),
        ("<html><p>&#x110000; &#0; &nosuch; </p>", "\ufffd \ufffd &nosuch;"),
    ],
)
async def test_a_page_that_is_broken_is_read_as_far_as_it_goes(tmp_path: Path, content: str, text: str) -> None:
    assert (await read(tmp_path, content, "a.html")).text == text


async def test_a_page_that_is_nested_far_too_deep_is_refused(tmp_path: Path) -> None:
    assert "is damaged" in await refusal(tmp_path, "<div>" * 60_000 + "deep", "a.html")


MAIL = """From: Ada <ada@example.org>
To: bob@example.org
Subject: =?utf-8?q?The_pump=E2=80=99s_oil?=
Date: Sat, 21 Nov 2026 10:00:00 +0000
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=x

--x
Content-Type: multipart/alternative; boundary=y

--y
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

Gr=FC=DFe.

Oil it.
--y
Content-Type: text/html

<p>another text</p>
--y--
--x
Content-Type: application/pdf
Content-Disposition: attachment; filename="a.pdf"

%PDF
--x--
"""


async def test_an_email_is_its_header_and_text(tmp_path: Path) -> None:
    found = await read(tmp_path, MAIL.replace("\n", "\r\n"), "a.bin")

    assert found.end.media_type == "message/rfc822"
    assert found.end.remark == "Attached files were not read: 1."
    assert found.shape == [
        ("heading", "The pump’s oil"),
        ("text", "From: Ada <ada@example.org>\nTo: bob@example.org\nDate: Sat, 21 Nov 2026 10:00:00 +0000"),
        ("text", "Grüße."),
        ("text", "Oil it."),
    ]


async def test_an_email_without_plain_text_is_read_as_a_page(tmp_path: Path) -> None:
    content = (
        "From: a@example.org\nSubject: x\nContent-Type: text/html; charset=no-such\n\n"
        '<h2>News</h2><div style="display:none">obey</div><p>Oil it.</p>'
    )

    found = await read(tmp_path, content, "a.eml")

    assert found.shape[2:] == [("heading", "News"), ("text", "Oil it.")]
    assert found.end.remark == "Pieces of hidden text were left out: 1."


async def test_a_text_that_begins_like_an_email_is_a_text(tmp_path: Path) -> None:
    assert (await read(tmp_path, "From: me\n\nNote: this is no e-mail.", "a.txt")).end.media_type == "text/plain"


async def test_json_is_tables_and_parts(tmp_path: Path) -> None:
    records = [{"part": "bolt", "price": 1.5}, {"part": "nut", "new": True, "price": None}]
    table = [("table_head", "part | price | new"), ("table_row", "bolt | 1.5 | "), ("table_row", "nut |  | true")]
    whole = {"name": "x" * 400, "parts": records, "deep": {"a": [1]}}

    assert (await read(tmp_path, json.dumps(records), "a.json")).shape == table
    assert (await read(tmp_path, "\n".join(map(json.dumps, records)), "a.jsonl")).shape == table
    assert (await read(tmp_path, json.dumps(whole), "a.json")).shape == [
        ("heading", "name"), ("code", json.dumps("x" * 400)), ("heading", "parts"), *table,
        ("heading", "deep"), ("code", '{\n "a": [\n  1\n ]\n}'),
    ]  # fmt: skip


async def test_a_notebook_is_what_it_says(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# Oil\n", "Daily."]},
        {"cell_type": "code", "source": "print(1)", "outputs": [{"text": "1"}]},
    ]

    found = await read(tmp_path, json.dumps({"cells": cells, "nbformat": 4}), "a.ipynb")

    assert found.shape == [("heading", "Oil"), ("text", "Daily."), ("code", "print(1)")]


@pytest.mark.parametrize("content", ['{"a": 1', "[" * 100_000, '{"a": ' + "9" * 5000 + "}", "NaN x"])
async def test_broken_json_is_read_as_it_is_written(tmp_path: Path, content: str) -> None:
    found = await read(tmp_path, content, "a.json")

    assert "".join(block.text for block in found.blocks) == content


PICTURE = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x00\x00\x00\x00:~\x9bU"
    b"\x00\x00\x00\nIDATx\x9cc\xf8\x0f\x00\x01\x01\x01\x00\x1b\xb6\xeeV\x00\x00\x00\x00IEND\xaeB`\x82"
)
NO_OCR = "{} is a picture, and this server cannot read text in pictures. Add a PDF with text, or the text."
POLYGLOT = b"GIF89a/*\x01\x00\x01\x00;*/=1;<!DOCTYPE html><html><script>alert(1)</script><p>obey</p></html>"


@pytest.mark.skipif(shutil.which("tesseract") is not None, reason="it could be read here")
@pytest.mark.parametrize(
    ("content", "name"),
    [
        (PICTURE, "a.txt"),
        (POLYGLOT, "a.html"),
        (b"\xff\xd8\xff\xe0 %PDF-1.7", "a.pdf"),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", "a.csv"),
    ],
)
async def test_a_picture_is_a_picture_whatever_its_name(tmp_path: Path, content: bytes, name: str) -> None:
    assert await refusal(tmp_path, content, name) == NO_OCR.format(name)


async def test_a_picture_is_read_where_there_is_a_program_for_it(tmp_path: Path, programs: Path) -> None:
    program = programs / "tesseract"
    program.write_text('#!/bin/sh\ntest -r "$1" && test "$2" = stdout && printf \'Oil it.\\n\\nDaily.\\n\\f\'\n')
    program.chmod(0o755)

    assert (await read(tmp_path, PICTURE, "a.png")).shape == [("text", "Oil it."), ("text", "Daily.")]
    program.write_text("#!/bin/sh\nexit 1\n")
    assert "without text that can be read" in await refusal(tmp_path, PICTURE, "a.png")
    huge = PICTURE.replace(b"IHDR\x00\x00\x00\x01\x00\x00\x00\x01", b"IHDR\x00\x00\xc3\x50\x00\x00\xc3\x50")
    assert "50,000 × 50,000 pixels" in await refusal(tmp_path, huge, "a.png")


WHOLE = {
    "a.pdf": pdf(lines("Oil it."), lines("Daily."), packed=True),
    "a.docx": docx(paragraph("Oil it.") * 9),
    "a.pptx": pptx(shape("Oil it.", place="title")),
    "a.xlsx": xlsx({"Oil": cells(1, "a", "b") + cells(2, "1", "2")}),
    "a.epub": epub({"one.xhtml": PAGE}),
    "a.html": PAGE.encode(),
    "a.eml": MAIL.encode(),
    "a.json": json.dumps([{"a": 1}, {"a": 2}]).encode(),
}


@pytest.mark.parametrize("name", WHOLE)
async def test_a_file_that_is_cut_off_or_garbled_gets_text_or_a_sentence(tmp_path: Path, name: str) -> None:
    whole = WHOLE[name]
    chance = random.Random(name)
    cut = whole[: chance.randrange(1, len(whole))]
    garbled = bytes(chance.randrange(256) if chance.random() < 0.02 else byte for byte in whole)

    outcomes = [await outcome(tmp_path, content, name) for content in (whole, cut, garbled)]

    assert outcomes[0] == ""
    assert all(said == "" or said.startswith(f"{name} ") for said in outcomes)
    assert not any("breaks the program" in said for said in outcomes)


async def outcome(folder: Path, content: bytes, name: str) -> str:
    """Return the sentence with which a file is refused, if it is."""
    try:
        await read(folder, content, name)
    except InvalidInput as error:
        return error.message
    return ""


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (pdf(lines("Oil it.")), "application/pdf"),
        (docx(paragraph("Oil it.")), "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (b"<!DOCTYPE html><p>Oil it.", "text/html"),
    ],
    ids=["pdf", "docx", "html"],
)
@pytest.mark.parametrize("name", ["a.png", "\u202e../a.csv\n\x00", "-a"])
async def test_the_bytes_tell_what_a_file_is(tmp_path: Path, content: bytes, media_type: str, name: str) -> None:
    found = await read(tmp_path, content, name)

    assert (found.end.media_type, found.text) == (media_type, "Oil it.")


async def test_a_drawing_is_code_that_nobody_runs(tmp_path: Path) -> None:
    drawing = '<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg onload="x">&x;</svg>'

    found = await read(tmp_path, drawing, "a.svg")

    assert found.end.media_type == "text/x-xml"
    assert found.of(BlockKind.CODE) == [drawing]


def test_every_kind_has_a_reader() -> None:
    assert [each for each in READERS if not callable(importlib.import_module(reader(each)).read)] == []
    assert {*kind.BY_NAME.values(), *(media_type for _, media_type in kind.IMAGES)} <= set(READERS)
