"""Pictures without what is written beside them: where and when they were taken, with what, and by whom.

The picture itself is not touched: pieces of the file are left out, in each of the four formats that models take. How a
JPEG is to be turned is kept, for a model that is shown it lying on its side sees less. Colour profiles stay.
"""

import re
import struct

from llm_ui.kit.media import GIF, JPEG, PNG

PNG_LEFT_OUT = frozenset({b"eXIf", b"tEXt", b"zTXt", b"iTXt", b"tIME"})
JPEG_KEPT = frozenset({0xE0, 0xE2, 0xEE})
"""JFIF, colour profiles, Adobe's way of colours; of the other application markers only how it is turned."""
JPEG_COMMENT, JPEG_SCAN, JPEG_EXIF, JPEG_END = 0xFE, 0xDA, 0xE1, 0xD9
MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""Within a scan a byte of ones is followed by nothing, or by a number from 0 to 7."""
JPEG_BARE = frozenset({0x01, *range(0xD0, 0xDA)})
EXIF = b"Exif\0\0"
ORIENTATION = 0x0112
TURNED = range(2, 9)
"""Values of it that say something (Exif 2.32, 4.6.4)."""
WEBP_LEFT_OUT = frozenset({b"EXIF", b"XMP "})
WEBP_FLAGS = 0x08 | 0x04
"""That there is such a chunk (RFC 9649, 2.7)."""
GIF_EXTENSION, GIF_IMAGE, GIF_COMMENT, GIF_APPLICATION = 0x21, 0x2C, 0xFE, 0xFF
GIF_KEPT = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
"""How often it is played."""


def without_metadata(data: bytes) -> bytes:
    """Return a picture without what is written beside it; one that is broken or of another kind as it is."""
    try:
        if data.startswith(JPEG):
            return _jpeg(data)
        if data.startswith(PNG):
            return _png(data)
        if data.startswith(GIF):
            return _gif(data)
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return _webp(data)
    except (IndexError, struct.error):
        pass
    return data


def _png(data: bytes) -> bytes:
    """PNG specification, third edition, 5.3 and 11.3."""
    kept, at = [PNG], len(PNG)
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        end = at + 12 + length
        kind = data[at + 4 : at + 8]
        if kind not in PNG_LEFT_OUT:
            kept.append(data[at:end])
        at = len(data) if kind == b"IEND" else end
    return b"".join(kept)


def _jpeg(data: bytes) -> bytes:
    """ITU-T T.81, annex B: segments, and scans, which end where a marker follows. What is behind the end is no part of
    the picture: cameras put smaller ones there, with all that is written beside them."""
    kept, at = [data[:2]], 2
    while at < len(data):
        start = at
        while data[at + 1] == 0xFF:
            at += 1
        marker = data[at + 1]
        if data[at] != 0xFF:
            return data
        end = at + 2 + (0 if marker in JPEG_BARE else struct.unpack(">H", data[at + 2 : at + 4])[0])
        if marker == JPEG_SCAN:
            follows = MARKER.search(data, end)
            end = len(data) if follows is None else follows.start()
        if marker == JPEG_EXIF and data[at + 4 :].startswith(EXIF):
            kept.append(_turned(data[at + 4 + len(EXIF) : end]))
        elif not (0xE0 <= marker <= 0xEF or marker == JPEG_COMMENT) or marker in JPEG_KEPT:
            kept.append(data[start:end])
        at = len(data) if marker == JPEG_END else end
    return b"".join(kept)


def _turned(tiff: bytes) -> bytes:
    """Return a segment that says how a picture is turned and nothing else; nothing where it is as it lies."""
    order = ">" if tiff[:2] == b"MM" else "<"
    (first,) = struct.unpack(f"{order}I", tiff[4:8])
    (count,) = struct.unpack(f"{order}H", tiff[first : first + 2])
    for number in range(count):
        at = first + 2 + 12 * number
        tag, _, _, value = struct.unpack(f"{order}HHIH", tiff[at : at + 10])
        if tag == ORIENTATION and value in TURNED:
            entry = struct.pack(">HHIHH", ORIENTATION, 3, 1, value, 0)
            body = EXIF + b"MM\0*" + struct.pack(">IH", 8, 1) + entry + bytes(4)
            return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body
    return b""


def _webp(data: bytes) -> bytes:
    kept, at = [], 12
    while at < len(data):
        kind = data[at : at + 4]
        (length,) = struct.unpack("<I", data[at + 4 : at + 8])
        end = at + 8 + length + length % 2
        piece = data[at:end]
        if kind == b"VP8X":
            piece = piece[:8] + bytes([piece[8] & ~WEBP_FLAGS]) + piece[9:]
        if kind not in WEBP_LEFT_OUT:
            kept.append(piece)
        at = end
    body = b"WEBP" + b"".join(kept)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _gif(data: bytes) -> bytes:
    """GIF89a, 18 to 26: blocks up to the trailer."""
    at = 13 + _table(data[10])
    kept = [data[:at]]
    while at < len(data) and data[at] in (GIF_EXTENSION, GIF_IMAGE):
        is_image = data[at] == GIF_IMAGE
        end = _end(data, at + 11 + _table(data[at + 9]) if is_image else at + 2)
        is_own = not is_image and data[at + 1] == GIF_APPLICATION and data[at + 3 : at + 14] not in GIF_KEPT
        if not (is_own or (not is_image and data[at + 1] == GIF_COMMENT)):
            kept.append(data[at:end])
        at = end
    return b"".join([*kept, data[at : at + 1]])


def _table(flags: int) -> int:
    """Return the bytes of a colour table."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _end(data: bytes, at: int) -> int:
    """Return where a row of sub-blocks ends."""
    while data[at]:
        at += data[at] + 1
    return at + 1
