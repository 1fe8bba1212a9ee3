"""Service accounts of teams: what their scripts act as.

Revision: 0050, after 0049
"""

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up."""
    op.add_column("users", sa.Column("is_service", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "service_accounts",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name=op.f("fk_service_accounts_team_id_teams"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_service_accounts_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_service_accounts")),
    )
    op.create_index(op.f("ix_service_accounts_team_id"), "service_accounts", ["team_id"])


def downgrade() -> None:
    """Go down. Service accounts are switched off and in no team, so that nothing is done with their keys."""
    services = "SELECT id FROM users WHERE is_service"
    op.execute(f"DELETE FROM team_members WHERE user_id IN ({services})")  # noqa: S608 - constants
    op.execute("UPDATE users SET is_active = false WHERE is_service")
    op.drop_table("service_accounts")
    op.drop_column("users", "is_service")
