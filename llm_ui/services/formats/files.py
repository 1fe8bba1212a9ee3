"""A file that somebody brings: JSON or a zip archive, whatever its name says, read entry by entry.

Nothing of an archive is unpacked to the disk, and no path in it is followed.
"""

import json
import re
import struct
import zipfile
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from zlib import error as ZlibError

from llm_ui.errors import InvalidInput, TooLarge
from llm_ui.kit.json_stream import elements
from llm_ui.kit.text import one_line
from llm_ui.services.archive import FORMAT as ARCHIVE
from llm_ui.services.formats import own
from llm_ui.services.formats.base import BadEntry, ImportedChat, mapping
from llm_ui.services.formats.own import Kept
from llm_ui.services.formats.registry import is_chat, read_chat

MAX_FILES = 250_000
"""In an archive: two for each of 100,000 chats, and more."""
MAX_ENTRIES = 250_000
MAX_BAD = 10_000
"""Entries that are no chats: a file with more is no export."""
MAX_UNPACKED_BYTES = 4 * 2**30
MAX_DOCUMENTS_BYTES = 16 * 2**30
"""Of documents, which go to the disk and not into memory."""
DOCUMENTS = "documents/"
MAX_RATIO = 200
"""Of unpacked to packed, for what is larger than `SMALL_BYTES`: text packs to a tenth, a bomb to a thousandth."""
SMALL_BYTES = 64 * 2**20
MAX_MANIFEST_BYTES = 2**20
PIECE_BYTES = 1 << 18
MAX_FILE_BYTES = 100 * 10**6
"""Of one that was attached."""
FILE = re.compile(r"files/([0-9a-f]{64})(?:\.[a-z0-9]{1,8})?")
TAIL_BYTES = 2**16 + 22
END, END_64, LOCATOR_64 = struct.Struct("<4s4H2LH"), struct.Struct("<4sQ2H2L4Q"), struct.Struct("<4sLQL")
RECORD = struct.Struct("<28x3H12x")
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
DAMAGED = "The archive is damaged. Export it again and upload that."
NOTHING = "There is no chat in this file. Choose what LLM UI, ChatGPT, Open WebUI or LibreChat exported."
TITLE_CHARS = 80


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a file, and how far into the file it lies."""

    name: str
    """Its title, by which a person knows it again, or its number."""
    what: ImportedChat | Kept | BadEntry
    done_bytes: int


class Upload:
    """A file with chats. Raises `InvalidInput` when it is none, or where it is damaged."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._zip: zipfile.ZipFile | None = None
        self._members: list[zipfile.ZipInfo] = []
        self._files: dict[str, zipfile.ZipInfo] = {}
        self._documents: dict[str, zipfile.ZipInfo] = {}
        self._count = 0
        self._bad = 0
        self._done = 0
        try:
            self.total_bytes = self._begin(path)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        if self._zip is not None:
            self._zip.close()
        self._file.close()

    def _begin(self, path: Path) -> int:
        is_zip = self._file.read(4) == b"PK\x03\x04"
        self._file.seek(0)
        if not is_zip:
            return path.stat().st_size
        _require_few_files(self._file, path.stat().st_size)
        try:
            self._zip = zipfile.ZipFile(self._file)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, UnicodeError, struct.error):
            raise InvalidInput(DAMAGED) from None
        self._members = [info for info in self._zip.infolist() if info.filename.lower().endswith(".json")]
        named = ((FILE.fullmatch(info.filename), info) for info in self._zip.infolist())
        documents = [info for info in self._zip.infolist() if info.filename.startswith(DOCUMENTS)]
        self._documents = {info.filename: info for info in documents}
        self._files = {found.group(1): info for found, info in named if found is not None}
        _require_bounded([*self._members, *self._files.values()], MAX_UNPACKED_BYTES)
        _require_bounded(documents, MAX_DOCUMENTS_BYTES)
        return sum(info.file_size for info in self._members)

    def entries(self) -> Iterator[Entry]:
        """Yield what the file holds, chat by chat."""
        if self._zip is None:
            yield from self._of_json(self._file.read)
        elif self._is_ours():
            yield from self._of_archive()
        else:
            yield from self._of_foreign_zip()
        if self._count == 0:
            raise InvalidInput(NOTHING)

    def size(self, sha256: str) -> int:
        """Return how large a file beside the chats says it is, 0 when there is none."""
        return self._files[sha256].file_size if sha256 in self._files else 0

    def content(self, sha256: str) -> bytes:
        """Return what a file beside the chats holds, nothing when there is none. Raises `InvalidInput`."""
        if not 0 < self.size(sha256) <= MAX_FILE_BYTES:
            return b""
        return self._member(self._files[sha256])(MAX_FILE_BYTES)

    def document_size(self, path: str) -> int:
        """Return how large a document of the archive says it is, 0 when there is none."""
        return self._documents[path].file_size if path in self._documents else 0

    def document(self, path: str) -> Iterator[bytes]:
        """Yield what a document of the archive holds, once; no more than it says. Raises `InvalidInput`."""
        info = self._documents.pop(path)
        read, left = self._member(info), info.file_size
        while piece := read(min(PIECE_BYTES, left)):
            left -= len(piece)
            yield piece

    def _of_json(self, read: Callable[[int], bytes], *, must_begin_with_chat: bool = False) -> Iterator[Entry]:
        """Yield the entries of one JSON file; none when it must begin with a chat and does not."""
        for number, element in enumerate(elements(self._counted(read))):
            if must_begin_with_chat and number == 0 and not is_chat(element):
                return
            yield self._entry(element)

    def _of_archive(self) -> Iterator[Entry]:
        yield from self._of_lists(own.BEFORE_CHATS)
        for info in self._members:
            if info.filename.startswith("chats/"):
                yield from self._of_json(self._member(info))
        yield from self._of_lists(own.LISTS.keys() - own.BEFORE_CHATS)

    def _of_lists(self, names: Set[str]) -> Iterator[Entry]:
        for info in self._members:
            if info.filename in names:
                read = own.LISTS[info.filename]
                for told in elements(self._counted(self._member(info))):
                    self._count += 1
                    yield Entry(f"Entry {self._count}", read(mapping(told)), self._done)

    def _of_foreign_zip(self) -> Iterator[Entry]:
        # Other products put more into their archives than chats: such files are passed over by what they hold.
        for info in self._members:
            try:
                yield from self._of_json(self._member(info), must_begin_with_chat=True)
            except InvalidInput:
                if self._count:
                    raise

    def _is_ours(self) -> bool:
        for info in self._members:
            if info.filename == "manifest.json" and info.file_size <= MAX_MANIFEST_BYTES:
                try:
                    return mapping(json.loads(self._member(info)(MAX_MANIFEST_BYTES))).get("format") == ARCHIVE
                except (ValueError, RecursionError):
                    return False
        return False

    def _member(self, info: zipfile.ZipInfo) -> Callable[[int], bytes]:
        """Return how to read a file of the archive. Raises `InvalidInput`."""
        assert self._zip is not None  # noqa: S101 - only called for archives
        if info.flag_bits & 1:
            raise InvalidInput("The archive is locked with a password. Unpack it and upload the files in it.")
        if info.compress_type not in METHODS:
            raise InvalidInput("The archive is packed in an unusual way. Unpack it and upload the files in it.")
        try:
            member = self._zip.open(info)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, UnicodeError, struct.error):
            raise InvalidInput(DAMAGED) from None

        def read(size: int) -> bytes:
            try:
                return member.read(size)
            except (zipfile.BadZipFile, OSError, ValueError, EOFError, ZlibError):
                raise InvalidInput(DAMAGED) from None

        return read

    def _counted(self, read: Callable[[int], bytes]) -> Callable[[int], bytes]:
        def counting(size: int) -> bytes:
            content = read(size)
            self._done += len(content)
            return content

        return counting

    def _entry(self, element: object) -> Entry:
        self._count += 1
        if self._count > MAX_ENTRIES:
            raise TooLarge(
                "The file has more than {most} entries. What came before is taken over; upload it in parts.",
                most=MAX_ENTRIES,
            )
        if self._bad > MAX_BAD:
            raise TooLarge(
                "The file has more than {most} entries that are no chats. "
                "What came before is taken over; upload it in parts.",
                most=MAX_BAD,
            )
        inner = mapping(element)
        titles = (inner.get("title"), mapping(inner.get("chat")).get("title"))
        title = next((one for one in titles if isinstance(one, str) and one.strip()), f"Entry {self._count}")
        try:
            return Entry(one_line(title, TITLE_CHARS), read_chat(element), self._done)
        except BadEntry as bad:
            self._bad += 1
            return Entry(one_line(title, TITLE_CHARS), bad, self._done)


def _require_bounded(members: list[zipfile.ZipInfo], most: int) -> None:
    """Raise `TooLarge` for an archive that unpacks to more than anybody has written."""
    unpacked = sum(info.file_size for info in members)
    packed = sum(info.compress_size for info in members)
    if unpacked > most:
        raise TooLarge("The archive unpacks to more than {most} GB. Upload it in parts.", most=most // 2**30)
    if unpacked > SMALL_BYTES and unpacked > MAX_RATIO * max(1, packed):
        raise TooLarge("The archive unpacks to far more than chats do. Export it again and upload that.")


def _require_few_files(file: BinaryIO, size: int) -> None:
    """Raise unless the directory of an archive is of a size that can be held; count it without reading it in."""
    file.seek(max(0, size - TAIL_BYTES))
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < END.size:
        raise InvalidInput(DAMAGED)
    length = END.unpack_from(tail, at)[5]
    end = size - len(tail) + at
    if tail[at - LOCATOR_64.size : at].startswith(b"PK\x06\x07"):
        place = LOCATOR_64.unpack_from(tail, at - LOCATOR_64.size)[2]
        file.seek(min(place, size))
        found = file.read(END_64.size)
        if len(found) == END_64.size and found.startswith(b"PK\x06\x06"):
            length = END_64.unpack(found)[8]
            end = place
    count, place = 0, end - length
    while 0 <= place < end and count <= MAX_FILES:
        file.seek(place)
        record = file.read(RECORD.size)
        if len(record) < RECORD.size:
            break
        place += RECORD.size + sum(RECORD.unpack(record))
        count += 1
    file.seek(0)
    if count > MAX_FILES:
        raise TooLarge("The archive holds more than {most} files. Upload it in parts.", most=MAX_FILES)
