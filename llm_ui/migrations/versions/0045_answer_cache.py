"""Answers that are kept, and what was answered with them.

Revision: 0045, after 0044
"""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

SUMS = ("usage_rollups", "usage_totals")


def upgrade() -> None:
    """Go up."""
    op.create_table(
        "cached_answers",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=True),
        sa.Column("chat_id", sa.Uuid(), nullable=True),
        sa.Column("model_id", sa.Uuid(), nullable=False),
        sa.Column("pieces", sa.JSON(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("input_tokens", sa.Integer(), nullable=True),
        sa.Column("cached_tokens", sa.Integer(), nullable=True),
        sa.Column("output_tokens", sa.Integer(), nullable=True),
        sa.Column("reasoning_tokens", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{table}.id"], name=op.f(f"fk_cached_answers_{column}_{table}"), ondelete="CASCADE"
            )
            for column, table in (
                ("user_id", "users"), ("project_id", "projects"), ("chat_id", "chat_histories"),
                ("model_id", "ai_models"),
            )
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_cached_answers")),
    )  # fmt: skip
    for column in ("user_id", "project_id", "chat_id", "model_id"):
        op.create_index(op.f(f"ix_cached_answers_{column}"), "cached_answers", [column])
    op.create_index(op.f("ix_cached_answers_created_at_size_bytes"), "cached_answers", ["created_at", "size_bytes"])
    op.add_column("ai_models", sa.Column("cache_mode", sa.String(length=32), server_default="off", nullable=False))
    op.add_column("agents", sa.Column("keeps_answers", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("api_keys", sa.Column("keeps_answers", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("runs", sa.Column("cached_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("runs", sa.Column("saved_usd", sa.BigInteger(), nullable=True))
    op.add_column("usage_logs", sa.Column("is_cached", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("usage_logs", sa.Column("saved_usd", sa.BigInteger(), nullable=True))
    for table in SUMS:
        op.add_column(table, sa.Column("hits", sa.BigInteger(), server_default="0", nullable=False))
        op.add_column(table, sa.Column("saved_usd", sa.BigInteger(), server_default="0", nullable=False))


def downgrade() -> None:
    """Go down. Kept answers are gone; what was answered with them counts as what cost nothing."""
    for table in SUMS:
        op.drop_column(table, "saved_usd")
        op.drop_column(table, "hits")
    op.drop_column("usage_logs", "saved_usd")
    op.drop_column("usage_logs", "is_cached")
    op.drop_column("runs", "saved_usd")
    op.drop_column("runs", "cached_at")
    op.drop_column("api_keys", "keeps_answers")
    op.drop_column("agents", "keeps_answers")
    op.drop_column("ai_models", "cache_mode")
    op.drop_table("cached_answers")
