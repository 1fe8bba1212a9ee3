import pytest

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


def test_a_sentence_is_in_the_language_that_is_spoken() -> None:
    i18n.speak("de")
    try:
        assert i18n.gettext("Sign in") == "Anmelden"
        assert i18n.gettext("Nobody translated this.") == "Nobody translated this."
        assert i18n.gettext("") == ""
    finally:
        i18n.speak("en")
