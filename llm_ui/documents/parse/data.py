"""JSON: lists of records as tables, notebooks as what they say, all else as code under the names of its parts."""

import json
from collections.abc import Iterator
from typing import Any

from llm_ui.documents.parse import markdown
from llm_ui.documents.parse.paging import cut, heading, pieces, row
from llm_ui.documents.parse.source import Source
from llm_ui.documents.parse.text import decoded
from llm_ui.kit.reading import Block, BlockKind, Page

SCALARS = (str, int, float, bool, type(None))
LITTLE_CHARS = 400
"""Parts of an object shorter than this need no heading of their own."""


def read(source: Source) -> Iterator[Page]:
    """Yield what the file holds; as it is written where that is no JSON."""
    text = decoded(source)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return pieces(_lines(text))
    return pieces(_blocks(value))


def _lines(text: str) -> Iterator[Block]:
    """Yield what may be one value a line."""
    try:
        values = [json.loads(line) for line in text.split("\n") if line.strip()]
    except (ValueError, RecursionError):
        yield from (Block(BlockKind.CODE, part) for part in cut(text))
    else:
        yield from _blocks(values)


def _blocks(value: Any) -> Iterator[Block]:
    if isinstance(value, dict) and isinstance(value.get("cells"), list) and "nbformat" in value:
        yield from _notebook(value["cells"])
    elif isinstance(value, list) and value and all(_is_record(each) for each in value):
        yield from _table(value)
    elif isinstance(value, list) and value and all(isinstance(each, dict | list) for each in value):
        for each in value:
            yield _code(each)
    elif isinstance(value, dict) and len(_written(value)) > LITTLE_CHARS:
        for name, each in value.items():
            yield heading(str(name), 1)
            yield from _blocks(each) if isinstance(each, list) else iter([_code(each)])
    else:
        yield _code(value)


def _is_record(value: object) -> bool:
    return isinstance(value, dict) and bool(value) and all(isinstance(each, SCALARS) for each in value.values())


def _table(records: list[dict[str, Any]]) -> Iterator[Block]:
    columns = list(dict.fromkeys(name for record in records for name in record))
    yield row(columns, is_head=True)
    for record in records:
        yield row(_cell(record.get(name)) for name in columns)


def _cell(value: object) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


def _notebook(cells: list[Any]) -> Iterator[Block]:
    """Yield the cells of a notebook (nbformat 4), without what they put out."""
    for cell in cells:
        if not isinstance(cell, dict):
            continue
        said = cell.get("source", "")
        text = "".join(map(str, said)) if isinstance(said, list) else str(said)
        if cell.get("cell_type") == "markdown":
            yield from markdown.blocks(text)
        else:
            yield Block(BlockKind.CODE, text)


def _code(value: object) -> Block:
    return Block(BlockKind.CODE, _written(value))


def _written(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1)
