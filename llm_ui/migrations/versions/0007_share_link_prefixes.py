"""What a link's owner knows it again by.

Revision: 0007, after 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up. Only the hash of an older link is known, so it shows no beginning."""
    op.add_column("share_links", sa.Column("prefix", sa.String(length=8), nullable=False, server_default=""))


def downgrade() -> None:
    """Go down."""
    with op.batch_alter_table("share_links") as table:
        table.drop_column("prefix")
