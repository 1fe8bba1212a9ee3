"""Settings that an administrator changes while the product runs."""

from datetime import datetime
from typing import Any

from sqlalchemy import LargeBinary, String
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


class LogoPicture(Base):
    """One size of the workspace's logo: a PNG, drawn anew from what was uploaded."""

    __tablename__ = "logo_pictures"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    data: Mapped[bytes] = mapped_column(LargeBinary)
