"""Plain text, source code, Markdown and tables as text; encodings; characters without a shape."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_ui.documents.parse.cleaning import clean
from llm_ui.documents.parse.paging import PIECE_CHARS
from llm_ui.documents.parse.source import Left, ranges
from llm_ui.documents.sandbox import LIMITS
from llm_ui.kit.reading import BlockKind
from tests.documents.files import read, refusal

NO_DOCUMENT = "{} is no document that can be read. Add PDF, Word, Excel, PowerPoint, EPUB, HTML, e-mail or text."
SMUGGLED = "".join(chr(0xE0000 + ord(letter)) for letter in "obey me")


async def test_a_text_is_its_paragraphs(tmp_path: Path) -> None:
    found = await read(tmp_path, "One\ntwo.\r\n\r\n  \r\nThree.\n", "a.txt")

    assert found.shape == [("text", "One\ntwo."), ("text", "Three.")]
    assert (found.end.media_type, found.end.has_pages, found.end.remark) == ("text/plain", False, "")


async def test_a_long_text_has_pieces_of_a_page_and_none_is_read_twice(tmp_path: Path) -> None:
    content = "\n\n".join(f"Paragraph {number} " + "says little. " * 20 for number in range(100))

    whole = await read(tmp_path, content, "a.txt")
    rest = await read(tmp_path, content, "a.txt", after_page=4)

    assert [page.number for page in whole.pages] == list(range(1, len(whole.pages) + 1))
    assert all(sum(len(block.text) for block in page.blocks) <= PIECE_CHARS for page in whole.pages)
    assert rest.pages == whole.pages[4:]
    assert rest.end == whole.end
    assert whole.text.split() == content.split()


async def test_one_endless_line_is_cut(tmp_path: Path) -> None:
    found = await read(tmp_path, "word " * 100_000, "a.txt")

    assert len(found.pages) > 100
    assert found.text.split() == ["word"] * 100_000


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
async def test_encodings_of_the_west_are_read(tmp_path: Path, encoding: str) -> None:
    found = await read(tmp_path, "Öl für die Pumpe: 5 € je Liter".encode(encoding), "a.txt")

    assert found.text == "Öl für die Pumpe: 5 € je Liter"
    assert found.end.remark == (
        "It is not in UTF-8 and was read as Western Windows text." if encoding == "cp1252" else ""
    )


async def test_an_encoding_that_would_be_a_guess_is_refused(tmp_path: Path) -> None:
    said = await refusal(tmp_path, "Насос нужно смазывать".encode("koi8-r"), "a.txt")

    assert said == "a.txt is text in an unknown encoding. Save it in UTF-8 and add that."


async def test_code_is_code_of_its_language(tmp_path: Path) -> None:
    found = await read(tmp_path, "import os\n\n\ndef one():\n    a = 1\n\n    return a\n", "tool.py")

    assert found.end.media_type == "text/x-python"
    assert found.shape == [("code", "import os"), ("code", "def one():\n    a = 1\n\n    return a")]


async def test_lines_of_markdown_end_where_it_says_so(tmp_path: Path) -> None:
    found = await read(tmp_path, "Rose Lane 1\\\nLeeds  \nUnited\nKingdom\\\n", "a.md")

    assert found.shape == [("text", "Rose Lane 1\nLeeds\nUnited Kingdom\\")]


async def test_markdown_keeps_its_structure(tmp_path: Path) -> None:
    content = """# Pumps
Oil them
every year.

Care
----
- daily
  1. look
  2. listen
go on

| part | price |
|------|------:|
| bolt | 1 \\| 2 |

```python
# not a heading
```
~~~
<!-- hidden --> shown
"""

    found = await read(tmp_path, content, "a.md")

    assert found.end.media_type == "text/markdown"
    assert [(block.kind.value, block.text, block.level) for block in found.blocks] == [
        ("heading", "Pumps", 1),
        ("text", "Oil them every year.", 0),
        ("heading", "Care", 2),
        ("item", "daily", 0),
        ("item", "1. look", 1),
        ("item", "2. listen go on", 1),
        ("table_head", "part | price", 0),
        ("table_row", "bolt | 1 \\| 2", 0),
        ("code", "# not a heading", 0),
        ("code", " shown", 0),
    ]
    assert found.end.remark == "Pieces of hidden text were left out: 1."


@pytest.mark.parametrize("part", ["<!-- a ", "# a\n", "- a\n", "```\n|a|\n"])
async def test_markdown_that_never_ends_takes_time_in_proportion(tmp_path: Path, part: str) -> None:
    found = await read(tmp_path, part * 30_000, "a.md", limits=replace(LIMITS, page_s=20, total_s=20))

    assert found.blocks


async def test_a_table_has_a_head_and_rows_on_every_page(tmp_path: Path) -> None:
    lines = ['name;"what; it is";price', *(f'bolt {number};"two\nlines";1,5' for number in range(1000))]

    found = await read(tmp_path, "\r\n".join(lines), "a.csv")

    assert found.end.media_type == "text/csv"
    assert len(found.pages) > 3
    for page in found.pages:
        assert (page.blocks[0].kind, page.blocks[0].text) == (BlockKind.TABLE_HEAD, "name | what; it is | price")
    assert found.of(BlockKind.TABLE_ROW) == [f"bolt {number} | two lines | 1,5" for number in range(1000)]


@pytest.mark.parametrize(("content", "name"), [("a\tb\n1,5\t2", "a.tsv"), ("a,b\n1,2", "a.csv"), ("a|b\n1|2", "a.csv")])
async def test_whatever_parts_the_values_is_found(tmp_path: Path, content: str, name: str) -> None:
    found = await read(tmp_path, content, name)

    assert [kind for kind, _ in found.shape] == ["table_head", "table_row"]
    assert found.blocks[0].text == "a | b"


async def test_what_nobody_sees_is_left_out_and_told(tmp_path: Path) -> None:
    found = await read(tmp_path, f"\ufeffOil{SMUGGLED} \u202ethe\u202c pu\u200bmp\x00\x07\u00ad.", "a.md")

    assert found.text == "Oil the pump."
    assert found.end.remark == "Characters that nobody sees were left out: 10."


@pytest.mark.parametrize(
    "text",
    [
        "👩‍👩‍👧 ❤️‍🔥 1️⃣ 🏳️‍🌈 👍🏽",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "क्‍ष क्‌ष ශ්‍රී",
        "می‌خواهم",
        "葛\U000e0100",
        "سَلَام שָׁלוֹם",
    ],
)
def test_what_scripts_and_emoji_need_stays(text: str) -> None:
    left: Counter[Left] = Counter()

    assert clean(text, left) == text
    assert not left


@given(st.text())
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    once = clean(text, Counter())

    assert clean(once, Counter()) == once
    assert "\x00" not in once
    once.encode()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "{} is empty. Pick another file."),
        (b"\n", "{} holds no text. Pick another file."),
        (b"\xef\xbb\xbf", "{} holds no text. Pick another file."),
        (b"\xff\xfe", "{} holds no text. Pick another file."),
        ("\u200b\u202e".encode(), "{} holds no text. Pick another file."),
        (b"\x00", NO_DOCUMENT),
        (b"\x7fELF\x02\x01\x01", NO_DOCUMENT),
        (b"text " * 2000 + b"\x00" * 1000, "{} is only partly text. Save it as PDF or text and add that."),
        (b"{\\rtf1 text}", "{} is in Rich Text Format. Save it as DOCX or PDF and add that."),
    ],
)  # fmt: skip
async def test_what_holds_no_text_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    assert await refusal(tmp_path, content, "a.pdf") == said.format("a.pdf")


async def test_one_byte_is_a_text(tmp_path: Path) -> None:
    assert (await read(tmp_path, b"x", "a.pdf")).shape == [("text", "x")]


def test_numbers_of_pages_are_told_shortly() -> None:
    assert ranges([1, 3, 4, 5, 9, 10]) == "1, 3-5, 9-10"
