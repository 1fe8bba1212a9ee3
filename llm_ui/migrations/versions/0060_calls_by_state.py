"""Calls of one state, and of one kind, are found by an index, the newest first.

Of ten million calls those that failed, or a kind that is rare, took a look at all of them. Each index takes some 50
bytes a call.

Revision: 0060, after 0055
"""

from alembic import op

revision = "0060"
down_revision = "0055"
branch_labels = None
depends_on = None

INDEXES = {"status": "ix_usage_logs_status_created_at", "kind": "ix_usage_logs_kind_created_at"}


def upgrade() -> None:
    """Go up."""
    for column, name in INDEXES.items():
        op.create_index(name, "usage_logs", [column, "created_at"])


def downgrade() -> None:
    """Go down."""
    for name in INDEXES.values():
        op.drop_index(name, "usage_logs")
