"""Limits that administrators set, and what was said of them in chats.

Revision: 0044, after 0043
"""

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up."""
    op.create_table(
        "limits",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("scope", sa.String(length=32), nullable=False),
        sa.Column("scope_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_limits")),
        sa.UniqueConstraint("scope", "scope_id", "kind", name=op.f("uq_limits_scope_scope_id_kind")),
    )
    op.add_column("runs", sa.Column("limit_note", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    """Go down. What was set aside of limits is given up with them."""
    op.drop_column("runs", "limit_note")
    op.execute("DELETE FROM budget_reservations WHERE budget_id IN (SELECT id FROM budgets WHERE scope LIKE 'limit_%')")
    op.execute("DELETE FROM budgets WHERE scope LIKE 'limit_%' OR period = 'day'")
    op.drop_table("limits")
