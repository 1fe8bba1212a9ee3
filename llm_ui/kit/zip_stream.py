"""A zip archive made piece by piece, for a stream that nobody can go back in (APPNOTE.TXT 6.3.10, with zip64).

The standard library keeps an object of half a kilobyte for each file until the end; this keeps its line of the
directory, so that an archive of 100,000 files needs some 10 MB.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator
from datetime import datetime

LEVEL = 6
VERSION = 45
"""Of a reader that knows zip64."""
IS_UTF8 = 0x800
SIZE_FOLLOWS = 0x8
"""Checksum and size stand behind what is packed."""
DEFLATED = 8
LIMIT_16, LIMIT_32 = 0xFFFF, 0xFFFFFFFF
LOCAL = struct.Struct("<4s5H3L2H")
CENTRAL = struct.Struct("<4s6H3L5H2L")
END = struct.Struct("<4s4H2LH")
END_64 = struct.Struct("<4sQ2H2L4Q")
LOCATOR_64 = struct.Struct("<4sLQL")
LOCAL_64 = struct.Struct("<2H2Q")
DESCRIPTOR_64 = struct.Struct("<4sL2Q")
FIRST_YEAR, LAST_YEAR = 1980, 2107


class ZipFile:
    """One file of an archive while it is written; only what it is packed to is kept."""

    def __init__(self, name: str, written_at: datetime) -> None:
        self.name = name.encode()
        self.written_at = written_at
        self.size = 0
        self.packed_size = 0
        self.checksum = 0
        self.packed = bytearray()
        self._deflate = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)

    def write(self, content: bytes) -> None:
        """Add to the file."""
        self.size += len(content)
        self.checksum = zlib.crc32(content, self.checksum)
        self._take(self._deflate.compress(content))

    def end(self) -> None:
        """Pack what is left. Nothing is added afterwards."""
        self._take(self._deflate.flush())

    def sent(self) -> bytes:
        """Return what is packed so far, which is forgotten."""
        packed = bytes(self.packed)
        self.packed.clear()
        return packed

    def _take(self, packed: bytes) -> None:
        self.packed_size += len(packed)
        self.packed += packed


class ZipStream:
    """An archive. What each call returns is sent on, in that order."""

    def __init__(self) -> None:
        self._directory = bytearray()
        self._count = 0
        self._offset = 0

    def add(self, file: ZipFile) -> bytes:
        """Return a file as it stands in the archive; the file ends."""
        file.end()
        fields = (VERSION, IS_UTF8, DEFLATED, *_dos_time(file.written_at), file.checksum, file.packed_size, file.size)
        self._list(file, IS_UTF8, self._offset)
        return self._sent(LOCAL.pack(b"PK\x03\x04", *fields, len(file.name), 0) + file.name + file.sent())

    def stream(self, file: ZipFile, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Yield a file as it stands in the archive, of which nothing is kept; the file ends with its last piece."""
        offset = self._offset
        flags = IS_UTF8 | SIZE_FOLLOWS
        # How large it gets nobody knows yet, so there is room for more than 32 bits.
        fields = (VERSION, flags, DEFLATED, *_dos_time(file.written_at), 0, LIMIT_32, LIMIT_32)
        head = LOCAL.pack(b"PK\x03\x04", *fields, len(file.name), LOCAL_64.size)
        yield self._sent(head + file.name + LOCAL_64.pack(1, LOCAL_64.size - 4, 0, 0))
        for piece in pieces:
            file.write(piece)
            yield self._sent(file.sent())
        file.end()
        self._list(file, flags, offset)
        yield self._sent(file.sent() + DESCRIPTOR_64.pack(b"PK\x07\x08", file.checksum, file.packed_size, file.size))

    def _list(self, file: ZipFile, flags: int, offset: int) -> None:
        """Write a file into the directory."""
        numbers = (file.size, file.packed_size, offset)
        large = [number for number in numbers if number >= LIMIT_32]
        extra = struct.pack(f"<2H{len(large)}Q", 1, 8 * len(large), *large) if large else b""
        size, packed_size, start = (min(number, LIMIT_32) for number in numbers)
        fields = (VERSION, flags, DEFLATED, *_dos_time(file.written_at), file.checksum, packed_size, size)
        self._directory += CENTRAL.pack(b"PK\x01\x02", VERSION, *fields, len(file.name), len(extra), 0, 0, 0, 0, start)
        self._directory += file.name + extra
        self._count += 1

    def end(self) -> bytes:
        """Return the directory, with which the archive ends."""
        start, size = self._offset, len(self._directory)
        directory = self._sent(bytes(self._directory))
        if self._count >= LIMIT_16 or start >= LIMIT_32:
            end_64 = END_64.pack(
                b"PK\x06\x06", END_64.size - 12, VERSION, VERSION, 0, 0, self._count, self._count, size, start
            )
            directory += end_64 + LOCATOR_64.pack(b"PK\x06\x07", 0, start + size, 1)
        count = min(self._count, LIMIT_16)
        return directory + END.pack(b"PK\x05\x06", 0, 0, count, count, min(size, LIMIT_32), min(start, LIMIT_32), 0)

    def _sent(self, content: bytes) -> bytes:
        self._offset += len(content)
        return content


def _dos_time(at: datetime) -> tuple[int, int]:
    """Return an instant as zip files hold it, to two seconds."""
    year = min(max(at.year, FIRST_YEAR), LAST_YEAR) - FIRST_YEAR
    return at.hour << 11 | at.minute << 5 | at.second // 2, year << 9 | at.month << 5 | at.day
