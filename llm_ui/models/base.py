"""What all tables share: the declarative base, column types, constraint names."""

from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Enum, MetaData, Text, TypeDecorator, Uuid
from sqlalchemy.ext.asyncio import AsyncAttrs
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from llm_ui.kit import ids, money
from llm_ui.kit.clock import now

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: aware and in UTC in Python, `timestamptz` on PostgreSQL, naive UTC text on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive instants, which would be stored an unknown number of hours wrong."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the instant its time zone back on databases that drop it."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Usd(TypeDecorator[Decimal]):
    """An exact amount of US dollars, stored as picodollars so that both databases add it up without rounding."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        """Turn dollars into picodollars."""
        return None if value is None else money.to_picodollars(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:
        """Turn picodollars into dollars."""
        return None if value is None else money.from_picodollars(int(value))


def enum_column(kind: type[StrEnum]) -> Enum:
    """Return the column type of a closed set: its values as text, so that adding one needs no migration."""
    return Enum(
        kind, native_enum=False, create_constraint=False, length=32, values_callable=lambda e: [m.value for m in e]
    )


class Base(AsyncAttrs, DeclarativeBase):
    """Declarative base of every table."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text(),
        datetime: UtcDateTime(),
        Decimal: Usd(),
        dict[str, Any]: JSON(),
        list[dict[str, Any]]: JSON(),
        list[str]: JSON(),
        ids.UserId: Uuid(),
        ids.SessionId: Uuid(),
        ids.ProviderId: Uuid(),
        ids.ModelId: Uuid(),
        ids.PromptId: Uuid(),
        ids.ChatId: Uuid(),
        ids.MessageId: Uuid(),
        ids.RunId: Uuid(),
        ids.FeedbackId: Uuid(),
        ids.ShareId: Uuid(),
        ids.SavedPromptId: Uuid(),
        ids.ProjectId: Uuid(),
        ids.JobId: Uuid(),
        ids.AttachmentId: Uuid(),
        ids.MemoryId: Uuid(),
        ids.SummaryId: Uuid(),
        ids.DocumentId: Uuid(),
        ids.CaseId: Uuid(),
        ids.EvaluationId: Uuid(),
        ids.FetchId: Uuid(),
        ids.BudgetId: Uuid(),
        ids.AgentId: Uuid(),
        ids.PromptVersionId: Uuid(),
        ids.KeyId: Uuid(),
        ids.TeamId: Uuid(),
        ids.IssuerId: Uuid(),
        ids.LimitId: Uuid(),
        ids.ExperimentId: Uuid(),
        ids.DirectoryGroupId: Uuid(),
    }


class Timestamped:
    """When a row was made and last changed."""

    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)
