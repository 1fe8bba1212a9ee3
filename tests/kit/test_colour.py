"""Shades of an accent colour: whatever is taken can be read, light and dark."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_ui.kit import colour

COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")
BLOCK = re.compile(r"\{((?:--[\w-]+:#[0-9a-f]{6};)+)\}")


def shades(accent: str) -> list[dict[str, str]]:
    """Those of the light theme, the dark one, and the dark one of the system."""
    blocks = BLOCK.findall(colour.styles(accent))
    return [dict(pair.removeprefix("--").split(":") for pair in block.split(";") if pair) for block in blocks]


@pytest.mark.parametrize(
    ("one", "other", "contrast"),
    [("#000000", "#ffffff", 21), ("#777777", "#ffffff", 4.48), ("#ff0000", "#ffffff", 4.0)],
)
def test_contrast_is_that_of_the_guidelines(one: str, other: str, contrast: float) -> None:
    assert round(colour.contrast(one, other), 2) == round(colour.contrast(other, one), 2) == contrast


@given(COLOURS)
def test_an_accent_that_is_taken_can_be_read_in_both_themes(accent: str) -> None:
    taken = accent if colour.is_seen(accent) else colour.darker(accent)
    light, dark, by_system = shades(taken)

    assert light["accent"] == taken
    assert dark == by_system
    for theme, ground, text in ((light, colour.LIGHT, "#1c1d21"), (dark, colour.DARK, "#ececf0")):
        assert colour.contrast(theme["accent"], ground.bg) >= colour.EDGE_CONTRAST
        for button in ("accent", "accent-hover"):
            assert colour.contrast(theme["on-accent"], theme[button]) >= colour.TEXT_CONTRAST
        for under in (ground.bg, ground.farthest, theme["accent-soft"]):
            assert colour.contrast(theme["link"], under) >= colour.TEXT_CONTRAST
        for under in (theme["bubble"], theme["accent-soft"]):
            assert colour.contrast(text, under) >= colour.TEXT_CONTRAST
