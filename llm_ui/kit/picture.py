"""Pictures of people and the logo: made small and square, and nothing else of the file is kept, such as where it was
taken."""

import io
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError

from llm_ui.errors import InvalidInput, TooLarge
from llm_ui.kit.media import TEXT_TYPE, inspect

SIDE_PX = 192
"""Twice what pages draw it with at most, for fine screens."""
MAX_PIXELS = 40_000_000
"""Decoded it takes four bytes for each."""
FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
QUALITY = 82


@dataclass(frozen=True, slots=True)
class LogoSize:
    """One picture that is drawn of a logo."""

    side_px: int
    share: float = 1.0
    """How much of the side the logo takes."""
    ground: str = "#00000000"
    """What is behind it."""


LOGO_SIZES = {
    # Four times what pages draw it with, for fine screens; also for the browser's tab.
    "logo": LogoSize(112),
    "icon-192": LogoSize(192),
    "icon-512": LogoSize(512),
    # Launchers cut these to a shape of theirs, at most to the inner 80 % (w3.org/TR/appmanifest, "maskable").
    "maskable-512": LogoSize(512, 0.56, "#ffffff"),
    "apple-180": LogoSize(180, 0.72, "#ffffff"),
}


def small(data: bytes, name: str) -> bytes:
    """Return the middle of a picture as WebP, drawn anew. Raises `InvalidInput` and `TooLarge` with the file's name."""
    drawn = _drawn(data, name, SIDE_PX, lambda upright: ImageOps.fit(upright, (SIDE_PX, SIDE_PX)))
    written = io.BytesIO()
    drawn.save(written, "WEBP", quality=QUALITY, exif=b"", icc_profile=b"", xmp=b"")
    return written.getvalue()


def logo(data: bytes, name: str) -> dict[str, bytes]:
    """Return the whole of a picture in each size of a logo as PNG, drawn anew. Raises as `small` does."""
    most = max(size.side_px for size in LOGO_SIZES.values())
    drawn = _drawn(data, name, most, lambda upright: ImageOps.contain(upright, (most, most)))
    return {key: _placed(drawn, size) for key, size in LOGO_SIZES.items()}


def _drawn(data: bytes, name: str, side_px: int, draw: Callable[[Image.Image], Image.Image]) -> Image.Image:
    media = inspect(data, name)
    if media.media_type == TEXT_TYPE:
        raise InvalidInput("{name} is no picture. Pick a PNG, JPEG, GIF or WebP.", name=name)
    if (media.width or 0) * (media.height or 0) > MAX_PIXELS:
        raise TooLarge("{name} has too many pixels. Make it smaller.", name=name)
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
            # Of a JPEG no more is decoded than is needed.
            opened.draft("RGB", (2 * side_px, 2 * side_px))
            upright = ImageOps.exif_transpose(opened).convert("RGBA")
        return draw(upright)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
        raise InvalidInput("{name} is a broken picture. Save it anew, or pick another one.", name=name) from None


def _placed(drawn: Image.Image, size: LogoSize) -> bytes:
    """Return it in the middle of a square, as PNG without anything of the file it came from."""
    inner = round(size.side_px * size.share)
    fitted = ImageOps.contain(drawn, (inner, inner))
    square = Image.new("RGBA", (size.side_px, size.side_px), size.ground)
    square.alpha_composite(fitted, ((size.side_px - fitted.width) // 2, (size.side_px - fitted.height) // 2))
    written = io.BytesIO()
    square.save(written, "PNG", optimize=True)
    return written.getvalue()
