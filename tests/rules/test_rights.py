"""Reads of owned tables start from `readable()`; whoever goes round it says why in a comment."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OWNED = {
    "ChatHistory",
    "ChatMessage",
    "Run",
    "UsageLog",
    "UserSession",
    "User",
    "SystemPrompt",
    "AuditLog",
    "MessageFeedback",
    "ShareLink",
    "SavedPrompt",
    "BackgroundJob",
    "Attachment",
    "UserMemory",
    "ChatSummary",
    "DocumentFetch",
    "RetrievalCase",
    "AccountLink",
    "Agent",
    "PromptVersion",
    "ApiKey",
    "Team",
    "TeamMember",
    "ServiceAccount",
    "SafetyFilter",
    "SecondFactor",
    "RecoveryCode",
    "CachedAnswer",
}
ESCAPE = "# rights"
"""Begins, in any case, the comment that says why a function may look at rows without asking whose they are."""
READS = {"get", "get_one", "select"}
LAYERS = ("services", "runs", "api", "chat", "admin", "app", "auth", "cli", "worker")


def unchecked(source: str) -> list[int]:
    """Return the lines that read an owned table in functions that neither begin with `readable()` nor say why."""
    lines = source.splitlines()
    found = []
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        body = "\n".join(lines[function.lineno - 1 : function.end_lineno]).lower()
        if ESCAPE in body or "readable(" in body:
            continue
        found += [call.lineno for call in ast.walk(function) if is_read(call) and names(call) & OWNED]
    return found


def is_read(node: ast.AST) -> bool:
    """Return whether this is `select(…)`, `session.get(…)` or `session.get_one(…)`."""
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Attribute):
        return node.func.attr in READS and isinstance(node.func.value, ast.Name) and node.func.value.id == "session"
    return isinstance(node.func, ast.Name) and node.func.id in READS


def names(node: ast.AST) -> set[str]:
    return {child.id for child in ast.walk(node) if isinstance(child, ast.Name)}


def files() -> list[Path]:
    everything = (path for layer in LAYERS for path in (ROOT / "llm_ui" / layer).rglob("*.py"))
    return sorted(path for path in everything if path.name != "access.py")


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_reads_ask_for_rights(path: Path) -> None:
    assert unchecked(path.read_text()) == []


@pytest.mark.parametrize(
    ("body", "is_bad"),
    [
        ("return await session.scalar(select(ChatHistory))", True),
        ("return await session.scalar(select(Run.id).where(Run.id == x))", True),
        ("return await session.scalar(readable(ChatHistory, actor))", False),
        ("return await session.scalar(select(Setting))", False),
        ("return await session.scalar(select(Run))  # rights: the product's own sweep", False),
        ("return await session.get(User, x)", True),
        ("return await session.get_one(ChatMessage, x)", True),
        ("return await session.get(Setting, x)", False),
        ("return request.get(User)", False),
    ],
)
def test_the_rule_knows_good_from_bad(body: str, is_bad: bool) -> None:
    source = f"async def read(session, actor, x):\n    {body}\n"

    assert bool(unchecked(source)) == is_bad
