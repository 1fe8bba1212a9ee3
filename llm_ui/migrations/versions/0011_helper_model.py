"""What the helper model makes and uses: suggested questions, and the purpose of what is booked.

Revision: 0011, after 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up. All that was booked so far was for answers."""
    op.add_column("usage_logs", sa.Column("purpose", sa.String(length=32), nullable=False, server_default="answer"))
    op.add_column("runs", sa.Column("follow_ups", sa.JSON(), nullable=True))
    op.add_column("users", sa.Column("wants_follow_ups", sa.Boolean(), nullable=False, server_default=sa.true()))


def downgrade() -> None:
    """Go down. Suggested questions are lost; what was booked stays."""
    # Not as a batch: that makes the table anew, and dropping the old one would take what belongs to it along.
    op.drop_column("users", "wants_follow_ups")
    op.drop_column("runs", "follow_ups")
    op.drop_column("usage_logs", "purpose")
