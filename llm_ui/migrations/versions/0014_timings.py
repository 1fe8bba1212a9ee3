"""What putting the context together, connecting and reasoning took.

Revision: 0014, after 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up."""
    op.add_column("runs", sa.Column("context_ms", sa.Float(), nullable=True))
    op.add_column("runs", sa.Column("connect_ms", sa.Float(), nullable=True))
    op.add_column("runs", sa.Column("reasoning_ms", sa.Float(), nullable=True))


def downgrade() -> None:
    """Go down."""
    op.drop_column("runs", "reasoning_ms")
    op.drop_column("runs", "connect_ms")
    op.drop_column("runs", "context_ms")
