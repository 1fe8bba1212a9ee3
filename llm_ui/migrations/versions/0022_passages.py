"""How the documents of a project are cut into passages.

Revision: 0022, after 0021
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up. Documents that are there stay cut as they are."""
    op.add_column("projects", sa.Column("cutting", sa.String(length=32), nullable=False, server_default="structure"))
    op.add_column("projects", sa.Column("passage_tokens", sa.Integer(), nullable=False, server_default="350"))
    op.add_column("projects", sa.Column("overlap_tokens", sa.Integer(), nullable=False, server_default="50"))


def downgrade() -> None:
    """Go down."""
    for name in ("overlap_tokens", "passage_tokens", "cutting"):
        op.drop_column("projects", name)
