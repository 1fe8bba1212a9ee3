"""Groups of issuers whose people are in teams.

Revision: 0041, after 0040
"""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up."""
    op.create_table(
        "issuer_teams",
        sa.Column("issuer_id", sa.Uuid(), nullable=False),
        sa.Column("group_name", sa.String(length=255), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["issuer_id"], ["issuers.id"], name=op.f("fk_issuer_teams_issuer_id_issuers"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name=op.f("fk_issuer_teams_team_id_teams"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("issuer_id", "group_name", "team_id", name=op.f("pk_issuer_teams")),
    )
    with op.batch_alter_table("team_members") as members:
        members.add_column(sa.Column("issuer_id", sa.Uuid(), nullable=True))
        members.create_foreign_key(
            op.f("fk_team_members_issuer_id_issuers"), "issuers", ["issuer_id"], ["id"], ondelete="SET NULL"
        )


def downgrade() -> None:
    """Go down. Who was brought into a team by a group stays in it."""
    with op.batch_alter_table("team_members") as members:
        members.drop_constraint(op.f("fk_team_members_issuer_id_issuers"), type_="foreignkey")
        members.drop_column("issuer_id")
    op.drop_table("issuer_teams")
