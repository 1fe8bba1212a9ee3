"""What was read of a file: pages of blocks, in reading order."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class BlockKind(StrEnum):
    """What a block is on its page."""

    HEADING = "heading"
    TEXT = "text"
    ITEM = "item"
    """Of a list."""
    CODE = "code"
    TABLE_HEAD = "table_head"
    """The row that names a table's columns."""
    TABLE_ROW = "table_row"


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of text that belongs together. The cells of a row are parted by ` | `."""

    kind: BlockKind
    text: str
    level: int = 0
    """Of a heading from 1, of a list's item from 0."""

    def stored(self) -> dict[str, Any]:
        """Return the block as it is stored and sent."""
        return {"kind": self.kind.value, "text": self.text, **({"level": self.level} if self.level else {})}

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Block":
        """Return a block that was stored."""
        return cls(BlockKind(stored["kind"]), str(stored["text"]), int(stored.get("level", 0)))


@dataclass(frozen=True, slots=True)
class Page:
    """A page of paper, a slide, a sheet; of a file without such a piece of some thousand characters."""

    number: int
    """From 1."""
    blocks: tuple[Block, ...]
