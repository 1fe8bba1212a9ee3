"""Scanned pages of PDF files, read where the server has a program for it, which is played here."""

import io
import zlib
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from llm_ui.documents.parse.source import Limits
from tests.documents.files import read, refusal
from tests.documents.pdf_files import lines, pdf, stream

ECHO = """#!/bin/sh
test "$1 $2 $OMP_THREAD_LIMIT" = "stdin stdout 1" || exit 1
read kind; read size; cat > /dev/null
printf '%s of %s\\n\\n\\nAsk the landlord.\\n\\f' "$kind" "$size"
"""
"""A Tesseract that answers with the kind and size of the picture that it was given."""
DRAWN = b"q 500 0 0 700 40 70 cm /Im1 Do Q\n"


@pytest.fixture
def tesseract(programs: Path) -> Path:
    """Where the program lies that the readers find."""
    return played(programs, ECHO)


def played(folder: Path, script: str) -> Path:
    """Let a script be the program."""
    program = folder / "tesseract"
    program.write_text(script)
    program.chmod(0o755)
    return program


def scanned(*sizes: tuple[int, int], mode: str = "RGB") -> bytes:
    """Return a file whose pages are pictures of print, as programs that scan write it."""
    pages = []
    for number, size in enumerate(sizes, 1):
        page = Image.new(mode, size, "white")
        ImageDraw.Draw(page).text((20, 20), f"Page {number}: the rent is due.", fill="black")
        pages.append(page)
    written = io.BytesIO()
    pages[0].save(written, "PDF", resolution=150, save_all=True, append_images=pages[1:])
    return written.getvalue()


def picture(width: int, height: int, content: bytes | None = None) -> bytes:
    """Return a picture in shades of grey as an object of a file."""
    told = b"/Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceGray /BitsPerComponent 8"
    packed = zlib.compress(bytes(width * height) if content is None else content)
    return stream(packed, told % (width, height) + b" /Filter /FlateDecode")


@pytest.mark.parametrize("mode", ["RGB", "L"])
async def test_each_scanned_page_is_read_from_its_own_picture(tmp_path: Path, tesseract: Path, mode: str) -> None:
    found = await read(tmp_path, scanned((620, 877), (310, 438), mode=mode), "scan.pdf")

    assert [block.text for block in found.blocks[::2]] == ["P5 of 620 877", "P5 of 310 438"]
    assert {block.text for block in found.blocks[1::2]} == {"Ask the landlord."}
    assert [page.number for page in found.pages] == [1, 2]
    assert found.end.remark == "Scanned pages, read as a program recognised their text: 1-2."


async def test_a_page_with_text_is_not_read_from_its_picture(tmp_path: Path, tesseract: Path) -> None:
    content = pdf(lines("Typed.") + DRAWN, DRAWN, resources=b"/XObject << /Im1 900 0 R >>", more={900: picture(60, 50)})

    found = await read(tmp_path, content, "a.pdf")

    assert found.text.split("\n") == ["Typed.", "P5 of 60 50", "Ask the landlord."]
    assert found.end.remark == "Scanned pages, read as a program recognised their text: 2."


async def test_only_what_is_drawn_is_read_also_within_a_form_and_turned(tmp_path: Path, tesseract: Path) -> None:
    form = b"/Type /XObject /Subtype /Form /BBox [0 0 595 842] /Resources << /XObject << /In 901 0 R >> >>"
    content = pdf(
        b"q /Fm Do Q\n",
        resources=b"/XObject << /Fm 900 0 R /Other 902 0 R >> >> /Rotate 90 /More <<",
        more={900: stream(b"q 500 0 0 700 40 70 cm /In Do Q", form), 901: picture(80, 44), 902: picture(99, 99)},
    )

    found = await read(tmp_path, content, "a.pdf")

    assert found.shape[0] == ("text", "P5 of 44 80")
    assert "99" not in found.text


@pytest.mark.parametrize(
    "image",
    [picture(39, 900), picture(9_000, 9_000, b""), picture(60, 50, b"cut"), stream(b"x", b"/Subtype /Image"), b"null"],
)
async def test_a_picture_that_cannot_be_read_leaves_its_page_bare(
    tmp_path: Path, tesseract: Path, image: bytes
) -> None:
    content = pdf(lines("Typed."), DRAWN, resources=b"/XObject << /Im1 900 0 R >>", more={900: image})

    found = await read(tmp_path, content, "a.pdf")

    assert found.text == "Typed."
    assert found.end.remark == "Pages that show pictures and have no text: 2."


async def test_where_nothing_is_recognised_the_sentence_stays(tmp_path: Path, tesseract: Path) -> None:
    played(tmp_path, "#!/bin/sh\ncat > /dev/null\nprintf '\\n\\f'\n")
    silent = await refusal(tmp_path, scanned((620, 877)), "scan.pdf")
    played(tmp_path, "#!/bin/sh\nexit 1\n")
    broken = await refusal(tmp_path, scanned((620, 877)), "scan.pdf")

    assert silent == broken
    assert silent == "scan.pdf holds scanned pages without text. Run text recognition (OCR) over it and add the result."


async def test_a_program_that_hangs_is_killed_with_its_reader(tmp_path: Path, tesseract: Path) -> None:
    played(tmp_path, "#!/bin/sh\necho $$ > /dev/null\nexec sleep 987\n")

    said = await refusal(tmp_path, scanned((620, 877)), "scan.pdf", limits=Limits(page_s=3))

    assert "takes too long" in said


async def test_pages_that_are_read_already_are_not_recognised_again(tmp_path: Path, tesseract: Path) -> None:
    found = await read(tmp_path, scanned((620, 877), (310, 438)), "scan.pdf", after_page=1)

    assert [page.number for page in found.pages] == [2]
    assert found.end.remark == "Scanned pages, read as a program recognised their text: 2."
