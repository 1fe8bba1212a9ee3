"""Trying a model out: asked by an administrator, outside of every chat."""

from typing import Annotated

from pydantic import Field

from llm_ui.contract import TemporaryRequest
from llm_ui.contract.base import Wire

MAX_SYSTEM_CHARS = 100_000
MAX_EMBEDDED_CHARS = 20_000
"""Of a text whose vector is looked at: more than any embedding model takes."""


class TrialRequest(TemporaryRequest):
    """Ask a model that is told nothing but this, and has no tools. Nothing of what is said is stored."""

    system: Annotated[str, Field(max_length=MAX_SYSTEM_CHARS)] = ""
    """In the place of all instructions."""


class EmbeddingTrial(Wire):
    """A text whose vector is wanted."""

    text: Annotated[str, Field(min_length=1, max_length=MAX_EMBEDDED_CHARS)]
