"""Safety filters: what is looked for in what goes to models and comes from them, and how often it was found."""

from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from llm_ui.kit.ids import TeamId
from llm_ui.models.base import Base, Timestamped, enum_column


class FilterKind(StrEnum):
    """What a filter looks for."""

    INJECTION = "injection"
    """Attempts to talk a model out of its instructions."""
    PII = "pii"
    """Personal data."""
    SECRETS = "secrets"
    """Keys, tokens and passwords."""
    TERMS = "terms"
    """Terms that an administrator lists."""
    MODERATION = "moderation"
    """What a provider's moderation endpoint flags."""


class FilterAction(StrEnum):
    """What a filter does with what it finds, from the mildest to the strictest."""

    OFF = "off"
    LOG = "log"
    WARN = "warn"
    MASK = "mask"
    BLOCK = "block"


STRICTNESS = tuple(FilterAction)


class SafetyFilter(Timestamped, Base):
    """One kind of filter of the workspace or of a team. All that concern somebody apply; the strictest action holds."""

    __tablename__ = "safety_filters"

    scope: Mapped[str] = mapped_column(String(36), primary_key=True)
    """The team's id; empty: the workspace's."""
    kind: Mapped[FilterKind] = mapped_column(enum_column(FilterKind), primary_key=True)
    team_id: Mapped[TeamId | None] = mapped_column(ForeignKey("teams.id", ondelete="CASCADE"), index=True)
    """The same as a reference, so that a team's filters end with it."""
    on_input: Mapped[FilterAction] = mapped_column(enum_column(FilterAction))
    on_output: Mapped[FilterAction] = mapped_column(enum_column(FilterAction))
    options: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """Of personal data `types`, of terms `terms`, of moderation `provider_id`, `model` and `fails_closed`."""


class FilterCount(Base):
    """How often something was found on a day, in UTC, without what it was."""

    __tablename__ = "filter_counts"

    day: Mapped[date] = mapped_column(primary_key=True)
    kind: Mapped[FilterKind] = mapped_column(enum_column(FilterKind), primary_key=True)
    what: Mapped[str] = mapped_column(String(32), primary_key=True)
    """The sort of it, such as `email`; of moderation its category."""
    is_output: Mapped[bool] = mapped_column(primary_key=True)
    """Whether a model wrote it."""
    action: Mapped[FilterAction] = mapped_column(enum_column(FilterAction), primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)
