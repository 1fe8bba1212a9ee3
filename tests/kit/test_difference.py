"""What differs between two texts, also where it takes long to find."""

import time

import pytest

from llm_ui.kit.difference import Piece, difference


def test_words_that_differ_are_marked_with_the_space_after_them() -> None:
    assert difference("One red heron.\nThe end.", "One grey and white heron.\nThe end.") == (
        Piece("same", "One "),
        Piece("removed", "red "),
        Piece("added", "grey and white "),
        Piece("same", "heron.\nThe end."),
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a\nb\n" * 250, "b\na\na\n" * 166),
        ("a\nb\n" * 4_000, "b\na\na\n" * 2_666),
        ("a " * 995, "a b " * 497),
        ("a\n" * 4_000, "x\n" + "a\n" * 4_000 + "x\n"),
        ("word " * 20_000, "wort " * 20_000),
    ],
)
def test_what_is_repeated_costs_little(before: str, after: str) -> None:
    began = time.process_time()

    pieces = difference(before, after)

    # Not a benchmark: what is guarded against takes from half a minute to hours.
    assert time.process_time() - began < 10
    assert "".join(piece.text for piece in pieces if piece.kind != "added") == before
    assert "".join(piece.text for piece in pieces if piece.kind != "removed") == after
