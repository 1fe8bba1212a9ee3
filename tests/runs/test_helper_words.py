"""What is taken from what the helper model says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_ui.runs.follow_ups import questions_in
from llm_ui.runs.tags import tags_in
from llm_ui.runs.titles import title_in
from llm_ui.services.tags import cleaned


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


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("river\nwalking\ninns\nrain", ("river", "walking", "inns")),
        ("River, a long walk", ("river", "a long walk")),
        ("Tags: #River, #C++, Q&A", ("river", "c++", "q&a")),
        ("1. river\n- **walking**\n\n* River", ("river", "walking")),
        ("<think>tags, tags</think>東京、旅行", ("東京", "旅行")),
        ('["river", "walking"]', ("river", "walking")),
        ('```json\n{"tags": ["river", {"a": 1}], "x": null}\n```', ()),
        ("<b>river</b>\n<script>alert(1)</script>\n&lt;i&gt;", ()),
        ("I cannot tag this conversation, sorry about that.", ()),
        ("Here are the tags:\nriver", ("river",)),
        ("None\nno tags.", ()),
        (f"{'long' * 20}\n{'very ' * 400}\nriver", ("river",)),
        ("a\u202eb\nr\x00iver\n\ud800\n--\n…", ()),
        ("", ()),
    ],
)
def test_tags_are_few_short_words_and_nothing_else(said: str, found: tuple[str, ...]) -> None:
    assert tags_in(said) == found


@given(st.text(st.characters() | st.sampled_from('[]{}",:#<>\n*`- \x00\ud800'), max_size=200))
def test_whatever_is_said_becomes_no_more_than_tags(said: str) -> None:
    found = tags_in(said)

    assert cleaned(found) == sorted(found)
    assert len(found) <= 3
    assert all(1 <= len(tag) <= 30 and tag.isprintable() and not set(tag) & set('<>{}[]",:#') for tag in found)
