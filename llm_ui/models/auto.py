"""*Auto* models: they are picked like a model, and pick one of several for each question."""

from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from llm_ui.kit.ids import ModelId
from llm_ui.models.base import Base, Timestamped


class AutoModel(Timestamped, Base):
    """What an *Auto* model picks among, and how. Its names are those of the model it is."""

    __tablename__ = "auto_models"

    model_id: Mapped[ModelId] = mapped_column(ForeignKey("ai_models.id", ondelete="CASCADE"), primary_key=True)
    description: Mapped[str] = mapped_column(default="")
    candidates: Mapped[list[str]]
    """Ids of models. No foreign keys: those that are gone are passed over."""
    rules: Mapped[list[dict[str, Any]]]
    """In their order, each with `when`, `value` and `model` (services/auto_rules.py)."""
    goodness: Mapped[int]
    """0: what costs least; 100: what people rate best."""
    speed: Mapped[int]
    """How much it counts how soon a model begins to answer, from 0 to 100."""
