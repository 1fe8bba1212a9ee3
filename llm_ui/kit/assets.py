"""The files under `assets/`: beside the package in a checkout, inside it in an installed wheel."""

import hashlib
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent
SERVED = (".js", ".css", ".svg", ".png", ".json", ".webmanifest")
"""What browsers may ask for; templates are not among it."""
IMPORT = re.compile(r'^(?:import|export)\b[^"]*"\./([\w./-]+)"', re.MULTILINE)


@cache
def folder() -> Path:
    """Return the folder of the assets."""
    installed = PACKAGE / "assets"
    return installed if installed.is_dir() else PACKAGE.parent / "assets"


@cache
def files() -> Mapping[str, bytes]:
    """Return all served files by name. Read once: they are small, and a request must not wait for the disk."""
    paths = sorted(path for path in folder().rglob("*") if path.suffix in SERVED)
    return {path.relative_to(folder()).as_posix(): path.read_bytes() for path in paths}


@cache
def version() -> str:
    """Return a hash of all served files: part of their address, so that browsers may keep them for ever."""
    digest = hashlib.sha256()
    for name, content in files().items():
        digest.update(name.encode())
        digest.update(content)
    return digest.hexdigest()[:12]


def url(name: str) -> str:
    """Return the address of a served file."""
    return f"/assets/{version()}/{name}"


@cache
def modules(name: str) -> tuple[str, ...]:
    """Return a script and all that it imports, nearest first.

    A page names them all in its head: a browser that must read one to learn of the next waits once for each level.
    """
    found = [name]
    for each in found:  # grows while it is read
        found += [other for other in IMPORT.findall(files()[each].decode()) if other not in found]
    return tuple(dict.fromkeys(found))
