"""Models that stand in for others, who has answered instead of whom, and how providers are reached.

Revision: 0040, after 0036
"""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up."""
    op.create_table(
        "model_stand_ins",
        sa.Column("model_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("stand_in_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["model_id"], ["ai_models.id"], name=op.f("fk_model_stand_ins_model_id_ai_models"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["stand_in_id"], ["ai_models.id"], name=op.f("fk_model_stand_ins_stand_in_id_ai_models"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("model_id", "place", name=op.f("pk_model_stand_ins")),
    )
    op.add_column("runs", sa.Column("instead_of", sa.String(length=200), server_default="", nullable=False))
    op.add_column("runs", sa.Column("broke_off", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("ai_providers", sa.Column("key_weight", sa.Integer(), server_default="1", nullable=False))
    op.add_column("ai_providers", sa.Column("more_keys", sa.JSON(), nullable=True))
    op.add_column("ai_providers", sa.Column("sealed_headers", sa.Text(), nullable=True))
    op.add_column("ai_providers", sa.Column("header_names", sa.Text(), server_default="", nullable=False))
    op.add_column("ai_providers", sa.Column("timeouts", sa.JSON(), nullable=True))
    op.add_column("ai_providers", sa.Column("most_at_once", sa.Integer(), nullable=True))
    op.add_column("ai_models", sa.Column("timeouts", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Go down. Models that do not answer are helped by none any more; of each provider one key stays."""
    op.drop_column("ai_models", "timeouts")
    for name in ("most_at_once", "timeouts", "header_names", "sealed_headers", "more_keys", "key_weight"):
        op.drop_column("ai_providers", name)
    op.drop_column("runs", "broke_off")
    op.drop_column("runs", "instead_of")
    op.drop_table("model_stand_ins")
