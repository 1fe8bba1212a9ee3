"""Sums of days and months that are over are packed: rankings of everybody over millions of calls are read from them.

The worker makes them; until then figures come from the rollups as before.

Revision: 0063, after 0062
"""

import sqlalchemy as sa
from alembic import op

revision = "0063"
down_revision = "0062"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up."""
    op.create_table(
        "usage_subjects",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_usage_subjects")),
        sa.UniqueConstraint("subject_id", name=op.f("uq_usage_subjects_subject_id")),
    )
    op.create_table(
        "usage_packs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("by", sa.String(length=8), nullable=False),
        sa.Column("span", sa.SmallInteger(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("sums", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_usage_packs")),
        sa.UniqueConstraint("by", "span", "slot", name=op.f("uq_usage_packs_by_span_slot")),
    )
    if op.get_bind().dialect.name == "postgresql":
        # As it is: packing it once more would cost each reader more than what it is read for.
        op.execute("ALTER TABLE usage_packs ALTER COLUMN sums SET STORAGE EXTERNAL")


def downgrade() -> None:
    """Go down."""
    op.drop_table("usage_packs")
    op.drop_table("usage_subjects")
