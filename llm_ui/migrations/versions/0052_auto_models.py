"""Auto models, and which of them has picked the model of a run or of a script's call.

Revision: 0052, after 0051
"""

import sqlalchemy as sa
from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up."""
    op.create_table(
        "auto_models",
        sa.Column("model_id", sa.Uuid(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("candidates", sa.JSON(), nullable=False),
        sa.Column("rules", sa.JSON(), nullable=False),
        sa.Column("goodness", sa.Integer(), nullable=False),
        sa.Column("speed", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["model_id"], ["ai_models.id"], name=op.f("fk_auto_models_model_id_ai_models"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("model_id", name=op.f("pk_auto_models")),
    )
    op.add_column("runs", sa.Column("auto_name", sa.String(length=200), server_default="", nullable=False))
    op.add_column("usage_logs", sa.Column("auto_choice", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Go down. Auto models are gone; what has answered stays."""
    op.drop_column("usage_logs", "auto_choice")
    op.drop_column("runs", "auto_name")
    op.drop_table("auto_models")
    # Older releases know no such kind. What is deleted nobody can ask, and nothing refers to what is not there.
    theirs = "(SELECT id FROM ai_providers WHERE kind = 'auto')"
    op.execute(f"UPDATE ai_models SET deleted_at = CURRENT_TIMESTAMP WHERE provider_id IN {theirs}")  # noqa: S608
    op.execute("UPDATE ai_providers SET kind = 'demo', deleted_at = CURRENT_TIMESTAMP WHERE kind = 'auto'")
    op.execute("DELETE FROM ai_types WHERE kind = 'auto'")
