"""Text that any database, socket and browser can hold."""

import unicodedata


def storable(text: str) -> str:
    """Return the text without NUL and with lone surrogates replaced by U+FFFD.

    PostgreSQL refuses NUL in text and both drivers refuse to encode a lone surrogate.
    """
    if "\x00" in text:
        text = text.replace("\x00", "")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        # A valid surrogate pair becomes its character; whatever is left alone becomes U+FFFD.
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def one_line(text: str, limit: int) -> str:
    """Return the text with all white space folded to single spaces, cut to `limit` characters with an ellipsis."""
    folded = " ".join(storable(text).split())
    return folded if len(folded) <= limit else folded[: limit - 1].rstrip() + "…"


def name_key(name: str) -> str:
    """Return the form by which names are compared: compatibility-normalised, case-folded, without outer white space."""
    folded = unicodedata.normalize("NFKC", storable(name)).strip().casefold()
    # Folding can undo the normal form.
    return unicodedata.normalize("NFKC", folded)
