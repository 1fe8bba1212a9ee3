"""Pictures of people: made small and square, and nothing else of the file is kept, such as where it was taken."""

import io

from PIL import Image, ImageOps, UnidentifiedImageError

from llm_ui.errors import InvalidInput, TooLarge
from llm_ui.kit.media import TEXT_TYPE, inspect

SIDE_PX = 192
"""Twice what pages draw it with at most, for fine screens."""
MAX_PIXELS = 40_000_000
"""Decoded it takes four bytes for each."""
FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
QUALITY = 82


def small(data: bytes, name: str) -> bytes:
    """Return the middle of a picture as WebP, drawn anew. Raises `InvalidInput` and `TooLarge` with the file's name."""
    media = inspect(data, name)
    if media.media_type == TEXT_TYPE:
        raise InvalidInput("{name} is no picture. Pick a PNG, JPEG, GIF or WebP.", name=name)
    if (media.width or 0) * (media.height or 0) > MAX_PIXELS:
        raise TooLarge("{name} has too many pixels. Make it smaller.", name=name)
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
            # Of a JPEG no more is decoded than is needed.
            opened.draft("RGB", (2 * SIDE_PX, 2 * SIDE_PX))
            upright = ImageOps.exif_transpose(opened).convert("RGBA")
        drawn = ImageOps.fit(upright, (SIDE_PX, SIDE_PX))
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
        raise InvalidInput("{name} is a broken picture. Save it anew, or pick another one.", name=name) from None
    written = io.BytesIO()
    drawn.save(written, "WEBP", quality=QUALITY, exif=b"", icc_profile=b"", xmp=b"")
    return written.getvalue()
