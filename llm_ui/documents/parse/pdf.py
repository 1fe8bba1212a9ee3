"""PDF: its pages, what a person sees of them, and headings where the size of the print or its contents tell."""

import gc
import logging
from collections import Counter
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from pypdf import PageObject, PdfReader
from pypdf.errors import LimitReachedError

from llm_ui.documents.parse import ocr, showing
from llm_ui.documents.parse.ink import Box, Ink
from llm_ui.documents.parse.layout import Line, Lines, blocks, title_key
from llm_ui.documents.parse.source import Left, Source
from llm_ui.documents.parse.text import EMPTY_LINES, parts
from llm_ui.errors import InvalidInput
from llm_ui.kit.reading import Block, BlockKind, Page

A4: Box = (0, 0, 595, 842)
OUTLINE_ENTRIES = 5_000
OUTLINE_DEPTH = 6
PAGES_PER_SWEEP = 250
"""What pypdf makes of a page goes in circles."""
RECOGNISED_SHARE = 5
"""A scanned page has so many times more unseen text than seen, at least."""


def read(source: Source) -> Iterator[Page]:
    """Yield the pages, also those without text. Raises `InvalidInput` when it is sealed or none of them has any."""
    logging.disable()
    showing.use()
    reader = PdfReader(BytesIO(source.path.read_bytes()))
    if reader.is_encrypted and not reader.decrypt(""):
        raise InvalidInput("{name} is protected by a password. Save it without one and add that.", name=source.name)
    try:
        yield from _pages(source, reader)
    except LimitReachedError as error:
        raise InvalidInput(
            "{name} has a page with too much on it to be read. Save it anew, or split it.", name=source.name
        ) from error


def _pages(source: Source, reader: PdfReader) -> Iterator[Page]:
    count = len(reader.pages)
    if count > source.limits.pages:
        raise InvalidInput(
            "{name} has more than {most} pages. Split it and add the parts.", name=source.name, most=source.limits.pages
        )
    outline = _outline(reader)
    sizes: Counter[float] = Counter()
    for number in range(source.after_page + 1, count + 1):
        lines, recognised = _lines(source, reader, number)
        sizes.update(_sizes(lines))
        body = sizes.most_common(1)[0][0] if sizes else 0.0
        yield Page(number, recognised or tuple(blocks(lines, body, outline)))
        if number % PAGES_PER_SWEEP == 0:
            gc.collect()
    noted = (Left.BARE_PAGES, Left.BROKEN_PAGES, Left.RECOGNISED_PAGES)
    bare, broken, recognised_pages = (source.pages.get(each, []) for each in noted)
    if bare and not sizes and not recognised_pages and not source.after_page:
        raise InvalidInput(
            "{name} holds scanned pages without text. Run text recognition (OCR) over it and add the result.",
            name=source.name,
        )
    if count and len(broken) == count:
        raise ValueError("no page can be read")


def _sizes(lines: list[Line]) -> dict[float, int]:
    found: Counter[float] = Counter()
    for line in lines:
        found[line.size] += len(line.text)
    return found


def _lines(source: Source, reader: PdfReader, number: int) -> tuple[list[Line], tuple[Block, ...]]:
    """Return the lines of a page that a person sees, or what was recognised; take note of what is left out."""
    try:
        page = reader.pages[number - 1]
        lines, ink = _drawn(page, keeps_unseen=False)
        seen = sum(len(line.text) for line in lines)
        if ink.has_scan and ink.unseen_chars > RECOGNISED_SHARE * seen:
            lines, ink = _drawn(page, keeps_unseen=True)
            source.pages.setdefault(Left.RECOGNISED_PAGES, []).append(number)
    except (MemoryError, LimitReachedError):
        raise
    except Exception:  # noqa: BLE001 - pypdf raises anything for what is damaged; the other pages may be whole
        source.pages.setdefault(Left.BROKEN_PAGES, []).append(number)
        return [], ()
    if ink.hidden:
        source.left[Left.HIDDEN_TEXT] += ink.hidden
    if lines or not ink.has_picture:
        return lines, ()
    recognised = _recognised(page, ink)
    source.pages.setdefault(Left.RECOGNISED_PAGES if recognised else Left.BARE_PAGES, []).append(number)
    return [], recognised


def _recognised(page: PageObject, ink: Ink) -> tuple[Block, ...]:
    """Return the text in the pictures of a page without any other; nothing where it cannot be read."""
    try:
        text = ocr.page_text(page, ink.drawn)
    except Exception:  # noqa: BLE001 - a picture that is damaged, or packed in a way that needs too much, is not read
        return ()
    return tuple(Block(BlockKind.TEXT, part) for part in parts(text, EMPTY_LINES) if part)


def _drawn(page: PageObject, *, keeps_unseen: bool) -> tuple[list[Line], Ink]:
    resources = _got(page, "/Resources")
    ink = Ink(_paper(page), _clear_states(resources), keeps_unseen=keeps_unseen)
    lines = Lines()
    page.extract_text(
        visitor_operand_before=ink.before,
        # Called for each operator, and only of use where forms can be drawn.
        visitor_operand_after=ink.after if _got(resources, "/XObject") else None,
        visitor_text=lines.piece,
    )
    return lines.all(), ink


def _paper(page: PageObject) -> Box:
    """Return what of the page is shown; pypdf's own way to tell it takes as long as reading some lines."""
    try:
        left, bottom, right, top = (float(each) for each in _got(page, "/CropBox") or _got(page, "/MediaBox"))
    except (TypeError, ValueError):
        return A4
    paper = min(left, right), min(bottom, top), max(left, right), max(bottom, top)
    return paper if paper[0] < paper[2] and paper[1] < paper[3] else A4


def _clear_states(resources: Any) -> frozenset[str]:
    """Return the names of a page's graphics states that fill with nothing (ISO 32000-2, table 57: ca)."""
    states: Any = _got(resources, "/ExtGState")
    if not isinstance(states, dict):
        return frozenset()
    return frozenset(str(name) for name in states if _got(_got(states, name), "/ca") == 0)


def _got(holder: Any, name: str) -> Any:
    found = holder.get(name) if isinstance(holder, dict) else None
    return found.get_object() if found is not None else None


def _outline(reader: PdfReader) -> dict[str, int]:
    """Return the level of each title that the document's contents name."""
    found: dict[str, int] = {}

    def take(entries: list[Any], level: int) -> None:
        for entry in entries:
            if isinstance(entry, list):
                take(entry, level + 1)
            elif len(found) < OUTLINE_ENTRIES and level <= OUTLINE_DEPTH:
                found.setdefault(title_key(str(entry.title or "")), level)

    try:
        take(reader.outline, 1)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - pypdf raises anything for what is damaged; the pages do without it
        return {}
    found.pop("", None)
    return found
