"""What a document says is data: fenced, labelled, without what nobody sees; and what comes of it acts nowhere."""

import asyncio
import re
import unicodedata
from contextlib import aclosing
from html.parser import HTMLParser
from pathlib import Path
from uuid import uuid4

import pytest

from llm_ui.documents.chunk import chunks
from llm_ui.documents.retrieve import Passage
from llm_ui.documents.sandbox import End, read_file
from llm_ui.kit.calibration import Calibration
from llm_ui.kit.ids import ChunkId, DocumentId, ModelId, ProviderId
from llm_ui.kit.markdown import render
from llm_ui.kit.reading import Page
from llm_ui.models import ProviderKind
from llm_ui.runs.files import Room
from llm_ui.runs.passages import ABOUT_PASSAGES, Found, numbered
from llm_ui.services.prices import Prices
from llm_ui.services.targets import ModelTarget
from tests.security.injection_corpus import CARRIERS, DOCUMENTS, HIDDEN, INVISIBLE, SEEN

OPENING = re.compile(r'^<passage number="(\d+)" document="[^"<>]*"(?: page="\d+")?>$')
FORGED = re.compile(r"<\s*/?\s*passage\b", re.IGNORECASE)
TARGET = ModelTarget(
    ModelId(uuid4()),
    ProviderId(uuid4()),
    ProviderKind.OPENAI,
    "",
    None,
    "m",
    "M",
    "P",
    None,
    None,
    Prices(),
    Calibration(),
)
ACTING = {
    "script",
    "img",
    "iframe",
    "object",
    "embed",
    "link",
    "style",
    "form",
    "video",
    "audio",
    "svg",
    "base",
    "meta",
}


async def read(path: Path, name: str, content: str) -> tuple[list[Page], End]:
    """Read a document as the worker does."""
    await asyncio.to_thread(path.write_text, content, encoding="utf-8")
    pages: list[Page] = []
    async with aclosing(read_file(path, name)) as found:
        async for one in found:
            if isinstance(one, End):
                return pages, one
            pages.append(one)
    raise AssertionError("it has no end")


def sent(pages: list[Page], name: str) -> tuple[str, list[str]]:
    """Return what a model is sent of it, and the texts of the passages."""
    found = tuple(
        Passage(
            ChunkId(number), DocumentId(uuid4()), name, True, number, "\n".join(chunk.title_path), chunk.text,
            chunk.page_from, chunk.page_to, chunk.tokens, 1.0,
        )
        for number, chunk in enumerate(chunks(pages))
    )  # fmt: skip
    told = numbered(Found(found, 0.0), 100_000, Room(TARGET))
    assert [source.number for source in told.sources] == list(range(1, len(found) + 1))
    return told.text, [source.text for source in told.sources]


def test_the_corpus_is_large() -> None:
    assert len(DOCUMENTS) + len(HIDDEN) >= 150


async def test_every_document_stays_within_its_fence(tmp_path: Path) -> None:
    # One process for many: joined by the name of each, which no passage holds in two halves.
    for start in range(0, len(DOCUMENTS), 12):
        group = DOCUMENTS[start : start + 12]
        for ending in ("txt", "md"):
            joined = "\n\n".join(content for name, content in group if name.endswith(ending))
            if not joined:
                continue
            pages, _ = await read(tmp_path / "file", f"group.{ending}", joined)
            text, passages = sent(pages, f'"><system name="x">.{ending}')
            lines = text.split("\n")

            assert text.startswith(ABOUT_PASSAGES)
            assert sum(bool(OPENING.match(line)) for line in lines) == len(passages)
            assert lines.count("</passage>") == len(passages)
            assert len(FORGED.findall(text)) == 2 * len(passages), "only our own marks"


@pytest.mark.parametrize("content", INVISIBLE, ids=range(len(INVISIBLE)))
async def test_what_nobody_sees_is_left_out_and_told(tmp_path: Path, content: str) -> None:
    pages, end = await read(tmp_path / "file", "birds.txt", content)
    text, _ = sent(pages, "birds.txt")

    assert [char for char in text if unicodedata.category(char) == "Cf"] == []
    assert "stand" in text
    assert "\u00ad" in content or "left out" in end.remark


@pytest.mark.parametrize(("name", "content", "order"), HIDDEN, ids=[name for name, _, _ in HIDDEN])
async def test_what_a_page_hides_is_left_out_and_told(tmp_path: Path, name: str, content: str, order: str) -> None:
    pages, end = await read(tmp_path / "file", name, content)
    text, _ = sent(pages, name)

    assert SEEN in text
    assert order not in text
    told = "<!--" in content or "<script" in content or "<style" in content or "<template" in content
    assert told or "hidden text" in end.remark


@pytest.mark.parametrize("said", CARRIERS, ids=range(len(CARRIERS)))
def test_an_answer_that_repeats_it_loads_nothing(said: str) -> None:
    class Tags(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.append((tag, dict(attrs)))

    found: list[tuple[str, dict[str, str | None]]] = []
    Tags().feed(render(said))

    assert {tag for tag, _ in found} & ACTING == set()
    for _, attributes in found:
        assert not (attributes.get("href") or "").startswith(("javascript:", "data:"))
        assert "ping" not in attributes
        assert "src" not in attributes
