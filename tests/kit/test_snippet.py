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


@pytest.mark.parametrize("width", range(60, 90))
def test_a_snippet_cuts_no_word(width: int) -> None:
    text = f"{NOTHING}A wingspan of more than two metres, however. {NOTHING}"

    pieces = snippet(text, ["metres"], width)

    said = "".join(piece.text for piece in pieces).removeprefix("… ").removesuffix(" …")
    assert f" {said.strip()} " in f" {text} "
    assert "metres" in said


def test_what_is_seen_at_once_decides_where_a_snippet_begins() -> None:
    scattered = f"A heron. {'Nothing here. ' * 15}Its weight: "
    text = f"{scattered}{'So it is. ' * 20}The weight of a heron."

    wide = "".join(piece.text for piece in snippet(text, ["heron", "weight"], 360))
    narrow = "".join(piece.text for piece in snippet(text, ["heron", "weight"], 360, seen=160))

    assert wide.startswith("A heron.")
    assert narrow.index("The weight of a heron") < 60


def test_short_words_may_have_to_stand_whole() -> None:
    pieces = snippet("A and about: vitamin D, and a diet.", ["d", "vita"], prefix_from=3)

    assert [piece.text for piece in pieces if piece.is_match] == ["vitamin", "D"]
