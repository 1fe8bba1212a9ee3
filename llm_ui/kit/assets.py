"""The files under `assets/`: beside the package in a checkout, inside it in an installed wheel."""

import hashlib
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent
SERVED = (".js", ".css", ".svg", ".png", ".json", ".webmanifest")
"""What browsers may ask for; templates are not among it."""


@cache
def folder() -> Path:
    """Return the folder of the assets."""
    installed = PACKAGE / "assets"
    return installed if installed.is_dir() else PACKAGE.parent / "assets"


@cache
def version() -> str:
    """Return a hash of all served files: part of their address, so that browsers may keep them for ever."""
    digest = hashlib.sha256()
    for path in sorted(folder().rglob("*")):
        if path.suffix in SERVED:
            digest.update(path.relative_to(folder()).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def url(name: str) -> str:
    """Return the address of a served file."""
    return f"/assets/{version()}/{name}"
