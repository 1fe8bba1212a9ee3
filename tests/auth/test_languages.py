"""Pages speak the language that a person chose, else the one the browser asks for."""

import pytest

from tests.app.conftest import Workspace

PATHS = ["/login", "/offline", "/nowhere", "/s/guessed"]


@pytest.mark.parametrize("path", PATHS)
async def test_a_browser_is_answered_in_its_language(workspace: Workspace, path: str) -> None:
    german = await workspace.browser(**{"Accept-Language": "de-CH,de;q=0.9"}).get(path)
    english = await workspace.browser(**{"Accept-Language": "fr"}).get(path)

    assert '<html lang="de">' in german.body.decode()
    assert '<html lang="en">' in english.body.decode()
    assert "Hell<" in german.body.decode()


async def test_the_choice_comes_first_and_sentences_of_errors_follow_it(workspace: Workspace) -> None:
    browser = workspace.browser(**{"Accept-Language": "en"})
    browser.cookies["llm-ui-language"] = "de"

    page = await browser.submit("/login", {"username": "nobody", "password": "guessed it"})

    assert page.code == 401
    assert "Benutzername oder Passwort ist falsch." in page.body.decode()


async def test_two_people_are_not_mixed_up(workspace: Workspace) -> None:
    german, english = workspace.browser(**{"Accept-Language": "de"}), workspace.browser()

    for _ in range(3):
        assert "Anmelden" in (await german.get("/login")).body.decode()
        assert "Sign in" in (await english.get("/login")).body.decode()
