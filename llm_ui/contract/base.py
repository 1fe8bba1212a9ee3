"""What all messages between the pages and the LLM API have in common."""

from pydantic import BaseModel, ConfigDict


class Wire(BaseModel):
    """Base of all messages: unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")
