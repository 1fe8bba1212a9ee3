"""Colours of pages: how well they are told apart, and the shades that one accent colour needs, light and dark.

Contrast and its limits: Web Content Accessibility Guidelines 2.2, 1.4.3 and 1.4.11 (www.w3.org/TR/WCAG22).
"""

import colorsys
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

HEX = re.compile(r"#[0-9a-f]{6}")
TEXT_CONTRAST = 4.5
"""Least contrast of text at AA."""
EDGE_CONTRAST = 3.0
"""Least contrast of what shows where the focus is or what is chosen, at AA."""
STEPS = 100
"""In so many steps a colour becomes black or white."""
HOVER_SHARE, SOFT_SHARE, BUBBLE_SHARE = 0.14, 0.12, 0.09
DARK_SOFT_SHARE, DARK_BUBBLE_SHARE = 0.2, 0.15
"""How much of the accent is in its weaker shades; on black it takes more of it to be seen."""

Rgb = tuple[float, float, float]
"""Red, green and blue, from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What a theme's pages lie on, weakest for the accent last: `--bg` and `--active` of `theme.css`."""

    bg: str
    farthest: str


LIGHT = Ground("#ffffff", "#e2e4ea")
DARK = Ground("#17181c", "#343740")


def is_colour(text: str) -> bool:
    """Return whether it is a colour as this module writes them, such as `#3e63dd`."""
    return HEX.fullmatch(text) is not None


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, from 1 to 21."""
    lower, higher = sorted((_luminance(one), _luminance(other)))
    return (higher + 0.05) / (lower + 0.05)


def is_seen(accent: str) -> bool:
    """Return whether an accent colour is told apart from a light page. On a dark one it is made lighter."""
    return contrast(accent, LIGHT.bg) >= EDGE_CONTRAST


def darker(accent: str) -> str:
    """Return the nearest shade that is told apart from a light page."""
    return _until(accent, 0, LIGHT.bg, EDGE_CONTRAST)


def styles(accent: str) -> str:
    """Return the style sheet that gives pages the accent colour, after `theme.css`."""
    light, dark = _declared(_light(accent)), _declared(_dark(accent))
    return (
        f":root{{{light}}}"
        f':root[data-theme="dark"]{{{dark}}}'
        f'@media (prefers-color-scheme: dark){{:root:not([data-theme="light"],[data-theme="dark"]){{{dark}}}}}'
    )


def _light(accent: str) -> dict[str, str]:
    on = _on(accent)
    soft = _mixed(accent, LIGHT.bg, SOFT_SHARE)
    return {
        "accent": accent, "accent-hover": _away(accent, on), "on-accent": on, "accent-soft": soft,
        "link": _until(accent, 0, _darkest(soft, LIGHT.farthest), TEXT_CONTRAST),
        "bubble": _mixed(accent, LIGHT.bg, BUBBLE_SHARE),
    }  # fmt: skip


def _dark(accent: str) -> dict[str, str]:
    shown = _until(accent, 1, DARK.bg, TEXT_CONTRAST)
    on = _on(shown)
    soft = _mixed(shown, DARK.bg, DARK_SOFT_SHARE)
    lightest = max(soft, DARK.farthest, key=_luminance)
    return {
        "accent": shown, "accent-hover": _away(shown, on), "on-accent": on, "accent-soft": soft,
        "link": _until(shown, 1, lightest, TEXT_CONTRAST),
        "bubble": _mixed(shown, DARK.bg, DARK_BUBBLE_SHARE),
    }  # fmt: skip


def _darkest(*colours: str) -> str:
    return min(colours, key=_luminance)


def _on(accent: str) -> str:
    """Return what is read on the accent: one of the two always is, for 4.58 is the least of their better contrast."""
    return "#ffffff" if contrast("#ffffff", accent) >= TEXT_CONTRAST else "#000000"


def _away(accent: str, on: str) -> str:
    """Return the accent a little farther away from what is written on it."""
    return _mixed("#000000" if on == "#ffffff" else "#ffffff", accent, HOVER_SHARE)


def _until(colour: str, end: int, ground: str, least: float) -> str:
    """Return the first shade on the way to black (0) or white (1) that has this contrast to the ground."""
    shades = _shades(colour, end)
    return next((shade for shade in shades if contrast(shade, ground) >= least), "#ffffff" if end else "#000000")


def _shades(colour: str, end: int) -> Iterator[str]:
    hue, lightness, saturation = colorsys.rgb_to_hls(*_rgb(colour))
    for step in range(STEPS):
        yield _hex(colorsys.hls_to_rgb(hue, lightness + (end - lightness) * step / STEPS, saturation))


def _mixed(one: str, other: str, share: float) -> str:
    first, second = _rgb(one), _rgb(other)
    red, green, blue = (a * share + b * (1 - share) for a, b in zip(first, second, strict=True))
    return _hex((red, green, blue))


def _luminance(colour: str) -> float:
    linear = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in _rgb(colour))
    return sum(part * weight for part, weight in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))


def _rgb(colour: str) -> Rgb:
    red, green, blue = (int(colour[start:end], 16) / 255 for start, end in pairwise((1, 3, 5, 7)))
    return red, green, blue


def _hex(rgb: Rgb) -> str:
    return "#" + "".join(f"{round(255 * part):02x}" for part in rgb)


def _declared(values: dict[str, str]) -> str:
    return "".join(f"--{name}:{value};" for name, value in values.items())
