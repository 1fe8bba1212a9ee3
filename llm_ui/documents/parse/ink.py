"""Which text of a PDF page a person sees, told from the operators that draw it (ISO 32000-2, §8.4-8.6, §9.3-9.4).

Text can be on a page and unseen: drawn in no colour, in white on nothing, too small, beside the paper, through and
through transparent. It is left out, for it can hold orders for a model that no person reads. What lies in a form drawn
on the page is not placed exactly, so there only colourless and transparent text is found. Text under pictures, and in
layers that are switched off, is not told apart.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

Matrix = Sequence[float]
Box = tuple[float, float, float, float]
"""Left, bottom, right, top."""

UNSEEN_MODES = (3, 7)
"""Text that is neither filled nor stroked."""
SHOWING = frozenset({b"Tj", b"TJ", b"'", b'"'})
TINY_PT = 1.5
"""Nobody reads it on paper; a screen shows it as a line."""
WHITE, NO_INK = 0.97, 0.03
MOST_BOXES = 2_000
"""Beyond them white text counts as seen: whatever draws so much may have drawn behind it."""
PICTURE_SHARE = 0.5
"""Of the page: a picture that is at least so large may be a scan of it."""


@dataclass(frozen=True, slots=True)
class _Ink:
    """What the operators q and Q keep and bring back."""

    mode: int = 0
    size: float = 12.0
    is_white: bool = False
    is_clear: bool = False


class Ink:
    """Follows the drawing of one page; hands hidden text nothing on."""

    def __init__(self, paper: Box, clear_states: frozenset[str], *, keeps_unseen: bool = False) -> None:
        self.hidden = 0
        """Pieces of text that were left out."""
        self.unseen_chars = 0
        """Bytes of the text drawn in no colour."""
        self.drawn: list[str] = []
        """Names of the pictures and forms that were drawn, one after the other."""
        self.has_picture = False
        self.has_scan = False
        """Whether a picture covers most of the page."""
        self._paper = paper
        self._clear_states = clear_states
        """Graphics states of the page in which nothing is filled."""
        self._keeps_unseen = keeps_unseen
        self._ink = _Ink()
        self._stack: list[_Ink] = []
        self._forms = 0
        """How many forms deep it is drawn."""
        self._path: list[tuple[float, float]] = []
        self._boxes: list[Box] = []
        """What was painted in a colour."""
        self._handlers: dict[bytes, Callable[[list[Any], Matrix], None]] = {
            b"q": self._save, b"Q": self._restore, b"gs": self._state, b"Tf": self._font, b"Tr": self._text_mode,
            b"g": self._colour, b"rg": self._colour, b"k": self._colour, b"sc": self._colour, b"scn": self._colour,
            b"re": self._rectangle, b"m": self._points, b"l": self._points, b"c": self._points, b"v": self._points,
            b"y": self._points, b"n": self._end, b"S": self._end, b"s": self._end, b"f": self._fill, b"F": self._fill,
            b"f*": self._fill, b"B": self._fill, b"B*": self._fill, b"b": self._fill, b"b*": self._fill,
            b"sh": self._shade, b"INLINE IMAGE": self._picture,
        }  # fmt: skip

    def before(self, operator: bytes, operands: list[Any], cm: Matrix, tm: Matrix) -> None:
        """Take note of an operator; take the text out of one that shows what nobody sees."""
        if operator in SHOWING:
            if operands and self._is_hidden(operands, cm, tm):
                operands.clear()
        elif operator == b"Do":
            if not self._forms and operands:
                self.drawn.append(str(operands[0]))
            self._picture(operands, cm)
            self._forms += 1
        elif handler := self._handlers.get(operator):
            try:
                handler(operands, cm)
            except (TypeError, ValueError, IndexError):
                # An operand of a wrong kind: whoever draws the page passes over it, too.
                return

    def after(self, operator: bytes, _operands: list[Any], _cm: Matrix, _tm: Matrix) -> None:
        """Take note that an operator is done."""
        if operator == b"Do":
            self._forms -= 1

    def _is_hidden(self, operands: list[Any], cm: Matrix, tm: Matrix) -> bool:
        ink = self._ink
        if ink.mode in UNSEEN_MODES:
            self.unseen_chars += len(str(operands[-1]))
            hidden = not self._keeps_unseen
        else:
            hidden = ink.is_clear or (not self._forms and self._is_misplaced(cm, tm))
        self.hidden += hidden
        return hidden

    def _is_misplaced(self, cm: Matrix, tm: Matrix) -> bool:
        """Return whether text is too small, beside the paper, or white where nothing is behind it."""
        size = abs(self._ink.size) * (abs(tm[2]) + abs(tm[3])) * (abs(cm[2]) + abs(cm[3]))
        if size < TINY_PT:
            return True
        x, y = _placed(tm[4], tm[5], cm)
        left, bottom, right, top = self._paper
        if x > right or y > top or y + size < bottom or x < left - (right - left):
            return True
        if not self._ink.is_white or len(self._boxes) > MOST_BOXES:
            return False
        return not any(box[0] - 1 <= x + 1 <= box[2] and box[1] - 1 <= y + 1 <= box[3] + 1 for box in self._boxes)

    def _save(self, _operands: list[Any], _cm: Matrix) -> None:
        self._stack.append(self._ink)

    def _restore(self, _operands: list[Any], _cm: Matrix) -> None:
        if self._stack:
            self._ink = self._stack.pop()

    def _state(self, operands: list[Any], _cm: Matrix) -> None:
        self._ink = replace(self._ink, is_clear=str(operands[0]) in self._clear_states)

    def _font(self, operands: list[Any], _cm: Matrix) -> None:
        self._ink = replace(self._ink, size=float(operands[1]))

    def _text_mode(self, operands: list[Any], _cm: Matrix) -> None:
        self._ink = replace(self._ink, mode=int(operands[0]))

    def _colour(self, operands: list[Any], _cm: Matrix) -> None:
        parts = [float(each) for each in operands if isinstance(each, int | float)]
        is_white = all(part <= NO_INK for part in parts) if len(parts) == 4 else all(part >= WHITE for part in parts)
        # A pattern has no numbers, and one number may as well be full ink of a colour of its own.
        known = len(parts) in (3, 4) or (len(parts) == 1 and len(operands) == 1)
        self._ink = replace(self._ink, is_white=known and is_white)

    def _rectangle(self, operands: list[Any], cm: Matrix) -> None:
        x, y, width, height = (float(each) for each in operands[:4])
        self._path += [_placed(x, y, cm), _placed(x + width, y + height, cm)]

    def _points(self, operands: list[Any], cm: Matrix) -> None:
        numbers = [float(each) for each in operands]
        self._path += [_placed(x, y, cm) for x, y in zip(numbers[::2], numbers[1::2], strict=False)]

    def _end(self, _operands: list[Any], _cm: Matrix) -> None:
        self._path.clear()

    def _fill(self, _operands: list[Any], _cm: Matrix) -> None:
        if self._path and not self._ink.is_white and not self._forms:
            self._paint(_around(self._path))
        self._path.clear()

    def _shade(self, _operands: list[Any], _cm: Matrix) -> None:
        self._paint(self._paper)

    def _picture(self, _operands: list[Any], cm: Matrix) -> None:
        self.has_picture = True
        if not self._forms:
            # A picture is drawn into the square of one by one, a form wherever it likes.
            box = _around([_placed(0, 0, cm), _placed(1, 0, cm), _placed(0, 1, cm), _placed(1, 1, cm)])
            self._paint(box)
            self.has_scan = self.has_scan or _area(box) >= PICTURE_SHARE * _area(self._paper)

    def _paint(self, box: Box) -> None:
        if len(self._boxes) <= MOST_BOXES:
            self._boxes.append(box)


def _placed(x: float, y: float, cm: Matrix) -> tuple[float, float]:
    return x * cm[0] + y * cm[2] + cm[4], x * cm[1] + y * cm[3] + cm[5]


def _around(points: Sequence[tuple[float, float]]) -> Box:
    across, up = [x for x, _ in points], [y for _, y in points]
    return min(across), min(up), max(across), max(up)


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
