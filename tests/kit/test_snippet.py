import pytest

from llm_ui.kit.snippet import snippet

NOTHING = "Nothing was seen on that day. " * 40


@pytest.mark.parametrize(
    ("text", "words", "shown"),
    [
        ("A heron.", ["heron"], "A [heron]."),
        ("Herons stand.", ["heron"], "[Herons] stand."),
        ("Nothing.", ["heron"], "Nothing."),
        (f"What was it? {NOTHING}A grey heron weighs two kilograms.", ["what", "grey", "heron", "weigh"], "[weighs]"),
        (f"A heron. {NOTHING}Another heron.", ["heron"], "A [heron]."),
        (f"{'x' * 500} heron", ["x", "heron"], "[heron]"),
        ("", ["heron"], ""),
    ],
)
def test_a_snippet_is_where_most_of_the_words_are(text: str, words: list[str], shown: str) -> None:
    pieces = snippet(text, words)

    told = "".join(f"[{piece.text}]" if piece.is_match else piece.text for piece in pieces)
    assert shown in told
    assert len("".join(piece.text for piece in pieces)) <= 180 + 4


def test_a_snippet_is_as_wide_as_it_is_wanted() -> None:
    told = "".join(piece.text for piece in snippet(f"{NOTHING}A heron. {NOTHING}", ["heron"], 400))

    assert 390 <= len(told) <= 404
    assert "A heron." in told
