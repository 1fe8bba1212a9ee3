"""How pypdf follows the showing of text, with two things changed: letters are looked up once, and gaps part pieces.

pypdf decodes and measures each letter anew, which is a third of what a page costs, and hands on what is shown between
two changes of the font as one text, however far apart its parts stand. A row of a table is often drawn that way.
"""

import math
from typing import Any

from pypdf import _page
from pypdf._text_extraction import RTL_CHARACTER_PATTERN
from pypdf._text_extraction._text_extractor import TextExtraction
from pypdf.generic._font import Font

from llm_ui.documents.parse.columns import LEAST_GAP

THOUSANDTHS = 1000
"""Of the size of the print, in which widths and moves within a text are told (ISO 32000-2, §9.2.4, §9.4.3)."""


class _Letters(dict[Any, str]):
    """What each code of a font says, and how wide it is. A code is a byte, or a character of a named encoding."""

    def __init__(self, font: Font) -> None:
        self._font = font
        self.widths: dict[Any, float] = {}

    def __missing__(self, code: Any) -> str:
        font = self._font
        raw = char = code
        if isinstance(code, int):
            raw = chr(code)
            char = font.encoding.get(code, raw) if isinstance(font.encoding, dict) else raw
        self.widths[code] = font.space_width if raw == font.space_char else font.get_text_width(raw)
        self[code] = said = str(font.character_map.get(char, char))
        return said


class Showing(TextExtraction):
    """The state of one page or form while its operators are followed. Told to pypdf by `use`."""

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[int, tuple[Font, _Letters]] = {}

    def process_tj_offset(self, offset: float, space_width: float) -> None:
        """Take a move within a text; part the text where the move is wide."""
        super().process_tj_offset(offset, space_width)
        if -offset >= LEAST_GAP * THOUSANDTHS and self.text:
            self._flush_text()
            moved = self._actual_str_size["str_widths"] / THOUSANDTHS
            self.memo_tm[4] += moved * self.tm_matrix[0]
            self.memo_tm[5] += moved * self.tm_matrix[1]

    def _handle_td(self, operands: list[Any]) -> float:
        width = super()._handle_td(operands)
        self._part(width)
        return width

    def _handle_tm(self, operands: list[Any]) -> float:
        width = super()._handle_tm(operands)
        self._part(width)
        return width

    def _part(self, width: float) -> None:
        """Part what was shown, which is so wide, from what will be, where that stands apart on the same line."""
        if not self.text:
            return
        now, before = self.tm_matrix, self.tm_prev
        scale = math.hypot(now[0], now[1])
        if not scale:
            return
        across, up = now[4] - before[4], now[5] - before[5]
        size = self.font_size * scale
        is_same_line = abs(up * now[0] - across * now[1]) / scale < size / 2
        if is_same_line and (across * now[0] + up * now[1]) / scale - width * scale >= LEAST_GAP * size:
            self._flush_text()

    def _handle_tj_operation(self, operands: list[Any]) -> float:
        codes = operands[0] if operands else None
        if self.rtl_dir or not isinstance(codes, bytes):
            return super()._handle_tj_operation(operands)
        letters = self._letters()
        if isinstance(encoding := self.font.encoding, str):
            try:
                codes = codes.decode(encoding, "surrogatepass")
            except UnicodeDecodeError:
                return super()._handle_tj_operation(operands)
        said = "".join(map(letters.__getitem__, codes))
        if not said.isascii() and RTL_CHARACTER_PATTERN.search(said):
            return super()._handle_tj_operation(operands)
        self.text += said
        self._previous_font_space = None
        width = sum(map(letters.widths.__getitem__, codes))
        self._actual_str_size["str_widths"] += width * self.font_size + THOUSANDTHS * self.char_spacing * len(codes)
        self._actual_str_size["str_height"] = self.font_size
        return 0.0

    def _letters(self) -> _Letters:
        font = self.font
        known = self._known.get(id(font))
        if known is None:
            # The font is kept with them, so that no other one gets its id.
            known = self._known[id(font)] = font, _Letters(font)
        return known[1]


def use() -> None:
    """Let pypdf make pages' texts this way, in this process."""
    _page.TextExtraction = Showing  # type: ignore[attr-defined]
