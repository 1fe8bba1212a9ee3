"""What kind of document a file is, found in its bytes. Its name only chooses between kinds of plain text."""

import codecs
import re
from pathlib import Path, PurePath

from llm_ui.errors import InvalidInput

HEAD_BYTES = 4096
PDF, ZIP = b"%PDF-", b"PK\x03\x04"
PDF_TYPE = "application/pdf"
ZIP_TYPE = "application/zip"
TEXT_TYPE, MARKDOWN_TYPE, HTML_TYPE, MAIL_TYPE = "text/plain", "text/markdown", "text/html", "message/rfc822"
CSV_TYPE, TSV_TYPE, JSON_TYPE = "text/csv", "text/tab-separated-values", "application/json"
IMAGES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
)
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
SEALED = "EncryptedPackage".encode("utf-16-le")
BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""The longer of two that begin alike comes first."""
CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
CONTROL_SHARE = 0.05
"""Of the bytes of a text at most: a few come in by accident, and are left out."""
HTML = re.compile(r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.I | re.S)
MARKUP = re.compile(r"<(?:p|div|h[1-6]|table|ul|ol|span|section|article|br)\b", re.I)
MAIL_LINE = re.compile(r"([!-9;-~]+):[ \t]|[ \t]+\S")
MAIL_NEEDS = ({"from"}, {"date", "message-id", "received", "mime-version", "subject", "to"})
"""A header has one of each."""
BY_NAME = {
    ".md": MARKDOWN_TYPE, ".markdown": MARKDOWN_TYPE, ".mdown": MARKDOWN_TYPE,
    ".csv": CSV_TYPE, ".tsv": TSV_TYPE, ".tab": TSV_TYPE,
    ".json": JSON_TYPE, ".jsonl": JSON_TYPE, ".ndjson": JSON_TYPE, ".ipynb": JSON_TYPE, ".geojson": JSON_TYPE,
}  # fmt: skip
LANGUAGES = {
    "bash": "sh bash zsh", "c": "c h", "cpp": "cc cpp cxx hpp hh", "csharp": "cs", "css": "css scss less",
    "dart": "dart", "elixir": "ex exs", "erlang": "erl", "fortran": "f90 f95", "go": "go", "graphql": "graphql",
    "haskell": "hs", "ini": "ini cfg conf properties", "java": "java", "javascript": "js mjs cjs jsx", "julia": "jl",
    "kotlin": "kt kts", "latex": "tex", "lua": "lua", "matlab": "m", "nix": "nix", "perl": "pl pm", "php": "php",
    "powershell": "ps1", "proto": "proto", "python": "py pyi pyw", "r": "r", "ruby": "rb", "rust": "rs",
    "scala": "scala", "sql": "sql", "svelte": "svelte", "swift": "swift", "terraform": "tf", "toml": "toml",
    "typescript": "ts tsx mts", "vb": "vb bas", "vue": "vue", "xml": "xml xsd xsl svg rss", "yaml": "yaml yml",
}  # fmt: skip
LANGUAGE_OF = {f".{ending}": language for language, endings in LANGUAGES.items() for ending in endings.split()}


def find(path: Path, name: str) -> str:
    """Return the media type. Raises `InvalidInput` for what is empty or no document."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not head:
        raise InvalidInput("{name} is empty. Pick another file.", name=name)
    return _of_signature(head, path, name) or _of_text(head, name)


def _of_signature(head: bytes, path: Path, name: str) -> str | None:
    for mark, media_type in IMAGES:
        if head.startswith(mark):
            return media_type
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head.startswith((ZIP, b"PK\x05\x06")):
        return ZIP_TYPE
    # Some programs put a mark or a few bytes of white space before it.
    if head.removeprefix(codecs.BOM_UTF8).lstrip(b"\x00\t\n\x0c\r ").startswith(PDF):
        return PDF_TYPE
    if head.startswith(OLE):
        _refuse_old_office(path, name)
    if head.startswith(b"{\\rtf"):
        raise InvalidInput("{name} is in Rich Text Format. Save it as DOCX or PDF and add that.", name=name)
    return None


def _refuse_old_office(path: Path, name: str) -> None:
    with path.open("rb") as file:
        # The directory that names its parts lies anywhere; most programs write it near the beginning or the end.
        held = file.read(1 << 20)
        file.seek(max(0, path.stat().st_size - (1 << 20)))
        held += file.read()
    if SEALED in held:
        raise InvalidInput("{name} is protected by a password. Save it without one and add that.", name=name)
    raise InvalidInput(
        "{name} is in an old format of Office. Save it as DOCX, XLSX, PPTX or PDF and add that.", name=name
    )


def _of_text(head: bytes, name: str) -> str:
    encoding = next((encoding for mark, encoding in BOMS if head.startswith(mark)), None)
    if encoding is None and len(CONTROLS.findall(head)) > CONTROL_SHARE * len(head):
        raise InvalidInput(
            "{name} is no document that can be read. Add PDF, Word, Excel, PowerPoint, EPUB, HTML, e-mail or text.",
            name=name,
        )
    text = head.decode(encoding or "utf-8", "replace").removeprefix("\ufeff")
    ending = PurePath(name).suffix.lower()
    if HTML.match(text) or (ending in (".html", ".htm", ".xhtml") and MARKUP.search(text)):
        return HTML_TYPE
    if _is_mail(text):
        return MAIL_TYPE
    language = LANGUAGE_OF.get(ending)
    return f"text/x-{language}" if language else BY_NAME.get(ending, TEXT_TYPE)


def _is_mail(text: str) -> bool:
    """Return whether it begins as e-mails do (RFC 5322, §2.1): with lines of a header and then an empty one."""
    header, _, _ = text.replace("\r\n", "\n").partition("\n\n")
    lines = header.split("\n")
    found = [MAIL_LINE.match(line) for line in (lines if header != text else lines[:-1])]
    names = {match[1].lower() for match in found if match and match[1]}
    return None not in found and all(names & needed for needed in MAIL_NEEDS)
