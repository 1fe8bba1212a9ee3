"""EPUB: its chapters in reading order, each on pages of its own (EPUB 3.3, §5, §6)."""

import posixpath
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import unquote
from zipfile import ZipFile

from llm_ui.documents.parse import web
from llm_ui.documents.parse.archive import each, opened
from llm_ui.documents.parse.markup import Attributes, Found
from llm_ui.documents.parse.paging import DEEPEST, heading, pieces
from llm_ui.documents.parse.source import Source
from llm_ui.errors import InvalidInput
from llm_ui.kit.reading import Block, BlockKind, Page

CONTAINER, ENCRYPTION = "META-INF/container.xml", "META-INF/encryption.xml"
READ = ("application/xhtml+xml", "text/html")


def read(source: Source) -> Iterator[Page]:
    """Yield the chapters. Raises `InvalidInput` for a book that only its shop's program opens."""
    with opened(source) as archive:
        roots, sealed = Found("rootfile"), Found("CipherReference")
        each(archive, CONTAINER, roots, source.name)
        each(archive, ENCRYPTION, sealed, source.name)
        package = _Package()
        root = next((attributes.get("full-path", "") for _, attributes in roots.elements), "")
        each(archive, root, package, source.name)
        locked = {unquote(attributes.get("URI", "")) for _, attributes in sealed.elements}
        number = 1
        for chapter in package.chapters(posixpath.dirname(root)):
            if chapter in locked:
                raise InvalidInput(
                    "{name} is protected against copying. Add a copy without that protection.", name=source.name
                )
            for page in pieces(_blocks(archive, chapter, source, package.title), number):
                yield page
                number = page.number + 1


def _blocks(archive: ZipFile, chapter: str, source: Source, title: str) -> Iterator[Block]:
    """Yield a chapter under the title of the book."""
    if chapter not in archive.NameToInfo:
        return
    found = web.blocks(web.html_of(archive.read(chapter), source), source)
    if title and found:
        yield heading(title, 1)
    for block in found:
        yield replace(block, level=min(block.level + 1, DEEPEST)) if block.kind is BlockKind.HEADING else block


class _Package:
    """What a book is made of, and its title."""

    def __init__(self) -> None:
        self.title = ""
        self._parts: dict[str, str] = {}
        self._order: list[str] = []
        self._is_title = False

    def start(self, name: str, attributes: Attributes) -> None:
        """Take the beginning of an element."""
        if name == "item" and attributes.get("media-type") in READ:
            self._parts[attributes.get("id", "")] = unquote(attributes.get("href", ""))
        elif name == "itemref":
            self._order.append(attributes.get("idref", ""))
        elif name == "title":
            self._is_title = not self.title

    def end(self, name: str) -> None:
        """Take the end of an element."""
        if name == "title":
            self._is_title = False

    def data(self, text: str) -> None:
        """Take text."""
        if self._is_title:
            self.title += text

    def chapters(self, folder: str) -> list[str]:
        """Return the names of the chapters in the archive, in reading order."""
        found = [self._parts[each] for each in self._order if each in self._parts]
        return [posixpath.normpath(posixpath.join(folder, name)) for name in found]
