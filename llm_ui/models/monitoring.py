"""What is known of how the product itself does."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, SmallInteger, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from llm_ui.kit.ids import ProviderId, UserId, uuid7
from llm_ui.models.base import Base, Timestamped, enum_column


class ClockJob(Base):
    """The last run of a job that a worker does by the clock."""

    __tablename__ = "clock_jobs"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    asked_at: Mapped[datetime | None]
    """When somebody wanted it done before its time."""
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    """None while the last run goes on, or after its worker died."""
    took_ms: Mapped[float | None]
    error: Mapped[str | None]
    """Of the last run, in a sentence; None: it went well."""


class ProcessReport(Base):
    """How one of our processes does, as it says itself every few seconds."""

    __tablename__ = "process_reports"

    id: Mapped[UUID] = mapped_column(Uuid(), primary_key=True)
    """Of the process, for as long as it lives."""
    name: Mapped[str] = mapped_column(String(16))
    """`ui`, `api` or `worker`."""
    host: Mapped[str] = mapped_column(String(128))
    pid: Mapped[int]
    version: Mapped[str] = mapped_column(String(32))
    started_at: Mapped[datetime]
    reported_at: Mapped[datetime]
    memory_bytes: Mapped[int] = mapped_column(BigInteger)
    cpu_share: Mapped[float]
    """Of one core, since the report before."""
    delay_ms: Mapped[float]
    """The longest that its event loop kept somebody waiting since the report before."""
    at_work: Mapped[int]
    """Open websockets of the pages, calls of the LLM API."""


class SlowStatement(Base):
    """A statement that took long, without its values, and how often it did."""

    __tablename__ = "slow_statements"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    """Begins the SHA-256 of the text."""
    text: Mapped[str]
    count: Mapped[int] = mapped_column(BigInteger)
    total_ms: Mapped[float]
    longest_ms: Mapped[float]
    last_at: Mapped[datetime]


class ProviderEvent(Base):
    """A provider was left alone after many failures, or taken up again, by one process."""

    __tablename__ = "provider_events"
    __table_args__ = (Index(None, "at"),)

    id: Mapped[UUID] = mapped_column(Uuid(), primary_key=True, default=uuid7)
    provider_id: Mapped[ProviderId]
    """No foreign key: the history outlives the provider."""
    process_id: Mapped[UUID] = mapped_column(Uuid())
    is_open: Mapped[bool]
    """Whether its circuit opened: it gets no calls for a while."""
    at: Mapped[datetime]


class LogEntry(Base):
    """One line of the log of one of our processes; of what is old, or too much, the oldest go."""

    __tablename__ = "log_entries"
    __table_args__ = (Index(None, "request_id"),)

    id: Mapped[UUID] = mapped_column(Uuid(), primary_key=True, default=uuid7)
    at: Mapped[datetime]
    level: Mapped[int] = mapped_column(SmallInteger)
    """As of Python's `logging`."""
    process: Mapped[str] = mapped_column(String(16))
    event: Mapped[str] = mapped_column(String(100))
    fields: Mapped[dict[str, Any]]
    words: Mapped[str]
    """The fields once more, to be searched."""
    request_id: Mapped[str] = mapped_column(String(64))
    user_id: Mapped[UserId | None]
    """No foreign key: lines outlive accounts."""


class AlertKind(StrEnum):
    """What a rule watches."""

    ERROR_RATE = "error_rate"
    """Percent of the calls of the last 15 minutes that failed."""
    TTFT_P95 = "ttft_p95"
    """Seconds within which 95 % of the answers of the last 15 minutes began."""
    SPEND_DAY = "spend_day"
    """Dollars since midnight, UTC."""
    SPEND_MONTH = "spend_month"
    """Dollars since the month began, UTC."""
    PROVIDER_DOWN = "provider_down"
    """Providers that fail or are left alone."""
    DISK_FREE = "disk_free"
    """Percent of the data folder's disk that is free; the only one where less is worse."""
    QUEUE_DEPTH = "queue_depth"
    """Documents, imports and answers that wait."""
    WORKER_SILENT = "worker_silent"
    """Minutes since any worker said how it does."""
    BACKUP_AGE = "backup_age"
    """Hours since the last backup that went well was begun; where none did, since the first one that should have."""


class AlertChannel(StrEnum):
    """Where a rule tells it."""

    WEBHOOK = "webhook"
    EMAIL = "email"


class AlertChange(StrEnum):
    """What there is to tell."""

    FIRING = "firing"
    RESOLVED = "resolved"
    TEST = "test"


class AlertRule(Timestamped, Base):
    """A limit, and who is told when it is passed."""

    __tablename__ = "alert_rules"

    id: Mapped[UUID] = mapped_column(Uuid(), primary_key=True, default=uuid7)
    kind: Mapped[AlertKind] = mapped_column(enum_column(AlertKind))
    threshold: Mapped[float]
    channel: Mapped[AlertChannel] = mapped_column(enum_column(AlertChannel))
    address: Mapped[str]
    """Of the webhook, or of the e-mail."""
    is_firing: Mapped[bool] = mapped_column(default=False)
    changed_at: Mapped[datetime | None]
    """When it last began or ended to fire."""
    value: Mapped[float | None]
    """What was found at the last look; None: nothing to judge by."""
    checked_at: Mapped[datetime | None]
    silenced_until: Mapped[datetime | None]
    """Until then nobody is told."""


class AlertEvent(Base):
    """Something that a rule told, or tried to."""

    __tablename__ = "alert_events"
    __table_args__ = (Index(None, "sent_at", "at"),)

    id: Mapped[UUID] = mapped_column(Uuid(), primary_key=True, default=uuid7)
    rule_id: Mapped[UUID] = mapped_column(ForeignKey("alert_rules.id", ondelete="CASCADE"))
    kind: Mapped[AlertKind] = mapped_column(enum_column(AlertKind))
    change: Mapped[AlertChange] = mapped_column(enum_column(AlertChange))
    value: Mapped[float | None]
    threshold: Mapped[float]
    at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    """When it was told; None: not yet, or in vain."""
    tries: Mapped[int] = mapped_column(default=0)
    tried_at: Mapped[datetime | None]
    error: Mapped[str | None]
    """Why it was not told at the last try; empty: nobody was to be told."""
