"""The logo of the workspace.

Revision: 0049, after 0048
"""

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up."""
    op.create_table(
        "logo_pictures",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_logo_pictures")),
    )


def downgrade() -> None:
    """Go down. The logo is ours again."""
    op.drop_table("logo_pictures")
    op.execute("DELETE FROM settings WHERE name IN ('logo', 'accent_colour')")
