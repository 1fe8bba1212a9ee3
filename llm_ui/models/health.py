"""How providers do: what probes find and what calls learn."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from llm_ui.kit.ids import ProviderId, uuid7
from llm_ui.models.base import Base


class ProviderHealth(Base):
    """How a provider does now, as all processes know it. Apart from the provider, which people change."""

    __tablename__ = "provider_health"

    provider_id: Mapped[ProviderId] = mapped_column(ForeignKey("ai_providers.id", ondelete="CASCADE"), primary_key=True)
    due_at: Mapped[datetime]
    """When it is probed next. Whoever moves it on probes."""
    probed_at: Mapped[datetime | None]
    """When the last probe began whose end is known."""
    latency_ms: Mapped[float | None]
    """Of that probe; empty: it was not answered."""
    fault: Mapped[str | None] = mapped_column(String(32))
    """What that probe met (`ProviderFault`); empty: nothing."""
    problem: Mapped[str | None]
    """The same as a sentence; empty: it answered."""
    answered_at: Mapped[datetime | None]
    """When a call was last answered, to some seconds."""
    resting_at: Mapped[datetime | None]
    """When a process last said that it gives it no calls for a while."""
    down_since: Mapped[datetime | None]
    """Since when it did not answer, or for the last time did not."""
    well_since: Mapped[datetime | None]
    """Since when it does again; empty while it does not."""


class ProviderProbe(Base):
    """A probe that was made."""

    __tablename__ = "provider_probes"
    __table_args__ = (Index(None, "provider_id", "at"), Index(None, "at"))

    id: Mapped[UUID] = mapped_column(Uuid(), primary_key=True, default=uuid7)
    provider_id: Mapped[ProviderId]
    """No foreign key: the history outlives the provider."""
    at: Mapped[datetime]
    latency_ms: Mapped[float | None]
    fault: Mapped[str | None] = mapped_column(String(32))
