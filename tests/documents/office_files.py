"""Makers of zip archives that are documents: Word, Excel, PowerPoint, EPUB."""

import io
from collections.abc import Mapping
from urllib.parse import quote
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
S = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
P = "http://schemas.openxmlformats.org/presentationml/2006/main"
A = "http://schemas.openxmlformats.org/drawingml/2006/main"
MAIN = "application/vnd.openxmlformats-officedocument.{}.main+xml"
NAMES = f'xmlns:w="{W}" xmlns:s="{S}" xmlns:p="{P}" xmlns:a="{A}" xmlns:r="{OFFICE}/relationships"'


def archive(parts: Mapping[str, str | bytes], *, packing: int = ZIP_DEFLATED) -> bytes:
    """Return a zip archive of these parts."""
    file = io.BytesIO()
    with ZipFile(file, "w", packing) as made:
        for name, content in parts.items():
            made.writestr(name, content)
    return file.getvalue()


def relations(**targets: str) -> str:
    """Return the part that names others: id=kind target."""
    lines = "".join(
        f'<Relationship Id="{key}" Type="{OFFICE}/relationships/{kind}" Target="{target}"/>'
        for key, (kind, target) in ((key, value.split(" ", 1)) for key, value in targets.items())
    )
    return f'<Relationships xmlns="{PACKAGE}/relationships">{lines}</Relationships>'


def types(part: str, kind: str) -> str:
    """Return the part that says which kind of document it is."""
    override = f'<Override PartName="/{part}" ContentType="{MAIN.format(kind)}"/>'
    return f'<Types xmlns="{PACKAGE}/content-types">{override}</Types>'


def docx(body: str, **more: str | bytes) -> bytes:
    """Return a Word document with such a body; `more` are parts of its folder, by kind."""
    related = relations(**{kind: f"{kind} {kind}.xml" for kind in more})
    return archive({
        "[Content_Types].xml": types("word/document.xml", "wordprocessingml.document"),
        "word/_rels/document.xml.rels": related,
        "word/document.xml": f"<w:document {NAMES}><w:body>{body}</w:body></w:document>",
        **{f"word/{kind}.xml": content for kind, content in more.items()},
    })  # fmt: skip


def paragraph(text: str, properties: str = "", run: str = "") -> str:
    """Return a paragraph of Word."""
    text = f"<w:r><w:rPr>{run}</w:rPr><w:t>{escape(text)}</w:t></w:r>"
    return f"<w:p><w:pPr>{properties}</w:pPr>{text}</w:p>"


def pptx(*slides: str, notes: Mapping[int, str] | None = None) -> bytes:
    """Return a presentation of these slides, in the opposite order of their names."""
    count = len(slides)
    ids = "".join(f'<p:sldId id="{256 + n}" r:id="r{n}"/>' for n in range(count))
    parts: dict[str, str] = {
        "[Content_Types].xml": types("ppt/presentation.xml", "presentationml.presentation"),
        "ppt/presentation.xml": f"<p:presentation {NAMES}><p:sldIdLst>{ids}</p:sldIdLst></p:presentation>",
        "ppt/_rels/presentation.xml.rels": relations(
            **{f"r{n}": f"slide slides/slide{count - n}.xml" for n in range(count)}
        ),
    }
    for n, content in enumerate(slides):
        parts[f"ppt/slides/slide{count - n}.xml"] = (
            f"<p:sld {NAMES}><p:cSld><p:spTree>{content}</p:spTree></p:cSld></p:sld>"
        )
    for n, content in (notes or {}).items():
        parts[f"ppt/slides/_rels/slide{count - n}.xml.rels"] = relations(n="notesSlide ../notesSlides/n.xml")
        parts["ppt/notesSlides/n.xml"] = f"<p:notes {NAMES}>{content}</p:notes>"
    return archive(parts)


def shape(*texts: str, place: str | None = None, hidden: bool = False, level: int = 0) -> str:
    """Return a shape of a slide with paragraphs in it."""
    where = "" if place is None else f'<p:nvPr><p:ph type="{place}"/></p:nvPr>'
    lines = "".join(f'<a:p><a:pPr lvl="{level}"/><a:r><a:t>{escape(text)}</a:t></a:r></a:p>' for text in texts)
    name = f'<p:cNvPr id="1" name="x" hidden="{int(hidden)}"/>'
    return f"<p:sp><p:nvSpPr>{name}{where}</p:nvSpPr><p:txBody>{lines}</p:txBody></p:sp>"


def xlsx(sheets: Mapping[str, str], strings: str = "", styles: str = "", hidden: tuple[str, ...] = ()) -> bytes:
    """Return a workbook of sheets, each given by its rows."""
    names = "".join(
        f'<s:sheet name="{name}" sheetId="{n}" r:id="r{n}" state="{"hidden" if name in hidden else "visible"}"/>'
        for n, name in enumerate(sheets)
    )
    return archive({
        "[Content_Types].xml": types("xl/workbook.xml", "spreadsheetml.sheet"),
        "xl/workbook.xml": f"<s:workbook {NAMES}><s:sheets>{names}</s:sheets></s:workbook>",
        "xl/_rels/workbook.xml.rels": relations(
            strings="sharedStrings sharedStrings.xml", styles="styles /xl/styles.xml",
            **{f"r{n}": f"worksheet worksheets/sheet{n}.xml" for n in range(len(sheets))},
        ),
        "xl/sharedStrings.xml": f"<s:sst {NAMES}>{strings}</s:sst>",
        "xl/styles.xml": f"<s:styleSheet {NAMES}>{styles}</s:styleSheet>",
        **{
            f"xl/worksheets/sheet{n}.xml": f"<s:worksheet {NAMES}><s:sheetData>{rows}</s:sheetData></s:worksheet>"
            for n, rows in enumerate(sheets.values())
        },
    })  # fmt: skip


def cells(number: int, *values: str) -> str:
    """Return a row of texts."""
    inside = "".join(
        f'<s:c r="{chr(65 + n)}{number}" t="inlineStr"><s:is><s:t>{escape(value)}</s:t></s:is></s:c>'
        for n, value in enumerate(values)
        if value
    )
    return f'<s:row r="{number}">{inside}</s:row>'


def epub(chapters: Mapping[str, str], title: str = "The Book", **more: str) -> bytes:
    """Return a book of chapters in XHTML."""
    items = "".join(
        f'<item id="{n}" href="{quote(name)}" media-type="application/xhtml+xml"/>' for n, name in enumerate(chapters)
    )
    order = "".join(f'<itemref idref="{n}"/>' for n in range(len(chapters)))
    name = f'<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{title}</dc:title></metadata>'
    return archive({
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": '<container><rootfile full-path="OEBPS/book.opf"/></container>',
        "OEBPS/book.opf": f"<package>{name}<manifest>{items}</manifest><spine>{order}</spine></package>",
        **{f"OEBPS/{name}": content for name, content in chapters.items()},
        **{f"META-INF/{name}.xml": content for name, content in more.items()},
    }, packing=ZIP_STORED)  # fmt: skip
