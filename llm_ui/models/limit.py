"""Limits that administrators set: how much may be asked and spent, by whom, and what happens past that."""

from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from llm_ui.kit.ids import LimitId, uuid7
from llm_ui.models.base import Base, Timestamped, enum_column

EVERYBODY = UUID(int=0)
"""What a limit of the platform is of."""


class LimitScope(StrEnum):
    """What kind of thing a limit is of; `scope_id` says which one."""

    PLATFORM = "platform"
    TEAM = "team"
    USER = "user"
    KEY = "key"
    """A key of the API, with those that took its place."""
    MODEL = "model"


class LimitKind(StrEnum):
    """What is limited, and its unit."""

    REQUESTS_MINUTE = "requests_minute"
    TOKENS_MINUTE = "tokens_minute"
    STREAMS = "streams"
    """Answers that are written at the same time."""
    DAY_USD = "day_usd"
    MONTH_USD = "month_usd"


class LimitAction(StrEnum):
    """What happens at a limit."""

    WARN = "warn"
    """It goes on; whoever asks is told, and so is the log."""
    THROTTLE = "throttle"
    """It waits for a while, and is refused after that."""
    SWITCH = "switch"
    """A cheaper one of the models is asked that stand in for this one; without one it is refused."""
    STOP = "stop"


class Limit(Timestamped, Base):
    """One limit. What was spent of one of money is kept in its budget, which is made and changed with it."""

    __tablename__ = "limits"
    __table_args__ = (UniqueConstraint("scope", "scope_id", "kind"),)

    id: Mapped[LimitId] = mapped_column(primary_key=True, default=lambda: LimitId(uuid7()))
    scope: Mapped[LimitScope] = mapped_column(enum_column(LimitScope))
    scope_id: Mapped[UUID] = mapped_column(Uuid())
    """No foreign key: it names rows of several tables. `EVERYBODY` for the platform."""
    kind: Mapped[LimitKind] = mapped_column(enum_column(LimitKind))
    amount: Mapped[int] = mapped_column(BigInteger)
    """Cents of dollars, or a number of requests, tokens or answers."""
    action: Mapped[LimitAction] = mapped_column(enum_column(LimitAction))
