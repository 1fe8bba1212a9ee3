"""Sums of what was used, and what it was used for.

Revision: 0034, after 0033
"""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

OTHERS = ("kind", "agent_id", "team_id", "rolled_up_at")


def upgrade() -> None:
    """Go up. The worker adds up what was booked before."""
    op.add_column("usage_logs", sa.Column("kind", sa.String(length=32), nullable=False, server_default="chat"))
    for name in ("agent_id", "team_id"):
        op.add_column("usage_logs", sa.Column(name, sa.Uuid(), nullable=True))
    op.add_column("usage_logs", sa.Column("rolled_up_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(
        "UPDATE usage_logs SET kind = CASE WHEN purpose IN ('embedding', 'reranking') THEN purpose ELSE 'helper' END"
        " WHERE purpose <> 'answer'"
    )
    op.execute(
        "UPDATE usage_logs SET agent_id = (SELECT runs.agent_id FROM runs WHERE runs.id = usage_logs.run_id)"
        " WHERE purpose = 'answer'"
    )
    waiting = sa.text("rolled_up_at IS NULL")
    op.create_index(
        "ix_usage_logs_waiting", "usage_logs", ["created_at"], sqlite_where=waiting, postgresql_where=waiting
    )
    _dimensions()
    sums = ("usage_rollups", "usage_totals")
    for name in sums:
        op.create_table(
            name,
            *_key(),
            sa.Column("requests", sa.BigInteger(), nullable=False),
            sa.Column("errors", sa.BigInteger(), nullable=False),
            sa.Column("estimates", sa.BigInteger(), nullable=False),
            sa.Column("unpriced", sa.BigInteger(), nullable=False),
            sa.Column("input_tokens", sa.BigInteger(), nullable=False),
            sa.Column("cached_tokens", sa.BigInteger(), nullable=False),
            sa.Column("output_tokens", sa.BigInteger(), nullable=False),
            sa.Column("reasoning_tokens", sa.BigInteger(), nullable=False),
            sa.Column("cost_usd", sa.BigInteger(), nullable=False),
            sa.Column("estimated_usd", sa.BigInteger(), nullable=False),
            sa.Column("written_tokens", sa.BigInteger(), nullable=False),
            sa.Column("writing_us", sa.BigInteger(), nullable=False),
            sa.PrimaryKeyConstraint("span", "slot", "dimension_id", name=op.f(f"pk_{name}")),
            sqlite_with_rowid=False,
        )
    index = op.f("ix_usage_rollups_dimension_id_span_slot")
    op.create_index(index, "usage_rollups", ["dimension_id", "span", "slot"])
    op.create_table(
        "usage_latencies",
        *_key(),
        sa.Column("measure", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("bucket", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "span", "slot", "dimension_id", "measure", "bucket", name=op.f("pk_usage_latencies")
        ),
        sqlite_with_rowid=False,
    )


def _key() -> list[sa.Column[int]]:
    # First: behind others the checks of SQLite 3.40 take what is there for NULL in a table without row numbers.
    return [
        sa.Column("span", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("dimension_id", sa.Integer(), autoincrement=False, nullable=False),
    ]


def _dimensions() -> None:
    op.create_table(
        "usage_dimensions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("together_id", sa.Integer(), nullable=True),
        *(
            sa.Column(name, sa.Uuid(), nullable=True)
            for name in ("user_id", "project_id", "agent_id", "key_id", "team_id", "model_id", "provider_id")
        ),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_usage_dimensions")),
    )
    op.create_index(op.f("ix_usage_dimensions_user_id"), "usage_dimensions", ["user_id"])


def downgrade() -> None:
    """Go down. The sums are gone; what they were made of stays."""
    for name in ("usage_latencies", "usage_totals", "usage_rollups", "usage_dimensions"):
        op.drop_table(name)
    op.drop_index("ix_usage_logs_waiting", "usage_logs")
    for name in OTHERS:
        op.drop_column("usage_logs", name)
