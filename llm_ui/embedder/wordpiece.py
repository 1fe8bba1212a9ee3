"""The tokenizer of BERT, from a model's `vocab.txt`.

Devlin et al. 2019, BERT, and its `tokenization.py`: words are parted at white space and punctuation, and each is the
longest pieces of the vocabulary in turn. The package `tokenizers` does it too, and brings a client of a model hub and
its twelve packages along.
"""

import unicodedata
from functools import lru_cache
from pathlib import Path

from llm_ui.errors import ConfigurationError

MAX_WORD_CHARS = 100
"""Longer words are unknown, as where the models were made."""
REMEMBERED = 20_000
CJK = (
    (0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F), (0x2B740, 0x2B81F), (0x2B820, 0x2CEAF),
    (0xF900, 0xFAFF), (0x2F800, 0x2FA1F),
)  # fmt: skip
"""Each of these characters is a word."""


class WordPiece:
    """Turns texts into the numbers of their pieces. May be used by several threads."""

    def __init__(self, vocabulary: Path, *, is_lower: bool) -> None:
        """Read a `vocab.txt`. Raises `ConfigurationError` when it is none."""
        try:
            pieces = vocabulary.read_text(encoding="utf-8").splitlines()
            self._pieces = {piece: number for number, piece in enumerate(pieces)}
            self._begin, self._end, self._unknown = (self._pieces[name] for name in ("[CLS]", "[SEP]", "[UNK]"))
        except (OSError, ValueError, KeyError):
            raise ConfigurationError(
                f"{vocabulary.parent} holds no vocab.txt of a BERT model. Take another embedding model."
            ) from None
        self._is_lower = is_lower
        self._of_word = lru_cache(REMEMBERED)(self._split)

    def encode(self, text: str, limit: int) -> list[int]:
        """Return the numbers of a text, between those of its begin and end; at most `limit` in all."""
        found: list[int] = [self._begin]
        for word in self._words(text):
            found += self._of_word(word)
            if len(found) >= limit:
                break
        return [*found[: limit - 1], self._end]

    def _words(self, text: str) -> list[str]:
        if self._is_lower:
            decomposed = unicodedata.normalize("NFD", text)
            text = "".join(char for char in decomposed if unicodedata.category(char) != "Mn").lower()
        return "".join(map(_parted, text)).split()

    def _split(self, word: str) -> tuple[int, ...]:
        if len(word) > MAX_WORD_CHARS:
            return (self._unknown,)
        numbers: list[int] = []
        start = 0
        while start < len(word):
            mark = "##" if start else ""
            ends = range(len(word), start, -1)
            end = next((end for end in ends if mark + word[start:end] in self._pieces), None)
            if end is None:
                return (self._unknown,)
            numbers.append(self._pieces[mark + word[start:end]])
            start = end
        return tuple(numbers)


@lru_cache(REMEMBERED)
def _parted(char: str) -> str:
    """Return a character with spaces around it where it is a word of its own; nothing for what is no text."""
    code, category = ord(char), unicodedata.category(char)
    if char in "\t\n\r" or category == "Zs":
        return " "
    if category in ("Cc", "Cf") or code == 0xFFFD:
        return ""
    is_punctuation = category.startswith("P") or (char.isascii() and not char.isalnum())
    is_word = is_punctuation or any(first <= code <= last for first, last in CJK)
    return f" {char} " if is_word else char
