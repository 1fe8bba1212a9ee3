"""How long projects keep chats that nobody touches, and how much may be spent in them.

Revision: 0027, after 0026
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up."""
    op.add_column("projects", sa.Column("keep_days", sa.Integer(), nullable=True))
    op.create_table(
        "budgets",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("scope", sa.String(length=32), nullable=False),
        sa.Column("scope_id", sa.Uuid(), nullable=False),
        sa.Column("period", sa.String(length=32), nullable=False),
        sa.Column("amount_usd", sa.BigInteger(), nullable=False),
        sa.Column("spent_usd", sa.BigInteger(), nullable=False),
        sa.Column("reserved_usd", sa.BigInteger(), nullable=False),
        sa.Column("period_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_budgets")),
        sa.UniqueConstraint("scope", "scope_id", "period", name=op.f("uq_budgets_scope_scope_id_period")),
    )
    op.create_table(
        "budget_reservations",
        sa.Column("call_id", sa.Uuid(), nullable=False),
        sa.Column("budget_id", sa.Uuid(), nullable=False),
        sa.Column("amount_usd", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["budget_id"], ["budgets.id"], name=op.f("fk_budget_reservations_budget_id_budgets"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("call_id", "budget_id", name=op.f("pk_budget_reservations")),
    )
    op.create_index(op.f("ix_budget_reservations_created_at"), "budget_reservations", ["created_at"])


def downgrade() -> None:
    """Go down. Chats that went to the bin stay there."""
    op.drop_table("budget_reservations")
    op.drop_table("budgets")
    op.drop_column("projects", "keep_days")
