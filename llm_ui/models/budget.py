"""How much may be spent, on what and in which time, and what is set aside for calls that are being made."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from llm_ui.kit.clock import now
from llm_ui.kit.ids import BudgetId, RunId, uuid7
from llm_ui.models.base import Base, Timestamped, enum_column


class BudgetScope(StrEnum):
    """What kind of thing a budget is for; `scope_id` says which one."""

    PROJECT = "project"
    TEAM = "team"
    PERSON = "person"
    """What quotas leave somebody; made when a call is first paid from it."""
    KEY = "key"
    """A key of the API, with those that took its place."""
    LIMIT_PLATFORM = "limit_platform"
    """A limit of money that administrators set, as are those that follow (models/limit.py)."""
    LIMIT_TEAM = "limit_team"
    LIMIT_USER = "limit_user"
    LIMIT_KEY = "limit_key"
    LIMIT_MODEL = "limit_model"


class BudgetPeriod(StrEnum):
    """After what time there is the whole amount again."""

    DAY = "day"
    """At midnight, in UTC."""
    MONTH = "month"
    """With the first of a month, in UTC."""


class Budget(Timestamped, Base):
    """An amount for each period. What is spent and what is set aside together never exceed it when a call begins."""

    __tablename__ = "budgets"
    __table_args__ = (UniqueConstraint("scope", "scope_id", "period"),)

    id: Mapped[BudgetId] = mapped_column(primary_key=True, default=lambda: BudgetId(uuid7()))
    scope: Mapped[BudgetScope] = mapped_column(enum_column(BudgetScope))
    scope_id: Mapped[UUID] = mapped_column(Uuid())
    """No foreign key: it names rows of several tables."""
    period: Mapped[BudgetPeriod] = mapped_column(enum_column(BudgetPeriod), default=BudgetPeriod.MONTH)
    amount_usd: Mapped[Decimal]
    spent_usd: Mapped[Decimal]
    """In the period that began at `period_start`; of an earlier one it counts no more."""
    reserved_usd: Mapped[Decimal] = mapped_column(default=Decimal(0))
    """The sum of its reservations, of whichever period: what they cost counts when they end."""
    period_start: Mapped[datetime]


class BudgetReservation(Base):
    """What is set aside of a budget for one call until it has ended."""

    __tablename__ = "budget_reservations"
    __table_args__ = (Index(None, "created_at"),)

    call_id: Mapped[RunId] = mapped_column(primary_key=True)
    """The run, or the call that has no run; as in the table of what was used."""
    budget_id: Mapped[BudgetId] = mapped_column(ForeignKey("budgets.id", ondelete="CASCADE"), primary_key=True)
    amount_usd: Mapped[Decimal]
    created_at: Mapped[datetime] = mapped_column(default=now)
