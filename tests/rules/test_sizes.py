"""Modules and functions stay small enough to read."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
MODULE_LINES = 450
FUNCTION_LINES = 60


def modules() -> list[Path]:
    return sorted((ROOT / "llm_ui").rglob("*.py"))


def test_no_module_is_too_long() -> None:
    files = [*modules(), *(ROOT / "assets").glob("*.js")]

    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in files}

    assert {name: lines for name, lines in lengths.items() if lines > MODULE_LINES} == {}


def test_no_function_is_too_long() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.name}"
        for path in modules()
        if "versions" not in path.parts
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= FUNCTION_LINES
    ]

    assert long == []
