"""What each person used in a month stands in one row: the list of people is sorted by it.

Revision: 0064, after 0063
"""

import sqlalchemy as sa
from alembic import op

revision = "0064"
down_revision = "0063"
branch_labels = None
depends_on = None

MONTH = 3


def upgrade() -> None:
    """Go up."""
    op.create_table(
        "usage_people",
        sa.Column("span", sa.SmallInteger(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("input_tokens", sa.BigInteger(), nullable=False),
        sa.Column("output_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cost_usd", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("span", "slot", "user_id", name=op.f("pk_usage_people")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_usage_people_user_id"), "usage_people", ["user_id"])
    op.execute(
        sa.text(
            "INSERT INTO usage_people (span, slot, user_id, input_tokens, output_tokens, cost_usd) "
            "SELECT rollups.span, rollups.slot, people.user_id, sum(rollups.input_tokens), "
            "sum(rollups.output_tokens), sum(rollups.cost_usd) FROM usage_rollups AS rollups "
            "JOIN usage_dimensions AS people ON people.id = rollups.dimension_id "
            "WHERE rollups.span = :month AND people.user_id IS NOT NULL "
            "GROUP BY rollups.span, rollups.slot, people.user_id"
        ).bindparams(month=MONTH)
    )


def downgrade() -> None:
    """Go down."""
    op.drop_table("usage_people")
