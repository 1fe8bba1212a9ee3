"""Texts that grow while a model writes them."""

from llm_ui.kit.text import storable


class Growing:
    """A text that a model writes piece by piece, made fit to be stored and sent."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._half = ""
        self.count = 0
        """How many pieces there are."""
        self.chars = 0

    def add(self, piece: str) -> str:
        """Add a piece; return it without what no database holds. A surrogate pair that was cut in two is joined."""
        piece, self._half = self._half + piece, ""
        if piece and "\ud800" <= piece[-1] <= "\udbff":
            piece, self._half = piece[:-1], piece[-1]
        piece = storable(piece)
        if piece:
            self._pieces.append(piece)
            self.count += 1
            self.chars += len(piece)
        return piece

    def whole(self) -> str:
        """Return the text."""
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else ""
