"""Citations in an answer, checked while it is written: a number that was not sent never reaches anybody."""

import re
from collections.abc import Collection

TOKEN = re.compile(r"`+|~{3,}|\n[ \t]*\n|(?<! )[ ]*+\[(?P<inside>[\d\s,;]*+)\]")
"""What opens or closes code, ends a paragraph, or looks like a citation."""
BEGUN = re.compile(r"(`+|~+|\s*\[[\d\s,;]*\]?|\s+)\Z")
"""What may become one of these, by what follows: more digits, or the `(` of a link."""
MAX_HELD_CHARS = 40
"""Of what is longer only the end waits: it is no citation."""
NUMBER = re.compile(r"\d+")
FENCE = 3


class CitationCheck:
    """Goes over an answer that arrives in pieces: `[2]` stays when passage 2 was sent, else it is taken out.

    Several numbers in one pair of brackets get a pair each. Code and links are left alone. A few characters are held
    back while they may become a citation.
    """

    def __init__(self, numbers: Collection[int]) -> None:
        self._numbers = frozenset(numbers)
        self._held = ""
        self._code = ""
        self.invented = 0
        """How many numbers were taken out."""
        self.cited: set[int] = set()

    def know(self, numbers: Collection[int]) -> None:
        """Let these be cited from now on, too."""
        self._numbers |= frozenset(numbers)

    def feed(self, piece: str) -> str:
        """Take a piece of the answer; return what may be shown."""
        self._held += piece
        return self._pass_on(is_last=False)

    def end(self) -> str:
        """Return what was held back."""
        return self._pass_on(is_last=True)

    def _pass_on(self, *, is_last: bool) -> str:
        text, self._held = self._held, ""
        begun = None if is_last else BEGUN.search(text, max(0, len(text) - MAX_HELD_CHARS))
        if begun is not None:
            self._held, text = begun.group(), text[: begun.start()]
        return TOKEN.sub(self._checked, text)

    def _checked(self, found: re.Match[str]) -> str:
        """Return what becomes of something that was found."""
        said = found.group()
        if said[0] in "`~":
            self._mark(said)
        elif said[0] == "\n":
            # An inline code that nobody closed ends with its paragraph.
            self._code = self._code if len(self._code) >= FENCE else ""
        elif not self._code and NUMBER.search(found["inside"]) and not found.string.startswith("(", found.end()):
            return self._citations(said)
        return said

    def _mark(self, run: str) -> None:
        if not self._code:
            self._code = run
        elif run[0] == self._code[0] and (len(run) == len(self._code) or len(run) > len(self._code) >= FENCE):
            self._code = ""

    def _citations(self, said: str) -> str:
        numbers = [int(digits[:9]) for digits in NUMBER.findall(said)]
        known = [number for number in numbers if number in self._numbers]
        self.invented += len(numbers) - len(known)
        self.cited.update(known)
        before = said[: said.index("[")] if known else ""
        return before + "".join(f"[{number}]" for number in known)
