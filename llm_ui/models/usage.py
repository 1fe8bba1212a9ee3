"""What was used and what it cost, booked once for each run and each call of the helper model, and added up.

Sums are kept in rollups: by everything (`UsageRollup`), and for all people together (`UsageTotal`, with how long calls
took in `UsageLatency`); of what is over also packed, by person, project, team and agent (`UsagePack`).
A booked call is in the rollups once its `rolled_up_at` is set, which is done in the transaction that adds it there;
until then figures add it to them (services/usage).
"""

from datetime import datetime
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    UniqueConstraint,
    Uuid,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from llm_ui.kit.ids import AgentId, KeyId, ModelId, ProjectId, ProviderId, RunId, TeamId, UserId
from llm_ui.models.base import Base, enum_column
from llm_ui.models.run import RunStatus, UsageSource


class UsagePurpose(StrEnum):
    """What a model was asked for."""

    ANSWER = "answer"
    TITLE = "title"
    TAGS = "tags"
    FOLLOW_UPS = "follow_ups"
    SUMMARY = "summary"
    EMBEDDING = "embedding"
    QUERY = "query"
    RERANKING = "reranking"
    API = "api"
    """What a script asks for with a key."""


class UsageKind(StrEnum):
    """What kind of use a call was: where an answer was asked for, or what else a model did."""

    CHAT = "chat"
    TEMPORARY = "temporary"
    API = "api"
    HELPER = "helper"
    EMBEDDING = "embedding"
    RERANKING = "reranking"


KIND_OF = {
    UsagePurpose.ANSWER: UsageKind.CHAT,
    UsagePurpose.EMBEDDING: UsageKind.EMBEDDING,
    UsagePurpose.RERANKING: UsageKind.RERANKING,
    UsagePurpose.API: UsageKind.API,
}
"""The kind of a call by what it was for; of all others the helper model's."""


class UsageLog(Base):
    """One booked call. No foreign keys: figures outlive the chats, models and people they are about."""

    __tablename__ = "usage_logs"
    __table_args__ = (
        Index(None, "created_at"),
        Index(None, "user_id", "created_at"),
        Index(None, "project_id"),
        Index(None, "status", "created_at"),
        Index(None, "kind", "created_at"),
        # Partial, so that what waits is found at once however much there is.
        Index(
            "ix_usage_logs_waiting",
            "created_at",
            sqlite_where=text("rolled_up_at IS NULL"),
            postgresql_where=text("rolled_up_at IS NULL"),
        ),
        Index(
            "ix_usage_logs_similar",
            "model_id",
            "created_at",
            sqlite_where=text("is_similar = 1"),
            postgresql_where=text("is_similar"),
        ),
    )

    run_id: Mapped[RunId] = mapped_column(primary_key=True)
    """The key, so that no run is booked twice however often its end is written; the helper model's calls are no runs
    and have one of their own."""
    purpose: Mapped[UsagePurpose] = mapped_column(
        enum_column(UsagePurpose), default=UsagePurpose.ANSWER, server_default=UsagePurpose.ANSWER.value
    )
    kind: Mapped[UsageKind] = mapped_column(
        enum_column(UsageKind), default=UsageKind.CHAT, server_default=UsageKind.CHAT.value
    )
    user_id: Mapped[UserId]
    project_id: Mapped[ProjectId | None]
    """The project that the chat was kept in then."""
    key_id: Mapped[KeyId | None]
    """The key of the API that a script asked with; None: a person."""
    model_id: Mapped[ModelId | None]
    provider_id: Mapped[ProviderId | None]
    agent_id: Mapped[AgentId | None]
    team_id: Mapped[TeamId | None]
    model_name: Mapped[str] = mapped_column(String(200))
    provider_name: Mapped[str] = mapped_column(String(64))
    status: Mapped[RunStatus] = mapped_column(enum_column(RunStatus))
    input_tokens: Mapped[int] = mapped_column(default=0)
    cached_tokens: Mapped[int] = mapped_column(default=0)
    output_tokens: Mapped[int] = mapped_column(default=0)
    reasoning_tokens: Mapped[int] = mapped_column(default=0)
    usage_source: Mapped[UsageSource] = mapped_column(enum_column(UsageSource))
    cost_usd: Mapped[Decimal | None]
    is_cached: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether an answer was given that was there already: for nothing."""
    is_similar: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether that was one to a question that only means the same."""
    saved_usd: Mapped[Decimal | None]
    """What it would have cost otherwise."""
    ttft_ms: Mapped[float | None]
    total_ms: Mapped[float | None]
    created_at: Mapped[datetime]
    auto_choice: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    """Of a script's call: why an *Auto* model has picked this one (services/auto_rules.py)."""
    rolled_up_at: Mapped[datetime | None]
    """When it was added to the rollups; None: it waits for that."""


class Span(IntEnum):
    """What time a rollup is of. Its `slot` counts such times in UTC, from 1970 on; months from the year 0 on."""

    QUARTER = 1
    """Of an hour: all time zones of today are whole quarters off UTC."""
    DAY = 2
    MONTH = 3


class Measure(IntEnum):
    """What is timed."""

    TTFT = 1
    """From the call to its first token."""
    TOTAL = 2
    """From the call to its end."""


class UsageDimension(Base):
    """One combination of who used what for what. Without a person: of all people, projects, agents and keys together.

    Rollups name it by its number: it stands in millions of rows.
    """

    __tablename__ = "usage_dimensions"
    # Of what most have none, only those that have: SQLite took such an index where it found nearly all of them.
    __table_args__ = (
        Index(None, "user_id"),
        *(
            Index(f"ix_usage_dimensions_{name}", column, sqlite_where=is_there, postgresql_where=is_there)
            for name, column, is_there in (
                ("team", "team_id", text("team_id IS NOT NULL")),
                ("project", "project_id", text("project_id IS NOT NULL")),
                ("agent", "agent_id", text("agent_id IS NOT NULL")),
            )
        ),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    together_id: Mapped[int | None]
    """The same model, provider and kind, of all people together; None: it is that itself."""
    user_id: Mapped[UserId | None]
    project_id: Mapped[ProjectId | None]
    agent_id: Mapped[AgentId | None]
    key_id: Mapped[KeyId | None]
    team_id: Mapped[TeamId | None]
    model_id: Mapped[ModelId | None]
    provider_id: Mapped[ProviderId | None]
    kind: Mapped[UsageKind] = mapped_column(enum_column(UsageKind))


class Sums:
    """What is added up of calls."""

    requests: Mapped[int] = mapped_column(BigInteger)
    errors: Mapped[int] = mapped_column(BigInteger)
    """Failed or interrupted; what a person stopped is none."""
    estimates: Mapped[int] = mapped_column(BigInteger)
    """Calls whose tokens are estimated, for the provider did not tell them."""
    unpriced: Mapped[int] = mapped_column(BigInteger)
    """Calls of models without a known price."""
    input_tokens: Mapped[int] = mapped_column(BigInteger)
    cached_tokens: Mapped[int] = mapped_column(BigInteger)
    output_tokens: Mapped[int] = mapped_column(BigInteger)
    reasoning_tokens: Mapped[int] = mapped_column(BigInteger)
    cost_usd: Mapped[Decimal]
    """Of the calls whose price is known."""
    estimated_usd: Mapped[Decimal]
    """The part of it that was reckoned with estimated tokens."""
    written_tokens: Mapped[int] = mapped_column(BigInteger)
    """Output tokens of calls of which is known how long they wrote: `writing_us`."""
    writing_us: Mapped[int] = mapped_column(BigInteger)
    """Microseconds from the first token to the end."""
    hits: Mapped[int] = mapped_column(BigInteger, server_default="0")
    """Calls that were answered with what was there already. Their tokens are in none of the sums above."""
    saved_usd: Mapped[Decimal] = mapped_column(server_default="0")
    """What these would have cost, as far as their price is known."""


class UsageRollup(Sums, Base):
    """The sums of one combination in one quarter of an hour, day or month."""

    __tablename__ = "usage_rollups"
    # Clustered by time: a page reads what lies side by side.
    __table_args__ = (Index(None, "dimension_id", "span", "slot"), {"sqlite_with_rowid": False})

    span: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False, sort_order=-1)
    slot: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False, sort_order=-1)
    dimension_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False, sort_order=-1)


class UsageTotal(Sums, Base):
    """The same of all people together: few rows, so that every chart of everybody is drawn from them."""

    __tablename__ = "usage_totals"
    __table_args__ = ({"sqlite_with_rowid": False},)

    span: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False, sort_order=-1)
    slot: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False, sort_order=-1)
    dimension_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False, sort_order=-1)


class UsagePerson(Base):
    """What one person used in one month: one row each, so that the list of all people is sorted by it."""

    __tablename__ = "usage_people"
    __table_args__ = (Index(None, "user_id"), {"sqlite_with_rowid": False})

    span: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    """Always a month."""
    slot: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    user_id: Mapped[UserId] = mapped_column(primary_key=True)
    input_tokens: Mapped[int] = mapped_column(BigInteger)
    output_tokens: Mapped[int] = mapped_column(BigInteger)
    cost_usd: Mapped[Decimal]
    """Of the calls whose price is known."""


class UsageLatency(Base):
    """How many calls of all people together took how long: a histogram, from which percentiles are read.

    `bucket` is a time between two powers of the fourth root of two milliseconds (services/usage/buckets.py).
    """

    __tablename__ = "usage_latencies"
    __table_args__ = ({"sqlite_with_rowid": False},)

    span: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False, sort_order=-1)
    slot: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False, sort_order=-1)
    dimension_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False, sort_order=-1)
    measure: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False, sort_order=-1)
    bucket: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False, sort_order=-1)
    calls: Mapped[int] = mapped_column(BigInteger)


class UsageSubject(Base):
    """The number that a person, project, team or agent has in packs."""

    __tablename__ = "usage_subjects"
    __table_args__ = (UniqueConstraint("subject_id"),)

    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    """From 1 on; 0 in packs: none, of calls outside of projects for example."""
    subject_id: Mapped[UUID] = mapped_column(Uuid())


class UsagePack(Base):
    """The sums of all people, projects, teams or agents in one slot that is over, in one piece.

    It is there or not: whatever changes these sums deletes it in its transaction, and the worker makes it anew.
    """

    __tablename__ = "usage_packs"
    __table_args__ = (UniqueConstraint("by", "span", "slot"),)

    id: Mapped[UUID] = mapped_column(Uuid(), primary_key=True)
    """Another one whenever it is made anew: who found it there sees that it is still the same."""
    by: Mapped[str] = mapped_column(String(8))
    span: Mapped[int] = mapped_column(SmallInteger)
    slot: Mapped[int] = mapped_column(Integer)
    sums: Mapped[bytes] = mapped_column(LargeBinary)
    """As services/usage/packing.py writes it."""
