from hypothesis import given
from hypothesis import strategies as st

from llm_ui.kit.calibration import ENOUGH, LEAST, MOST, SHORTEST, Calibration

RATIOS = st.floats(LEAST, MOST)
ANY = st.tuples(st.integers(-5, 10**9), st.integers(-5, 10**9))


def after(found: Calibration, ratio: float, times: int) -> Calibration:
    for _ in range(times):
        found = found.learnt(100_000, round(100_000 * ratio))
    return found


@given(RATIOS)
def test_it_converges_to_what_the_provider_counts(ratio: float) -> None:
    found = after(Calibration(), ratio, 80)

    assert abs(found.factor / ratio - 1) < 0.02


@given(st.floats(0.9, 1.2))
def test_a_usual_tokenizer_is_known_after_few_counts(ratio: float) -> None:
    assert abs(after(Calibration(), ratio, 5).factor / ratio - 1) < 0.05


@given(RATIOS, ANY, st.integers(80, 200))
def test_one_outlier_does_not_spoil_it(ratio: float, outlier: tuple[int, int], before: int) -> None:
    found = after(Calibration(), ratio, before)

    spoilt = found.learnt(*outlier)

    assert abs(spoilt.factor / found.factor - 1) < 0.025
    assert abs(after(spoilt, ratio, 20).factor / ratio - 1) < 0.02


@given(st.lists(ANY, max_size=30))
def test_whatever_is_counted_it_stays_within_bounds(counts: list[tuple[int, int]]) -> None:
    found = Calibration()

    for estimated, counted in counts:
        found = found.learnt(estimated, counted)

    assert LEAST <= found.factor <= MOST


def test_short_prompts_and_missing_counts_teach_nothing() -> None:
    assert Calibration().learnt(SHORTEST - 1, 300) == Calibration()
    assert Calibration().learnt(5_000, 0) == Calibration()


def test_nothing_is_claimed_before_enough_was_counted() -> None:
    for samples in range(ENOUGH):
        assert after(Calibration(), 1.5, samples).factor == 1.0
    assert after(Calibration(), 1.5, ENOUGH).factor > 1.1
