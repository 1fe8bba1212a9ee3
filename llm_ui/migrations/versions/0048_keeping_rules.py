"""How long chats of roles and teams are kept, and receipts of deleted accounts.

Revision: 0048, after 0047
"""

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up."""
    op.create_table(
        "keep_rules",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(32), nullable=True),
        sa.Column("team_id", sa.Uuid(), nullable=True),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("set_by", sa.String(128), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name=op.f("fk_keep_rules_team_id_teams"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keep_rules")),
        sa.UniqueConstraint("role", name=op.f("uq_keep_rules_role")),
        sa.UniqueConstraint("team_id", name=op.f("uq_keep_rules_team_id")),
    )
    op.create_table(
        "erasures",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("data", sa.String(32), nullable=False),
        sa.Column("heir_id", sa.Uuid(), nullable=True),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("backups_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("found", sa.JSON(), nullable=False),
        sa.Column("left", sa.JSON(), nullable=False),
        sa.Column("kept", sa.JSON(), nullable=False),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasures")),
    )
    op.create_index(op.f("ix_erasures_subject_id"), "erasures", ["subject_id"])
    op.create_index(op.f("ix_erasures_erased_at"), "erasures", ["erased_at"])


def downgrade() -> None:
    """Go down. Only projects say how long chats are kept; receipts are forgotten."""
    op.drop_table("erasures")
    op.drop_table("keep_rules")
