"""Pictures made byte by byte: whole ones that a browser draws, and headers that only tell a size."""

import struct
import zlib


def png(width: int = 64, height: int = 48, colour: tuple[int, int, int] = (62, 99, 221)) -> bytes:
    """Return a whole PNG of one colour."""
    rows = (b"\0" + bytes(colour) * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def png_header(width: int, height: int) -> bytes:
    """Return a PNG that says it is of a size and holds nothing."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def jpeg(width: int, height: int) -> bytes:
    """Return the segments of a JPEG: a comment, a table, the frame's header, its end."""
    comment = b"\xff\xfe" + struct.pack(">H", 6) + b"note"
    table = b"\xff\xc4" + struct.pack(">H", 4) + b"\0\0"
    frame = b"\xff\xc2" + struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\1\x11\0"
    return b"\xff\xd8" + comment + b"\xff" + table + frame + b"\xff\xd9"


def gif(width: int, height: int) -> bytes:
    """Return a GIF without a frame."""
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0, 0, 0) + b"\0;"


def webp(kind: bytes, width: int, height: int) -> bytes:
    """Return the header of a WebP of one of its three kinds."""
    body = {
        b"VP8 ": b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", width, height),
        b"VP8L": b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14) + b"\0" * 5,
        b"VP8X": b"\0\0\0\0" + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little"),
    }[kind]
    chunk = kind + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", len(chunk) + 4) + b"WEBP" + chunk
