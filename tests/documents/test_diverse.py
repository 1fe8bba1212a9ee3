"""What says nearly the same does not crowd out others."""

from llm_ui.documents.diverse import diverse

VERSIONS = [
    f"The lease of the boat ends on the {day} of May and may be prolonged by a year when both agree to it in writing."
    for day in ("first", "second", "third")
]
OTHER = "Whoever rents a boat pays for what breaks, unless it broke before."
SCORES = [1.0, 0.99, 0.98, 0.93]


def test_versions_of_a_text_come_after_another_one() -> None:
    assert diverse([*VERSIONS, OTHER], SCORES, 2) == [0, 3]
    assert diverse([*VERSIONS, OTHER], SCORES, 4) == [0, 3, 1, 2]


def test_what_has_nothing_in_common_keeps_its_order() -> None:
    assert diverse(["one heron", "two storks", "three gulls"], [0.9, 0.5, 0.1], 3) == [0, 1, 2]


def test_of_the_same_words_the_first_is_taken_alone() -> None:
    assert diverse(["The harbour is deep.", "THE harbour\nis deep.", "", OTHER], SCORES, 9) == [0, 2, 3]
    assert diverse([], [], 9) == []
