"""The languages of the pages. English is in the code; what it is in another language is in `assets/locale`."""

import gettext as catalogues
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from functools import cache

from llm_ui.kit import assets

ENGLISH = "en"
NAMES = {ENGLISH: "English", "de": "Deutsch"}
"""What each language is called in itself, in the order of the choice."""

_language: ContextVar[str] = ContextVar("language", default=ENGLISH)
"""Of the request or page that is served; the LLM API, the worker and the command line stay with English."""


def language() -> str:
    """Return the language that is spoken here."""
    return _language.get()


def speak(code: str) -> None:
    """Speak a language for the rest of this request, and in the tasks that it starts."""
    _language.set(code)


def chosen(choice: str | None, accepted: str) -> str:
    """Return the language a person chose, else the first we speak of those that the browser asks for."""
    if choice in NAMES:
        return str(choice)
    return next((code for code in _by_weight(accepted.split(",")) if code in NAMES), ENGLISH)


def gettext(message: str) -> str:
    """Return a sentence in the language that is spoken here."""
    # Of the empty text gettext knows what is said about the catalogue.
    return _catalogue(language()).gettext(message) if message else ""


def later(message: str) -> str:
    """Mark a sentence that is put into the language where it is shown."""
    return message


def ngettext(one: str, many: str, count: int) -> str:
    """Return the form of a sentence that goes with a number."""
    return _catalogue(language()).ngettext(one, many, count)


def files() -> Mapping[str, str]:
    """Return the script with the words of each language but English, which needs none."""
    return {code: f"locale/{code}.js" for code in NAMES if code != ENGLISH}


@cache
def _catalogue(code: str) -> catalogues.NullTranslations:
    if code == ENGLISH:
        return catalogues.NullTranslations()
    with (assets.folder() / "locale" / f"{code}.mo").open("rb") as file:
        return catalogues.GNUTranslations(file)


def load() -> None:
    """Read all catalogues, before anything is served."""
    for code in NAMES:
        _catalogue(code)


def _by_weight(parts: Iterable[str]) -> list[str]:
    """Return the language codes of an `Accept-Language` header, the most wanted first (RFC 9110, 12.5.4)."""
    weighted = []
    for part in parts:
        tag, _, parameter = part.strip().partition(";")
        weight = parameter.strip().removeprefix("q=")
        try:
            weighted.append((float(weight or 1), tag.partition("-")[0].lower()))
        except ValueError:
            continue
    return [code for weight, code in sorted(weighted, key=lambda pair: -pair[0]) if weight > 0]
