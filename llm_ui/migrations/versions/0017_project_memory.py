"""Facts that only a project's chats are told, and whether those about the person enter it.

Revision: 0017, after 0016
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up. In projects that are there already models go on to be told what they were told."""
    op.add_column("user_memories", sa.Column("project_id", sa.Uuid(), nullable=True))
    op.add_column("projects", sa.Column("lets_memory_in", sa.Boolean(), nullable=False, server_default=sa.true()))


def downgrade() -> None:
    """Go down. Facts of projects go with their walls: without these every chat would be told them."""
    op.execute("DELETE FROM user_memories WHERE project_id IS NOT NULL")
    op.drop_column("projects", "lets_memory_in")
    op.drop_column("user_memories", "project_id")
