"""Text in pictures, where the server has Tesseract to read it: in files of their own and on scanned pages of PDF."""

import io
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # Pictures are read without it, also where PDF never is: 10 MB.
    from pypdf import PageObject

PROGRAM = "tesseract"
MAX_PIXELS = 50_000_000
"""Of a picture on a page: A4 at 600 dpi has 35 million."""
MIN_SIDE_PX = 40
"""Smaller ones are rules, dots and logos."""
MOST_PICTURES = 20
"""Of a page: some programs cut a scan into strips."""
MOST_FORMS = 3
"""A picture may lie so many forms deep."""


def program() -> str | None:
    """Return the program that reads text in pictures, None where there is none."""
    return shutil.which(PROGRAM)


def recognised(program: str, picture: str, content: bytes | None = None) -> str:
    """Return the text in a picture, which is a file or comes in; empty when there is none."""
    # Its own limits are those of this process, and it is killed with it. A page is no work for many threads.
    done = subprocess.run(  # noqa: S603 - the program of the server's owner, and a name that we gave
        [program, picture, "stdout"],
        input=content or b"",
        capture_output=True,
        check=False,
        env={**os.environ, "OMP_THREAD_LIMIT": "1"},
    )
    return "" if done.returncode else done.stdout.decode("utf-8", "replace").strip("\f\n ")


def page_text(page: "PageObject", drawn: Sequence[str]) -> str:
    """Return the text in the pictures that are drawn on a page, by their names; empty where nobody here can read it."""
    found = program()
    if found is None:
        return ""
    paths = [path for name in dict.fromkeys(drawn) for path in _pictures(page, [name])]
    texts = [recognised(found, "stdin", _picture(page, path)) for path in paths[:MOST_PICTURES]]
    return "\n\n".join(filter(None, texts))


def _pictures(page: "PageObject", path: list[str]) -> Iterator[list[str]]:
    """Yield the way to each picture that something drawn on a page holds: itself, or those of a form."""
    held: Any = page
    for name in path:
        held = _got(_got(_got(held, "/Resources"), "/XObject"), name)
    if _got(held, "/Subtype") == "/Image":
        width, height = (int(_got(held, side) or 0) for side in ("/Width", "/Height"))
        # Told before it is unpacked.
        if min(width, height) >= MIN_SIDE_PX and width * height <= MAX_PIXELS:
            yield path
    elif len(path) <= MOST_FORMS:
        inner = _got(_got(held, "/Resources"), "/XObject")
        for name in inner if isinstance(inner, dict) else ():
            yield from _pictures(page, [*path, str(name)])


def _picture(page: "PageObject", path: list[str]) -> bytes:
    """Return a picture of a page as it is read, in shades of grey."""
    image = page.images[path if len(path) > 1 else path[0]].image
    if image is None:
        return b""
    turned = image.convert("L").rotate(-page.rotation, expand=True) if page.rotation else image.convert("L")
    written = io.BytesIO()
    turned.save(written, "PPM")
    return written.getvalue()


def _got(holder: Any, name: str) -> Any:
    found = holder.get(name) if isinstance(holder, dict) else None
    return found.get_object() if found is not None else None
