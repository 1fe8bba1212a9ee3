"""What a file holds, found in its bytes: never believed from its name or from whoever sends it."""

import codecs
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from llm_ui.errors import InvalidInput, TooLarge
from llm_ui.kit.i18n import to_tell
from llm_ui.kit.text import storable

MAX_SIDE_PX = 16_384
MAX_PIXELS = 100_000_000
"""A picture of a camera has 12 to 50 million; drawing more than this can end a browser's tab."""
TEXT_TYPE = "text/plain"
BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))

PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8\xff"
JPEG_END = b"\xff\xd9"
GIF = (b"GIF87a", b"GIF89a")
JPEG_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""Markers that tell a picture's size (ITU-T T.81, table B.1)."""
JPEG_BARE = frozenset({0x01, *range(0xD0, 0xD9)})
"""Markers without a length."""
STRANGE_PICTURE = to_tell("{name} is a picture of a kind that models do not take. Save it as PNG or JPEG.")
FOREIGN = (
    (
        b"%PDF-",
        to_tell(
            "{name} is a PDF: it is read as a document of a project. "
            "Add it there and ask in the project, or copy what matters into the message."
        ),
    ),
    (
        b"PK\x03\x04",
        to_tell(
            "{name} is an Office document or an archive: such a file is read as a document of a project. "
            "Add it there and ask in the project, or save it as text or CSV."
        ),
    ),
    (
        b"\xd0\xcf\x11\xe0",
        to_tell("{name} is an old Office document: it cannot be read. Save it as text, CSV, or in the newer format."),
    ),
    (b"BM", STRANGE_PICTURE),
    (b"II*\x00", STRANGE_PICTURE),
    (b"MM\x00*", STRANGE_PICTURE),
)
"""What is known by its beginning and not taken, with what to do."""
HEIF = (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftypmsf1", b"ftypavif", b"ftypavis")


@dataclass(frozen=True, slots=True)
class Media:
    """What a file holds. `width` and `height` are those of an image, in pixels; `text` is that of a text."""

    media_type: str
    width: int | None = None
    height: int | None = None
    text: str = ""


def inspect(data: bytes, name: str) -> Media:
    """Return what the bytes are. Raises `InvalidInput` and `TooLarge` with a sentence that names the file."""
    if not data:
        raise InvalidInput("{name} is empty. Pick another file.", name=name)
    found = _image(data)
    if found is None:
        return Media(TEXT_TYPE, text=_text(data, name))
    media_type, size = found
    if size is None or 0 in size:
        raise InvalidInput("{name} is a broken picture. Save it anew, or pick another one.", name=name)
    width, height = size
    if max(size) > MAX_SIDE_PX or width * height > MAX_PIXELS:
        raise TooLarge(
            "{name} has {width} × {height} pixels, which is too much. Make it smaller.",
            name=name,
            width=width,
            height=height,
        )
    return Media(media_type, width, height)


def decoded(data: bytes) -> str:
    """Return the text of a file that was taken in as one."""
    encoding = next((encoding for mark, encoding in BOMS if data.startswith(mark)), "utf-8")
    return storable(data.decode(encoding, "replace"))


def _text(data: bytes, name: str) -> str:
    """Return the text: UTF-8, or UTF-16 with its mark. Raises `InvalidInput` for all else."""
    if data[4:12] in HEIF:
        raise InvalidInput(STRANGE_PICTURE, name=name)
    encoding = next((encoding for mark, encoding in BOMS if data.startswith(mark)), None)
    try:
        text = data.decode(encoding or "utf-8")
    except UnicodeDecodeError:
        text = "\x00"
    if "\x00" not in text:
        return storable(text)
    known = next((what for mark, what in FOREIGN if data.startswith(mark)), None)
    if known is not None:
        raise InvalidInput(known, name=name)
    if encoding is None and b"\x00" not in data:
        raise InvalidInput("{name} is no text in UTF-8. Save it in that encoding and attach it again.", name=name)
    raise InvalidInput("{name} is neither a picture nor text. Attach PNG, JPEG, GIF, WebP or a text file.", name=name)


def _image(data: bytes) -> tuple[str, tuple[int, int] | None] | None:
    """Return the type of a picture and its size, which is None when it is broken; None for what is no picture."""
    if data.startswith(PNG):
        return "image/png", _png(data)
    if data.startswith(JPEG):
        return "image/jpeg", _jpeg(data)
    if data.startswith(GIF):
        return "image/gif", _gif(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp", _webp(data)
    return None


def _png(data: bytes) -> tuple[int, int] | None:
    """Width and height open the first chunk, and the last one is there (PNG specification, third edition, §5, §11)."""
    if data[12:16] != b"IHDR" or len(data) < 24 or b"IEND" not in (chunk for chunk in _png_chunks(data)):
        return None
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def _png_chunks(data: bytes) -> Iterator[bytes]:
    at = len(PNG)
    while at + 12 <= len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        if at + 12 + length <= len(data):
            yield data[at + 4 : at + 8]
        at += 12 + length


def _jpeg(data: bytes) -> tuple[int, int] | None:
    """Walk the segments to the frame's header; the end of the picture must be somewhere behind it (ITU-T T.81, B)."""
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF or marker in JPEG_BARE:
            # Fill bytes may stand before a marker.
            at += 1 if marker == 0xFF else 2
            continue
        if marker in JPEG_FRAMES:
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return (width, height) if JPEG_END in data[at:] else None
        at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return None


def _gif(data: bytes) -> tuple[int, int] | None:
    """Width and height stand behind the signature; a semicolon ends the file (GIF89a, §18, §27)."""
    if len(data) < 14 or b";" not in data[13:]:
        return None
    width, height = struct.unpack("<HH", data[6:10])
    return width, height


def _webp(data: bytes) -> tuple[int, int] | None:
    """Simple lossy, simple lossless and extended files (RFC 9649, §2.5-2.7; RFC 6386, §9.1)."""
    if len(data) < 30 or len(data) < int.from_bytes(data[4:8], "little") + 8:
        return None
    kind = data[12:16]
    if kind == b"VP8X":
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    if kind == b"VP8L" and data[20] == 0x2F:
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack("<HH", data[26:30])
        return width & 0x3FFF, height & 0x3FFF
    return None
