import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_ui.kit.token_count import REMEMBERED_FROM_CHARS, SAMPLE_CHARS, GrowingCount, estimate

PROSE = "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness."
GERMAN = "Donaudampfschifffahrtsgesellschaft und Rechtsschutzversicherungsgesellschaften sind lange Wörter."
CHINESE = "天地玄黃宇宙洪荒日月盈昃辰宿列張"
CODE = 'for (int i = 0; i < 10; i++) { printf("%d\\n", i); }'


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("", 0, 0),
        ("hello", 1, 2),
        (PROSE, 24, 34),
        (GERMAN, 20, 34),
        (CHINESE, 14, 24),
        (CODE, 22, 36),
        ("1234567890", 3, 5),
    ],
)
def test_an_estimate_is_near_what_tokenizers_say(text: str, least: int, most: int) -> None:
    assert least <= estimate(text) <= most


@given(st.text(max_size=200), st.text(max_size=200))
def test_more_text_has_no_fewer_tokens(text: str, more: str) -> None:
    assert estimate(text + " " + more) >= estimate(text)


@given(st.lists(st.text(alphabet=st.sampled_from("abcdefgh 12天.\n\t_"), max_size=20), max_size=30), st.integers(0, 10))
def test_a_growing_text_is_counted_as_a_whole_one(pieces: list[str], begin: int) -> None:
    whole = " " * begin
    growing = GrowingCount(begin)

    for piece in pieces:
        whole += piece
        assert growing.of(whole) == growing.of(whole) == estimate(whole[begin:])


@given(st.text(min_size=REMEMBERED_FROM_CHARS, max_size=3 * REMEMBERED_FROM_CHARS))
def test_what_is_remembered_is_what_was_counted(text: str) -> None:
    growing = GrowingCount()

    assert estimate(text) == estimate(text) == growing.of(text)


def test_a_long_text_is_counted_on_a_sample() -> None:
    long = PROSE * (20 * SAMPLE_CHARS // len(PROSE))
    per_char = estimate(PROSE * 100) / len(PROSE * 100)

    tokens = estimate(long)

    assert abs(tokens / (per_char * len(long)) - 1) < 0.02
