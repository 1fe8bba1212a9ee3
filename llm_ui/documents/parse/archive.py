"""Zip archives that are documents: Word, Excel, PowerPoint, EPUB. They are looked over before anything is unpacked."""

import importlib
import posixpath
from collections.abc import Iterator
from contextlib import contextmanager
from zipfile import BadZipFile, ZipFile, ZipInfo

from llm_ui.documents import parse
from llm_ui.documents.parse.markup import Found, Handler, feed
from llm_ui.documents.parse.source import Source
from llm_ui.errors import InvalidInput
from llm_ui.kit.reading import Page

CONTENT_TYPES = "[Content_Types].xml"
MIME_TYPE = "mimetype"
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
POWERPOINT = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
EPUB = "application/epub+zip"
MAIN_PARTS = (
    ("wordprocessingml.document.main", WORD), ("wordprocessingml.template.main", WORD),
    ("ms-word.document.macroEnabled.main", WORD), ("ms-word.template.macroEnabledTemplate.main", WORD),
    ("spreadsheetml.sheet.main", EXCEL), ("spreadsheetml.template.main", EXCEL),
    ("ms-excel.sheet.macroEnabled.main", EXCEL), ("ms-excel.template.macroEnabled.main", EXCEL),
    ("presentationml.presentation.main", POWERPOINT), ("presentationml.slideshow.main", POWERPOINT),
    ("presentationml.template.main", POWERPOINT), ("ms-powerpoint.presentation.macroEnabled.main", POWERPOINT),
)  # fmt: skip
"""What the type of a document's main part has in it, and what that makes the document."""
SMALL_BYTES = 1 << 20
"""Parts up to this size may be packed as tightly as can be."""
MB = 1 << 20


def read(source: Source) -> Iterator[Page]:
    """Find out which document it is and let its reader yield the pages."""
    with opened(source) as archive:
        source.media_type = _kind(archive, source.name)
    yield from importlib.import_module(parse.reader(source.media_type)).read(source)


@contextmanager
def opened(source: Source) -> Iterator[ZipFile]:
    """Open the archive. Raises `InvalidInput` when it holds, or says it holds, more than is read."""
    try:
        archive = ZipFile(source.path)
    except (BadZipFile, NotImplementedError, UnicodeDecodeError) as error:
        raise ValueError("no archive") from error
    with archive:
        entries, limits = archive.infolist(), source.limits
        size = sum(entry.file_size for entry in entries)
        if (
            len(entries) > limits.archive_entries
            or size > limits.archive_mb * MB
            or any(_is_bomb(entry, limits.archive_ratio) for entry in entries)
        ):
            raise InvalidInput(
                "{name} unpacks to more than can be read. Save it anew, without pictures, or split it.",
                name=source.name,
            )
        if any(_is_outside(entry.filename) for entry in entries):
            raise ValueError("a name that leads out of the archive")
        if any(entry.flag_bits & 1 for entry in entries):
            raise InvalidInput("{name} is protected by a password. Save it without one and add that.", name=source.name)
        yield archive


def _is_bomb(entry: ZipInfo, ratio: int) -> bool:
    return entry.file_size > SMALL_BYTES and entry.file_size > ratio * entry.compress_size


def _is_outside(name: str) -> bool:
    return name.startswith("/") or ":" in name or ".." in name.replace("\\", "/").split("/")


def _kind(archive: ZipFile, name: str) -> str:
    names = set(archive.namelist())
    declared = archive.read(MIME_TYPE).strip() if MIME_TYPE in names else b""
    if declared == EPUB.encode():
        return EPUB
    if declared.startswith(b"application/vnd.oasis.opendocument"):
        raise InvalidInput(
            "{name} is an OpenDocument file. Save it as DOCX, XLSX, PPTX or PDF and add that.", name=name
        )
    if CONTENT_TYPES in names:
        for part, media_type in MAIN_PARTS:
            if main_part(archive, name, part):
                return media_type
    raise InvalidInput("{name} is an archive. Unpack it and add the documents in it.", name=name)


def main_part(archive: ZipFile, name: str, *types: str) -> str:
    """Return the name of the part whose type has one of these in it; empty when there is none."""
    found = Found("Override")
    each(archive, CONTENT_TYPES, found, name)
    for _, attributes in found.elements:
        if any(part in attributes.get("ContentType", "") for part in types):
            return attributes.get("PartName", "").lstrip("/")
    return ""


def main_part_of(archive: ZipFile, source: Source) -> str:
    """Return the name of the document's main part."""
    return main_part(archive, source.name, *(part for part, kind in MAIN_PARTS if kind == source.media_type))


def each(archive: ZipFile, part: str, handler: Handler, name: str) -> None:
    """Hand a whole part to a handler, if it is there."""
    for _ in fed(archive, part, handler, name):
        pass


def fed(archive: ZipFile, part: str, handler: Handler, name: str) -> Iterator[None]:
    """Hand a part to a handler piece by piece, if it is there."""
    if part in archive.NameToInfo:
        with archive.open(part) as file:
            yield from feed(file, handler, name)


def relations(archive: ZipFile, part: str, name: str) -> dict[str, tuple[str, str]]:
    """Return the kind and the part that each id in a part stands for (ISO 29500-2, §8.5)."""
    folder, _, file = part.rpartition("/")
    found = Found("Relationship")
    each(archive, posixpath.join(folder, "_rels", f"{file}.rels"), found, name)
    return {
        attributes.get("Id", ""): (
            attributes.get("Type", "").rpartition("/")[2],
            posixpath.normpath(posixpath.join("/", folder, attributes.get("Target", ""))).lstrip("/"),
        )
        for _, attributes in found.elements
        if attributes.get("TargetMode") != "External"
    }
