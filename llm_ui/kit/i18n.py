"""The languages of the pages. English is in the code; what it is in another language is in `assets/locale`."""

import gettext as catalogues
import re
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from datetime import date, datetime
from decimal import Decimal
from functools import cache

from llm_ui.kit import assets

ENGLISH = "en"
NAMES = {ENGLISH: "English", "de": "Deutsch"}
"""What each language is called in itself, in the order of the choice."""

DECIMAL_COMMA = frozenset({"de"})
"""Languages that begin a fraction with a comma and set thousands off with points."""
MILLION, BILLION = 10**6, 10**9
SHORT_FROM = 10 * MILLION
SWAPPED = str.maketrans(",.", ".,")

TOLD = "told"
"""The context, in the catalogues, of sentences with places that are found in what was told in English."""
PLACE = re.compile(r"\{(\w+)\}")
THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+")

_language: ContextVar[str] = ContextVar("language", default=ENGLISH)
"""Of the request or page that is served, and of the answer that it asks for; the worker and the command line stay with
English, and so do errors until they are `told`."""


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


def to_tell(sentence: str) -> str:
    """Mark a sentence with places for values that `told` is to know; what errors are raised with needs no mark."""
    return sentence


def told(message: str) -> str:
    """Return what an error says, in English with its values in it, in the language that is spoken here.

    Errors come from other processes and out of the database too, as the sentences that they are there. So the values
    are found in them again, by the sentences with places that errors are raised with.
    """
    known = gettext(message)
    if known != message or language() == ENGLISH:
        return known
    for sentence, pattern in _tellable(language()):
        if found := pattern.fullmatch(message):
            values = {name: _valued(name, value) for name, value in found.groupdict().items()}
            return _catalogue(language()).pgettext(TOLD, sentence).format(**values)
    return message


def _valued(name: str, value: str) -> str:
    if name == "sentence":
        return told(value)
    return value.translate(SWAPPED) if THOUSANDS.fullmatch(value) and language() in DECIMAL_COMMA else value


@cache
def _tellable(code: str) -> Sequence[tuple[str, re.Pattern[str]]]:
    """Return the sentences with places, the longest first, and what finds the values in them."""
    # Python's module has no other way to list what a catalogue holds.
    held = vars(_catalogue(code)).get("_catalog", {})
    mark = f"{TOLD}\x04"
    sentences = [key.removeprefix(mark) for key in held if isinstance(key, str) and key.startswith(mark)]
    return [(each, _pattern(each)) for each in sorted(sentences, key=_own_length, reverse=True)]


def _own_length(sentence: str) -> int:
    return len(PLACE.sub("", sentence))


def _pattern(sentence: str) -> re.Pattern[str]:
    words = PLACE.split(sentence)
    # Every second piece is the name of a place.
    return re.compile("".join(f"(?P<{each}>.*?)" if i % 2 else re.escape(each) for i, each in enumerate(words)), re.S)


def ngettext(one: str, many: str, count: int) -> str:
    """Return the form of a sentence that goes with a number."""
    return _catalogue(language()).ngettext(one, many, count)


def number(value: int | float | Decimal, form: str = ",") -> str:
    """Return a number as the language writes it; `form` is how Python would, in English."""
    written = format(value, form)
    return written.translate(SWAPPED) if language() in DECIMAL_COMMA else written


def short(value: int) -> str:
    """Return a number where little room is: from ten millions on as millions or billions, with one decimal."""
    if value < SHORT_FROM:
        return number(value)
    if value < BILLION:
        return gettext("{count} M").format(count=number(value / MILLION, ",.1f"))
    return gettext("{count} B").format(count=number(value / BILLION, ",.1f"))


def amount(value: int | Decimal) -> str:
    """Return an amount as a number, with two decimals unless it is a whole one."""
    return number(value, ",.2f") if value % 1 else number(int(value))


def typed(text: str) -> str:
    """Return a number that somebody typed as Python reads it, thousands set off with commas."""
    return text.translate(SWAPPED) if language() in DECIMAL_COMMA else text


def instant(at: datetime) -> str:
    """Return a day and time as the language writes it."""
    return at.strftime(gettext("%d %b %Y, %H:%M UTC"))


def day(at: date) -> str:
    """Return a day as the language writes it."""
    return at.strftime(gettext("%d %b %Y"))


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
        _tellable(code)


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
