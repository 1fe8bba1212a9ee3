"""Pinned and archived chats.

Revision: 0004, after 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up."""
    op.add_column("chat_histories", sa.Column("pinned_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("chat_histories", sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Go down. Which chats were pinned or archived is lost; the chats stay."""
    # Not as a batch: that makes the table anew, and dropping the old one would take its messages along.
    op.drop_column("chat_histories", "archived_at")
    op.drop_column("chat_histories", "pinned_at")
