"""Settings that an administrator changes while the product runs."""

from datetime import datetime
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from llm_ui.kit.clock import now
from llm_ui.models.base import Base


class Setting(Base):
    """One setting by name; `value` holds `{"value": …}` so that null, numbers and text survive both databases."""

    __tablename__ = "settings"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[dict[str, Any]]
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)
    changed_by: Mapped[str | None] = mapped_column(String(64))
    """Name of whoever changed it last; None: the product itself."""
