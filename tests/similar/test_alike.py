"""What keeps questions apart that vectors take for the same."""

import time

import pytest

from llm_ui.kit.alike import is_alike
from tests.similar import figures


def test_the_published_figures_hold() -> None:
    found = figures.words_alone()

    assert figures.by_words(figures.pairs("different")) == []
    assert found.hits / len(figures.pairs("same")) >= 0.7
    unseen = figures.pairs("unseen")
    assert len(figures.by_words(unseen)) <= 0.1 * len(unseen)


@pytest.mark.parametrize("pair", figures.pairs("different")[:10])
def test_it_is_the_same_in_both_directions_and_of_itself(pair: figures.Pair) -> None:
    one, other = pair

    assert not is_alike(other, one)
    assert is_alike(one, one.lower() if one.islower() else one)
    assert is_alike(f" {other}\n", other)


@pytest.mark.parametrize("piece", ["a", "1", "1 ", "`", '"', "not ", "A b ", "_.", "„", "Is it? ", "from A "])
def test_a_hostile_question_costs_little(piece: str) -> None:
    text = (piece * 500)[:500]
    began = time.process_time()

    is_alike(text, f"{text}?")

    assert time.process_time() - began < 0.1
