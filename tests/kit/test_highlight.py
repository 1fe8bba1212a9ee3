"""Code with colours: as Pygments gives them, and never slow, whatever the code."""

import time
from collections.abc import Iterator

import pytest

from llm_ui.kit import highlight
from llm_ui.kit.highlight import ANSWER_S, MAX_CHARS, coloured, highlighted

SLOW = "a" + " " * (MAX_CHARS - 2) + "b"
"""What takes Pygments' lexer of C minutes, in one match of a regular expression."""


@pytest.fixture
def painter(monkeypatch: pytest.MonkeyPatch) -> Iterator[highlight._Painter]:
    """A painter of the test's own, with a process of its own."""
    painter = highlight._Painter()
    monkeypatch.setattr(highlight, "_PAINTER", painter)
    yield painter
    painter.close()


def test_known_languages_have_colours_and_others_are_escaped() -> None:
    assert highlighted("def f(): pass\n", "python").startswith('<span class="h-k">def</span>')
    assert highlighted("<b>", "no such language") == "&lt;b&gt;"
    assert highlighted("<b>", "") == "&lt;b&gt;"
    assert highlighted("<b>" + "x" * MAX_CHARS, "html").startswith("&lt;b&gt;x")
    assert coloured("odd \x00, \ufffe and \r\n", "python") is not None


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("c", SLOW),
        ("cpp", "unsigned long " * 2_000),
        ("python", '"' + "\\" * 39_000),
        ("javascript", "(" * 39_000),
        ("html", "<a " * 13_000),
        ("json", "[" * 39_000),
        ("markdown", "*" * 39_000),
        ("bash", "$(" * 19_000),
        ("sql", "/*" * 19_000),
        ("python", "x = 1\n" * 350_000),
    ],
)
def test_hostile_code_costs_at_most_its_colours(language: str, code: str) -> None:
    began = time.monotonic()

    shown = highlighted(code, language)

    assert time.monotonic() - began < ANSWER_S
    assert len(shown) >= len(code)


def test_what_was_too_slow_once_is_not_tried_again_and_others_have_colours(painter: highlight._Painter) -> None:
    coloured("warm up", "c")
    assert coloured(SLOW, "c") is None
    process = painter._process
    began = time.monotonic()

    assert coloured(SLOW, "c") is None
    assert time.monotonic() - began < 0.1
    assert coloured("int x;", "c") is not None
    assert painter._process is process


def test_a_process_that_is_killed_is_started_again(painter: highlight._Painter) -> None:
    assert coloured("int x;", "c") is not None
    assert painter._process is not None
    painter._process.kill()
    painter._process.wait()

    assert coloured("int x;", "c") is not None


def test_a_process_that_never_answers_is_given_up(painter: highlight._Painter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(highlight, "START_S", 0.2)
    monkeypatch.setattr(highlight.sys, "executable", "/usr/bin/yes")

    assert coloured("int x;", "c") is None
    assert painter._process is None
