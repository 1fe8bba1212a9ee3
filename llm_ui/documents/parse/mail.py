"""E-mails as programs save them (RFC 5322, RFC 2045): the header that people read, and the text."""

from collections.abc import Iterator
from email import policy
from email.message import EmailMessage, MIMEPart
from email.parser import BytesParser

from llm_ui.documents.parse import web
from llm_ui.documents.parse.paging import heading, pieces
from llm_ui.documents.parse.source import Left, Source
from llm_ui.documents.parse.text import EMPTY_LINES, parts
from llm_ui.kit.reading import Block, BlockKind, Page

SHOWN = ("From", "To", "Cc", "Date")


def read(source: Source) -> Iterator[Page]:
    """Yield header and text. Attached files are counted."""
    with source.path.open("rb") as file:
        message = BytesParser(EmailMessage, policy=policy.default).parse(file)
    return pieces(_blocks(message, source))


def _blocks(message: EmailMessage, source: Source) -> Iterator[Block]:
    if subject := str(message["Subject"] or "").strip():
        yield heading(subject, 1)
    lines = [f"{name}: {message[name]}" for name in SHOWN if message[name]]
    yield Block(BlockKind.TEXT, "\n".join(lines))
    body = message.get_body(("plain",))
    if body is None or not _text(body).strip():
        body = message.get_body(("html",)) or body
    if body is not None and body.get_content_subtype() == "html":
        yield from web.blocks(_text(body), source)
    elif body is not None:
        text = _text(body).replace("\r\n", "\n")
        yield from (Block(BlockKind.TEXT, part) for part in parts(text, EMPTY_LINES))
    if attached := sum(1 for part in message.walk() if part.get_filename() or part.is_attachment()):
        source.left[Left.ATTACHMENTS] += attached


def _text(part: MIMEPart) -> str:
    try:
        content = part.get_content(errors="replace")
    except LookupError:
        # It names an encoding that nobody knows.
        held = part.get_payload(decode=True)
        content = held.decode("utf-8", "replace") if isinstance(held, bytes) else ""
    return content if isinstance(content, str) else ""
