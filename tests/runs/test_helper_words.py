"""What is taken from what the helper model says."""

import pytest

from llm_ui.runs.follow_ups import questions_in
from llm_ui.runs.titles import title_in


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ("A walk by the river", "A walk by the river"),
        ('"A walk by the river."', "A walk by the river"),
        ("**Title: A walk**\n\nI chose this because …", "A walk"),
        ("<think>Three words … six words …</think>\n\n# Ein Gang am Fluss", "Ein Gang am Fluss"),
        ("<think>never ended", ""),
        ("  \n ", ""),
        ("long " * 40, f"{'long ' * 11}long…"),
    ],
)
def test_a_title_is_one_short_line_without_ornaments(said: str, title: str) -> None:
    assert title_in(said) == title


@pytest.mark.parametrize(
    ("said", "questions"),
    [
        ("Why?\nWhen?\nWho?\nWhere?", ("Why?", "When?", "Who?")),
        ("1. Why?\n2) When?\n- Who?", ("Why?", "When?", "Who?")),
        ("Here are some questions:\n\n* Why?\n* Why?", ("Why?",)),
        ("asked before?\nAnd then?", ("And then?",)),
        (f"{'long ' * 40}?\nShort?", ("Short?",)),
        ("", ()),
    ],
)
def test_questions_are_short_different_and_three_at_most(said: str, questions: tuple[str, ...]) -> None:
    assert questions_in(said, "asked before?") == questions
