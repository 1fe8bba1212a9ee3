"""All tools, and which of them a model is told of."""

from collections.abc import Collection

from llm_ui.contract.steps import ToolName
from llm_ui.providers.base import ToolSpec
from llm_ui.runs.tools.base import Tool
from llm_ui.runs.tools.calculate import Calculate
from llm_ui.runs.tools.current_time import CurrentTime
from llm_ui.runs.tools.documents import ReadDocument, SearchDocuments

TOOLS: dict[ToolName, Tool] = {
    "search_documents": SearchDocuments(),
    "read_document": ReadDocument(),
    "calculate": Calculate(),
    "current_time": CurrentTime(),
}


def offered(off: Collection[str], *, has_documents: bool) -> tuple[ToolSpec, ...]:
    """Return the tools that a model is told of; `off` are those that its person switched off."""
    return tuple(
        tool.spec for name, tool in TOOLS.items() if name not in off and (has_documents or not tool.needs_documents)
    )


def named(names: Collection[str]) -> tuple[ToolSpec, ...]:
    """Return the tools of these names, as far as there are such tools."""
    return tuple(tool.spec for name, tool in TOOLS.items() if name in names)


def find(name: str) -> Tool | None:
    """Return the tool of that name, if there is one."""
    return next((tool for tool in TOOLS.values() if tool.spec.name == name), None)
