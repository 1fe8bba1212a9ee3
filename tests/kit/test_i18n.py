from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from llm_ui.errors import InvalidInput, LLMUIError, NotFound, ProviderError, ProviderFault, TooLarge
from llm_ui.kit import i18n


@pytest.mark.parametrize(
    ("choice", "accepted", "code"),
    [
        (None, "", "en"),
        (None, "de", "de"),
        (None, "de-AT,de;q=0.9,en;q=0.8", "de"),
        (None, "en-GB,en;q=0.9,de;q=0.8", "en"),
        (None, "fr, de;q=0.5, en;q=0.4", "de"),
        (None, "de;q=0, *;q=0.1", "en"),
        (None, "de;q=much, ;;;,", "en"),
        ("de", "en", "de"),
        ("en", "de", "en"),
        ("xx", "de", "de"),
        ("../../secret", "", "en"),
    ],
)
def test_the_choice_comes_before_what_the_browser_asks_for(choice: str | None, accepted: str, code: str) -> None:
    assert i18n.chosen(choice, accepted) == code


@pytest.fixture
def german() -> Iterator[None]:
    """German is spoken."""
    i18n.speak("de")
    yield
    i18n.speak("en")


@pytest.mark.usefixtures("german")
def test_a_sentence_is_in_the_language_that_is_spoken() -> None:
    assert i18n.gettext("Sign in") == "Anmelden"
    assert i18n.gettext("Nobody translated this.") == "Nobody translated this."
    assert i18n.gettext("") == ""


@pytest.mark.usefixtures("german")
@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            NotFound("Nothing is chosen. Close the form and open it again."),
            "Es ist nichts ausgewählt. Bitte das Formular schließen und neu öffnen.",
        ),
        (
            InvalidInput("{name} is empty. Pick another file.", name="a {b} is empty. c"),
            "a {b} is empty. c ist leer. Bitte eine andere Datei wählen.",
        ),
        (
            TooLarge("The answer has {count} characters; {most} are the most. Shorten it.", count=12345, most=999),
            "Die Antwort hat 12.345 Zeichen; mehr als 999 gehen nicht. Bitte kürzen.",
        ),
        (
            ProviderError(
                "{sentence} It said: “{words}”",
                ProviderFault.KEY_REFUSED,
                sentence="The provider refused the key. An administrator has to enter a valid one.",
                words="no 1,000 {words}",
            ),
            "Der Anbieter hat den Schlüssel abgelehnt. Die Administration muss einen gültigen eintragen. "
            "Er sagte: „no 1,000 {words}“",
        ),
        (InvalidInput("Nobody translated {this}.", this="this"), "Nobody translated this."),
    ],
)
def test_what_an_error_says_is_found_in_the_catalogue_with_its_values(error: LLMUIError, said: str) -> None:
    assert i18n.told(error.message) == said


def test_what_an_error_says_stays_english_where_that_is_spoken() -> None:
    error = TooLarge("The answer has {count} characters; {most} are the most. Shorten it.", count=12345, most=999)

    assert i18n.told(error.message) == "The answer has 12,345 characters; 999 are the most. Shorten it."


def test_braces_of_a_sentence_without_values_are_left_alone() -> None:
    assert LLMUIError("It said {what}.").message == "It said {what}."


@pytest.mark.usefixtures("german")
def test_numbers_and_days_are_written_and_read_as_the_language_has_them() -> None:
    assert i18n.number(1234567) == "1.234.567"
    assert i18n.number(Decimal("1234.5"), ",.2f") == "1.234,50"
    assert [i18n.short(value) for value in (9_999_999, 10_000_000, 22_108_048_287)] == [
        "9.999.999", "10,0 Mio.", "22,1 Mrd.",
    ]  # fmt: skip
    assert i18n.typed("1.234,50") == "1,234.50"
    assert i18n.instant(datetime(2026, 3, 9, 18, 5, tzinfo=UTC)) == "09.03.2026, 18:05 UTC"
    assert i18n.day(datetime(2026, 3, 9, 18, 5, tzinfo=UTC)) == "09.03.2026"


def test_numbers_and_days_in_english() -> None:
    assert i18n.number(1234567) == "1,234,567"
    assert [i18n.short(value) for value in (0, 9_999_999, 231_852_832, 22_108_048_287)] == [
        "0", "9,999,999", "231.9 M", "22.1 B",
    ]  # fmt: skip
    assert i18n.typed("1,234.50") == "1,234.50"
    assert i18n.instant(datetime(2026, 3, 9, 18, 5, tzinfo=UTC)) == "09 Mar 2026, 18:05 UTC"
