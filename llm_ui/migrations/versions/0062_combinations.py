"""What a team, a project or an agent used is found by an index.

A million combinations were looked through for those of one team. The indexes hold only those that have one.

Revision: 0062, after 0061
"""

import sqlalchemy as sa
from alembic import op

revision = "0062"
down_revision = "0061"
branch_labels = None
depends_on = None

INDEXES = {"team_id": "ix_usage_dimensions_team", "project_id": "ix_usage_dimensions_project",
           "agent_id": "ix_usage_dimensions_agent"}  # fmt: skip


def upgrade() -> None:
    """Go up."""
    for column, name in INDEXES.items():
        is_there = sa.text(f"{column} IS NOT NULL")
        op.create_index(name, "usage_dimensions", [column], sqlite_where=is_there, postgresql_where=is_there)


def downgrade() -> None:
    """Go down."""
    for name in INDEXES.values():
        op.drop_index(name, "usage_dimensions")
