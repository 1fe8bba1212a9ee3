"""What everything that a page asks is made of."""

from pydantic import BaseModel, ConfigDict


class Op(BaseModel):
    """Something that a page asks."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Reply(Op):
    """What one operation answers."""
