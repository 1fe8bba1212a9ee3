"""What a file holds, found in its bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_ui.errors import InvalidInput, TooLarge
from llm_ui.kit.media import decoded, inspect
from tests.fakes import images

IMAGES = {
    "image/png": images.png_header(640, 480),
    "image/jpeg": images.jpeg(640, 480),
    "image/gif": images.gif(640, 480),
}
WEBPS = {kind: images.webp(kind, 640, 480) for kind in (b"VP8 ", b"VP8L", b"VP8X")}


@pytest.mark.parametrize("media_type", IMAGES)
def test_a_picture_is_known_by_its_bytes_with_its_size(media_type: str) -> None:
    found = inspect(IMAGES[media_type], "photo.txt")

    assert (found.media_type, found.width, found.height) == (media_type, 640, 480)


@pytest.mark.parametrize("kind", WEBPS)
def test_every_kind_of_webp_tells_its_size(kind: bytes) -> None:
    found = inspect(WEBPS[kind], "photo")

    assert (found.media_type, found.width, found.height) == ("image/webp", 640, 480)


@pytest.mark.parametrize("data", [*IMAGES.values(), *WEBPS.values()])
def test_a_picture_that_is_cut_off_anywhere_is_broken(data: bytes) -> None:
    for length in range(12, len(data)):
        with pytest.raises(InvalidInput, match=r"photo\.png is (a broken picture|neither)"):
            inspect(data[:length], "photo.png")


@pytest.mark.parametrize(("width", "height"), [(50_000, 10), (16_000, 16_000)])
def test_a_picture_that_would_end_a_browsers_tab_is_refused(width: int, height: int) -> None:
    with pytest.raises(TooLarge, match=f"{width:,} × {height:,} pixels"):
        inspect(images.png_header(width, height), "huge.png")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_text_is_read_in_its_encoding(encoding: str) -> None:
    data = "Grüße, 世界\r\n".encode(encoding)

    assert inspect(data, "note.md").text == "Grüße, 世界\r\n"
    assert decoded(data) == "Grüße, 世界\r\n"


@pytest.mark.parametrize(
    "text", ['<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>', "<html>", "a,b\n1,2"]
)
def test_what_is_written_is_text_whatever_it_says(text: str) -> None:
    assert inspect(text.encode(), "picture.png").media_type == "text/plain"


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is empty"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "is a PDF: it is read as a document of a project"),
        (b"PK\x03\x04\x14\x00\x06\x00\x08\x00", "an Office document or an archive"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Office document"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "Save it as PNG or JPEG"),
        (b"BM\x36\x00\x0c\x00\x00\x00", "Save it as PNG or JPEG"),
        ("Grüße".encode("latin-1"), "no text in UTF-8"),
        (b"\x7fELF\x02\x01\x01\x00\x00\x00", "neither a picture nor text"),
    ],
)
def test_what_cannot_be_used_is_refused_with_what_to_do(data: bytes, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence) as refusal:
        inspect(data, "thing")

    assert refusal.value.message.startswith("thing ")
    assert refusal.value.message.endswith(".")


@given(st.binary(max_size=400), st.sampled_from([b"", *(data[:20] for data in (*IMAGES.values(), *WEBPS.values()))]))
def test_no_bytes_do_more_than_be_refused(data: bytes, beginning: bytes) -> None:
    try:
        found = inspect(beginning + data, "any")
    except InvalidInput:
        return
    assert found.media_type
