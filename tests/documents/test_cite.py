"""Citations are checked however the answer is cut into pieces."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_ui.documents.cite import CitationCheck

CASES = {
    "It is so [1].": "It is so [1].",
    "It is so [7].": "It is so.",
    "It is so[2][9]. Next": "It is so[2]. Next",
    "Both [1, 2] say": "Both [1][2] say",
    "One of [2; 8] says": "One of [2] says",
    "See [1](https://example.org) there": "See [1](https://example.org) there",
    "Take `row[7]` of it [7]": "Take `row[7]` of it",
    "```python\nrow[7]\n```\nThus [7] and [1]": "```python\nrow[7]\n```\nThus and [1]",
    "~~~\nrow[7]\n~~~\n[2]": "~~~\nrow[7]\n~~~\n[2]",
    "An `open tick [7]\n\nand [7] [1]": "An `open tick [7]\n\nand [1]",
    "A list [] and [x] and [ 1 ]": "A list [] and [x] and [1]",
    "Spaces  stay   here ": "Spaces  stay   here ",
    "[1": "[1",
    "``a`[7]`` [7]": "``a`[7]``",
}


@pytest.mark.parametrize(("said", "shown"), CASES.items(), ids=range(len(CASES)))
def test_only_what_was_sent_is_cited(said: str, shown: str) -> None:
    check = CitationCheck({1, 2})

    assert check.feed(said) + check.end() == shown


def test_what_was_invented_is_counted() -> None:
    check = CitationCheck({1, 2})
    check.feed("A [1] b [3, 4] c [2, 5] `[6]`")
    check.end()

    assert check.invented == 3


@given(st.sampled_from(list(CASES)), st.lists(st.integers(0, 60)))
def test_how_it_is_cut_does_not_matter(said: str, cuts: list[int]) -> None:
    check = CitationCheck({1, 2})
    edges = sorted({0, len(said), *(cut for cut in cuts if cut < len(said))})
    pieces = [said[start:end] for start, end in itertools.pairwise(edges)]

    assert "".join(map(check.feed, pieces)) + check.end() == CASES[said]


@given(st.text(alphabet="[]()`~1279,; \nax", max_size=80), st.lists(st.integers(0, 80)))
def test_any_text_comes_out_the_same_in_pieces(said: str, cuts: list[int]) -> None:
    whole, cut = CitationCheck({1, 2}), CitationCheck({1, 2})
    edges = sorted({0, len(said), *(edge for edge in cuts if edge < len(said))})
    pieces = [said[start:end] for start, end in itertools.pairwise(edges)]

    assert "".join(map(cut.feed, pieces)) + cut.end() == whole.feed(said) + whole.end()


@given(st.text(alphabet="abc .,!?\n()`", max_size=200))
def test_a_text_without_citations_stays_as_it_is(said: str) -> None:
    check = CitationCheck({1})

    assert check.feed(said) + check.end() == said
    assert check.invented == 0
