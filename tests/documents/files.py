"""Makers of files to read, and what comes out of them."""

from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

import pytest

from llm_ui.documents.parse.source import Limits
from llm_ui.documents.sandbox import LIMITS, End, read_file
from llm_ui.errors import InvalidInput
from llm_ui.kit.reading import Block, BlockKind, Page


@dataclass(frozen=True)
class Read:
    """What was read of a file."""

    pages: list[Page]
    end: End

    @property
    def blocks(self) -> list[Block]:
        return [block for page in self.pages for block in page.blocks]

    @property
    def text(self) -> str:
        return "\n".join(block.text for block in self.blocks)

    @property
    def shape(self) -> list[tuple[str, str]]:
        return [(block.kind.value, block.text) for block in self.blocks]

    def of(self, kind: BlockKind) -> list[str]:
        return [block.text for block in self.blocks if block.kind is kind]


async def read(folder: Path, content: bytes | str, name: str, *, after_page: int = 0, limits: Limits = LIMITS) -> Read:
    """Read a file that holds this."""
    path = folder / "stored"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    pages: list[Page] = []
    async with aclosing(read_file(path, name, after_page=after_page, limits=limits)) as stream:
        async for found in stream:
            if isinstance(found, End):
                return Read(pages, found)
            pages.append(found)
    raise AssertionError("no end")


async def refusal(folder: Path, content: bytes | str, name: str, *, limits: Limits = LIMITS) -> str:
    """Return the sentence with which a file that holds this is refused."""
    with pytest.raises(InvalidInput) as refused:
        await read(folder, content, name, limits=limits)
    return refused.value.message
