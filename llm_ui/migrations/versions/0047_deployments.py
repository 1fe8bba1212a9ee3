"""Models that serve under the name of another one, and how their questions are shared out.

Revision: 0047, after 0046
"""

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up."""
    op.add_column("ai_models", sa.Column("serves_id", sa.Uuid(), nullable=True))
    op.add_column("ai_models", sa.Column("weight", sa.Integer(), server_default="1", nullable=False))
    op.add_column("ai_models", sa.Column("balancing", sa.String(length=32), nullable=True))


def downgrade() -> None:
    """Go down. Each model is asked under its own name again."""
    for name in ("balancing", "weight", "serves_id"):
        op.drop_column("ai_models", name)
