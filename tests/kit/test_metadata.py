"""Pictures without what is written beside them: the same picture, turned as it was, and nothing of what was told."""

import io

import pytest
from PIL import Image, ImageChops, ImageOps
from PIL.PngImagePlugin import PngInfo

from llm_ui.kit.metadata import without_metadata

PLACE = "52.5200 N 13.4050 E"
ORIENTATION, DESCRIPTION, GPS = 0x0112, 0x010E, 0x8825


def drawn() -> Image.Image:
    """Return a picture that is another one when it is turned."""
    picture = Image.new("RGB", (60, 40), (62, 99, 221))
    picture.paste((200, 30, 30), (0, 0, 20, 10))
    return picture


def taken(kind: str) -> bytes:
    """Return it as a camera or a program writes it."""
    picture, written = drawn(), io.BytesIO()
    exif = picture.getexif()
    exif[ORIENTATION], exif[DESCRIPTION] = 6, PLACE
    exif.get_ifd(GPS)[1] = PLACE
    told: dict[str, object] = {"exif": exif}
    if kind == "PNG":
        notes = PngInfo()
        notes.add_text("Location", PLACE)
        notes.add_itxt("Place", PLACE)
        told["pnginfo"] = notes
    if kind == "WEBP":
        told |= {"xmp": PLACE.encode(), "lossless": True}
    if kind in ("JPEG", "GIF"):
        told["comment"] = PLACE.encode()
    if kind == "GIF":
        del told["exif"]
        told |= {"save_all": True, "append_images": [ImageOps.invert(picture)], "loop": 3}
    if kind == "JPEG":
        told["progressive"] = True
    picture.save(written, kind, **told)  # type: ignore[arg-type]
    behind = b"" if kind == "WEBP" else b"behind " + PLACE.encode()
    return written.getvalue() + behind


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_a_picture_loses_what_is_written_beside_it_and_nothing_else(kind: str) -> None:
    before = taken(kind)

    after = without_metadata(before)

    assert PLACE.encode() in before
    assert PLACE.encode() not in after
    assert b"GPS" not in after
    with Image.open(io.BytesIO(before)) as old, Image.open(io.BytesIO(after)) as new:
        assert ImageChops.difference(old.convert("RGB"), new.convert("RGB")).getbbox() is None
        assert getattr(new, "n_frames", 1) == getattr(old, "n_frames", 1)
        assert new.info.get("loop") == old.info.get("loop")
        if kind == "JPEG":
            assert ImageOps.exif_transpose(new).size == (40, 60), "turned as it was taken"
            assert dict(new.getexif()) == {ORIENTATION: 6}
    assert without_metadata(after) == after


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_a_broken_picture_ends_no_question(kind: str) -> None:
    whole = taken(kind)

    for end in range(0, len(whole), 7):
        assert len(without_metadata(whole[:end])) <= end


def test_what_is_no_picture_stays_as_it_is() -> None:
    assert without_metadata(b"%PDF-1.7") == b"%PDF-1.7"
