"""Kept answers for questions that mean the same, and what was answered with them.

Revision: 0053, after 0052
"""

import sqlalchemy as sa
from alembic import op

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None

SWITCHES = (("ai_models", "cache_similar"), ("agents", "keeps_similar"), ("api_keys", "keeps_similar"))


def upgrade() -> None:
    """Go up."""
    op.add_column("cached_answers", sa.Column("group_key", sa.String(length=64), nullable=True))
    op.add_column("cached_answers", sa.Column("question", sa.Text(), nullable=True))
    op.add_column("cached_answers", sa.Column("vector", sa.LargeBinary(), nullable=True))
    op.create_index(op.f("ix_cached_answers_group_key"), "cached_answers", ["group_key"])
    for table, column in SWITCHES:
        op.add_column(table, sa.Column(column, sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("runs", sa.Column("similarity", sa.Float(), nullable=True))
    op.add_column("runs", sa.Column("similar_to", sa.Text(), server_default="", nullable=False))
    op.add_column("runs", sa.Column("similar_key", sa.String(length=64), nullable=True))
    is_similar = sa.text("similarity IS NOT NULL")
    op.create_index(
        "ix_runs_similar", "runs", ["model_id", "created_at"], sqlite_where=is_similar, postgresql_where=is_similar
    )
    op.add_column("usage_logs", sa.Column("is_similar", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_index(
        "ix_usage_logs_similar", "usage_logs", ["model_id", "created_at"], sqlite_where=sa.text("is_similar = 1"),
        postgresql_where=sa.text("is_similar"),
    )  # fmt: skip


def downgrade() -> None:
    """Go down. What was given to a question that means the same counts as given to the very same one."""
    op.drop_index("ix_usage_logs_similar", "usage_logs")
    op.drop_column("usage_logs", "is_similar")
    op.drop_index("ix_runs_similar", "runs")
    for name in ("similar_key", "similar_to", "similarity"):
        op.drop_column("runs", name)
    for table, column in reversed(SWITCHES):
        op.drop_column(table, column)
    op.drop_index(op.f("ix_cached_answers_group_key"), "cached_answers")
    for name in ("vector", "question", "group_key"):
        op.drop_column("cached_answers", name)
