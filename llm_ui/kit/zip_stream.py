"""A zip archive made piece by piece, for a stream that nobody can go back in (APPNOTE.TXT 6.3.10, with zip64).

The standard library keeps an object of half a kilobyte for each file until the end; this keeps its line of the
directory, so that an archive of 100,000 files needs some 10 MB.
"""

import struct
import zlib
from datetime import datetime

LEVEL = 6
VERSION = 45
"""Of a reader that knows zip64."""
IS_UTF8 = 0x800
DEFLATED = 8
LIMIT_16, LIMIT_32 = 0xFFFF, 0xFFFFFFFF
LOCAL = struct.Struct("<4s5H3L2H")
CENTRAL = struct.Struct("<4s6H3L5H2L")
END = struct.Struct("<4s4H2LH")
END_64 = struct.Struct("<4sQ2H2L4Q")
LOCATOR_64 = struct.Struct("<4sLQL")
EXTRA_64 = struct.Struct("<2HQ")
FIRST_YEAR, LAST_YEAR = 1980, 2107


class ZipFile:
    """One file of an archive while it is written; only what it is packed to is kept."""

    def __init__(self, name: str, written_at: datetime) -> None:
        self.name = name.encode()
        self.written_at = written_at
        self.size = 0
        self.checksum = 0
        self.packed = bytearray()
        self._deflate = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)

    def write(self, content: bytes) -> None:
        """Add to the file."""
        self.size += len(content)
        self.checksum = zlib.crc32(content, self.checksum)
        self.packed += self._deflate.compress(content)

    def end(self) -> None:
        """Pack what is left. Nothing is added afterwards."""
        self.packed += self._deflate.flush()


class ZipStream:
    """An archive. What each call returns is sent on, in that order."""

    def __init__(self) -> None:
        self._directory = bytearray()
        self._count = 0
        self._offset = 0

    def add(self, file: ZipFile) -> bytes:
        """Return a file as it stands in the archive; the file ends."""
        file.end()
        fields = (VERSION, IS_UTF8, DEFLATED, *_dos_time(file.written_at), file.checksum, len(file.packed), file.size)
        is_far = self._offset >= LIMIT_32
        extra = EXTRA_64.pack(1, 8, self._offset) if is_far else b""
        offset = LIMIT_32 if is_far else self._offset
        self._directory += CENTRAL.pack(b"PK\x01\x02", VERSION, *fields, len(file.name), len(extra), 0, 0, 0, 0, offset)
        self._directory += file.name + extra
        self._count += 1
        return self._sent(LOCAL.pack(b"PK\x03\x04", *fields, len(file.name), 0) + file.name + bytes(file.packed))

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
