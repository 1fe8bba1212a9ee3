"""All functions of the product that touch documents, passages, vectors or facts, and all that call such readers.

Found in the source, so that a new one is noticed before anybody has thought of it.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2] / "llm_ui"
TABLES = {"Document", "DocumentChunk", "DocumentPage", "DocumentFetch", "PassageVector", "UserMemory"}
INDEX = "search_passages"
READERS = {
    "llm_ui.documents.neighbours": {"beside"},
    "llm_ui.documents.retrieve": {"retrieve", "look"},
    "llm_ui.documents.whole": {"read_whole"},
    "llm_ui.runs.passages": {"seek", "look_up", "look_ahead"},
    "llm_ui.services.documents": {"list_documents", "look_at", "offer", "find", "read_page", "passages_on"},
    "llm_ui.services.fetches": {"list_fetches"},
    "llm_ui.services.memories": {"list_memories", "facts", "facts_of"},
}
"""Functions that hand out what is in a project, by module."""
Origin = tuple[str, str]
"""Where an imported name comes from: the module, and the name there."""
Function = ast.FunctionDef | ast.AsyncFunctionDef


def touching() -> set[str]:
    """Return the functions in whose body one of the tables, or the index, is named."""
    return {
        name for name, function, given in _functions() if _names(function) & given.keys() & TABLES or _sql(function)
    }


def calling() -> set[str]:
    """Return the functions that call one of the readers of another module."""
    found = set()
    for name, function, given in _functions():
        called = {_called(node.func, given) for node in ast.walk(function) if isinstance(node, ast.Call)}
        if any(one in READERS.get(module, ()) for module, one in called):
            found.add(name)
    return found


def _functions() -> Iterator[tuple[str, Function, dict[str, Origin]]]:
    """Yield all functions with what their module imports: where each name comes from."""
    for path in sorted(ROOT.rglob("*.py")):
        place = path.relative_to(ROOT).with_suffix("")
        if place.parts[0] in ("models", "migrations"):
            continue
        tree = ast.parse(path.read_text())
        imports = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module]
        given = {one.asname or one.name: (f"{node.module}", one.name) for node in imports for one in node.names}
        holders = [tree, *(node for node in tree.body if isinstance(node, ast.ClassDef))]
        for holder in holders:
            for function in holder.body:
                if isinstance(function, Function):
                    yield f"{'.'.join(place.parts)}.{function.name}", function, given


def _names(function: Function) -> set[str]:
    return {node.id for part in function.body for node in ast.walk(part) if isinstance(node, ast.Name)}


def _sql(function: Function) -> bool:
    constants = (node.value for node in ast.walk(function) if isinstance(node, ast.Constant))
    return any(isinstance(value, str) and INDEX in value for value in constants)


def _called(called: ast.expr, given: dict[str, Origin]) -> tuple[str, str]:
    """Return the module and the name of what is called; empty where it is no imported function."""
    if isinstance(called, ast.Name):
        return given.get(called.id, ("", ""))
    if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.value.id in given:
        return ".".join(given[called.value.id]), called.attr
    return "", ""
