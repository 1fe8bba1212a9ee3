"""Wire protocols, providers that speak them, and their models."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from llm_ui.kit.ids import ModelId, ProviderId, uuid7
from llm_ui.models.base import Base, Timestamped, enum_column
from llm_ui.models.cached_answer import CacheMode


class ProviderKind(StrEnum):
    """The wire protocol a provider speaks; each has one adapter."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"
    GOOGLE = "google"
    OLLAMA = "ollama"
    DEMO = "demo"
    AUTO = "auto"
    """None: models of this kind pick another one for each question (models/auto.py)."""


class PriceSource(StrEnum):
    """Where a model's prices come from."""

    LIST = "list"
    """The bundled public price list."""
    ADMIN = "admin"
    """Typed in by an administrator, never overwritten."""
    UNKNOWN = "unknown"


class Balancing(StrEnum):
    """How the models that serve under one name share the questions."""

    WEIGHT = "weight"
    LATENCY = "latency"
    """By how soon each begins to answer."""
    QUOTA = "quota"
    """By what its provider says is left of its keys' allowances."""


class AiType(Timestamped, Base):
    """A kind of AI service: one wire protocol with its usual address, shown when a provider is added."""

    __tablename__ = "ai_types"

    kind: Mapped[ProviderKind] = mapped_column(enum_column(ProviderKind), primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    description: Mapped[str]
    default_url: Mapped[str]
    needs_key: Mapped[bool]


class AiProvider(Timestamped, Base):
    """An address that serves models. Its key is sealed with the data folder's encryption key."""

    __tablename__ = "ai_providers"
    __table_args__ = (
        # Partial, so that a deleted provider frees its name.
        Index(
            "uq_ai_providers_name_key",
            "name_key",
            unique=True,
            sqlite_where=text("deleted_at IS NULL"),
            postgresql_where=text("deleted_at IS NULL"),
        ),
    )

    id: Mapped[ProviderId] = mapped_column(primary_key=True, default=lambda: ProviderId(uuid7()))
    kind: Mapped[ProviderKind] = mapped_column(enum_column(ProviderKind), ForeignKey("ai_types.kind"))
    name: Mapped[str] = mapped_column(String(64))
    name_key: Mapped[str] = mapped_column(String(64))
    base_url: Mapped[str]
    sealed_key: Mapped[str | None]
    key_hint: Mapped[str] = mapped_column(String(8), default="")
    """The last characters of the key, to tell keys apart on the page."""
    key_weight: Mapped[int] = mapped_column(default=1, server_default="1")
    """How often it is used, beside `more_keys`."""
    more_keys: Mapped[list[dict[str, Any]] | None]
    """Further keys: `id`, `sealed`, `hint` and `weight` of each."""
    sealed_headers: Mapped[str | None]
    """Extra headers of every request, which may hold secrets: a line each."""
    header_names: Mapped[str] = mapped_column(default="", server_default="")
    timeouts: Mapped[dict[str, Any] | None]
    """In seconds, by name (services/reach.py); what is left out is as for all providers."""
    most_at_once: Mapped[int | None]
    """Questions that it gets at the same time; empty: as many as usual."""
    key_refused_at: Mapped[datetime | None]
    """When the provider last refused the key; empty again once it is accepted or replaced."""
    place: Mapped[int | None]
    """In lists, 1 being the first; None: after those that have one."""
    is_enabled: Mapped[bool] = mapped_column(default=True)
    is_draining: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether it gets no new calls for now; those that run are let end."""
    last_tested_at: Mapped[datetime | None]
    last_test_error: Mapped[str | None]
    """The sentence of the last failed test; empty after a good one."""
    deleted_at: Mapped[datetime | None]


class AiModel(Timestamped, Base):
    """A model that a provider serves, under the name the provider knows it by."""

    __tablename__ = "ai_models"
    __table_args__ = (UniqueConstraint("provider_id", "name"),)

    id: Mapped[ModelId] = mapped_column(primary_key=True, default=lambda: ModelId(uuid7()))
    provider_id: Mapped[ProviderId] = mapped_column(ForeignKey("ai_providers.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(200))
    """The identifier on the wire."""
    display_name: Mapped[str] = mapped_column(String(200))
    place: Mapped[int | None]
    """In lists, 1 being the first; None: after those that have one, at its provider's."""
    is_enabled: Mapped[bool] = mapped_column(default=True)
    context_window: Mapped[int | None]
    """Tokens the model can be sent and answer together; empty where unknown."""
    max_output_tokens: Mapped[int | None]
    can_see_images: Mapped[bool] = mapped_column(default=False, server_default=false())
    can_use_tools: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether it calls tools: only then is it told of any."""
    makes_embeddings: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether it makes vectors of texts: then it answers nobody."""
    input_usd_per_mtok: Mapped[Decimal | None]
    cached_input_usd_per_mtok: Mapped[Decimal | None]
    output_usd_per_mtok: Mapped[Decimal | None]
    reasoning_usd_per_mtok: Mapped[Decimal | None]
    price_tiers: Mapped[list[dict[str, Any]] | None]
    """What long prompts cost, if they cost more (services/price_history.py)."""
    timeouts: Mapped[dict[str, Any] | None]
    """Where they are others than its provider's."""
    serves_id: Mapped[ModelId | None]
    """The model under whose name it is asked; empty, or one that nobody can ask: it is picked itself."""
    weight: Mapped[int] = mapped_column(default=1, server_default="1")
    """How often it is asked, beside those of the same name."""
    balancing: Mapped[Balancing | None] = mapped_column(enum_column(Balancing))
    """How it shares questions with those that serve under its name; empty: none does."""
    price_source: Mapped[PriceSource] = mapped_column(enum_column(PriceSource), default=PriceSource.UNKNOWN)
    cache_mode: Mapped[CacheMode] = mapped_column(
        enum_column(CacheMode), default=CacheMode.OFF, server_default=CacheMode.OFF.value
    )
    """Whether its answers are kept and given again to the same question."""
    cache_similar: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether these are given to questions that mean the same, too."""
    deleted_at: Mapped[datetime | None]


class ModelPrice(Base):
    """What a model cost from an instant on, until the next of its rows. Who used it then has paid that."""

    __tablename__ = "model_prices"

    model_id: Mapped[ModelId] = mapped_column(ForeignKey("ai_models.id", ondelete="CASCADE"), primary_key=True)
    valid_from: Mapped[datetime] = mapped_column(primary_key=True)
    changed_by: Mapped[str] = mapped_column(String(64))
    """The name of who set it; empty where that was before anybody wrote it down."""
    price_source: Mapped[PriceSource] = mapped_column(enum_column(PriceSource))
    input_usd_per_mtok: Mapped[Decimal | None]
    cached_input_usd_per_mtok: Mapped[Decimal | None]
    output_usd_per_mtok: Mapped[Decimal | None]
    reasoning_usd_per_mtok: Mapped[Decimal | None]
    price_tiers: Mapped[list[dict[str, Any]] | None]


class ModelStandIn(Base):
    """A model that is asked in the place of one that does not answer; the first `place` first."""

    __tablename__ = "model_stand_ins"

    model_id: Mapped[ModelId] = mapped_column(ForeignKey("ai_models.id", ondelete="CASCADE"), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    stand_in_id: Mapped[ModelId] = mapped_column(ForeignKey("ai_models.id", ondelete="CASCADE"))


class ModelCalibration(Base):
    """How far estimates of a model's tokens are off (kit/calibration.py). Apart from the model, which people change."""

    __tablename__ = "model_calibrations"

    model_id: Mapped[ModelId] = mapped_column(ForeignKey("ai_models.id", ondelete="CASCADE"), primary_key=True)
    ratio: Mapped[float]
    samples: Mapped[int]
