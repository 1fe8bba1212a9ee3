"""Safety filters of the workspace and of teams, how often they found something, and what people were warned of.

Revision: 0046, after 0045
"""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up."""
    op.create_table(
        "safety_filters",
        sa.Column("scope", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=True),
        sa.Column("on_input", sa.String(length=32), nullable=False),
        sa.Column("on_output", sa.String(length=32), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name=op.f("fk_safety_filters_team_id_teams"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("scope", "kind", name=op.f("pk_safety_filters")),
    )
    op.create_index(op.f("ix_safety_filters_team_id"), "safety_filters", ["team_id"])
    op.create_table(
        "filter_counts",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("what", sa.String(length=32), nullable=False),
        sa.Column("is_output", sa.Boolean(), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", "kind", "what", "is_output", "action", name=op.f("pk_filter_counts")),
    )
    op.add_column("runs", sa.Column("warned", sa.String(length=100), server_default="", nullable=False))


def downgrade() -> None:
    """Go down. Nothing is filtered any more."""
    op.drop_column("runs", "warned")
    op.drop_table("filter_counts")
    op.drop_index(op.f("ix_safety_filters_team_id"), "safety_filters")
    op.drop_table("safety_filters")
