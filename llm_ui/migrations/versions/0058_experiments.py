"""Experiments with models and instructions, and how the answers went that took part.

Revision: 0058, after 0055
"""

import sqlalchemy as sa
from alembic import op

revision = "0058"
down_revision = "0055"
branch_labels = None
depends_on = None

_IS_LIVE = sa.text("state IN ('running', 'promoted')")


def upgrade() -> None:
    """Go up."""
    op.create_table(
        "experiments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("model_id", sa.Uuid(), nullable=True),
        sa.Column("prompt_id", sa.Uuid(), nullable=True),
        sa.Column("variants", sa.JSON(), nullable=False),
        sa.Column("sticky", sa.String(length=32), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("promoted", sa.String(length=1), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["model_id"], ["ai_models.id"], name=op.f("fk_experiments_model_id_ai_models"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["prompt_id"], ["system_prompts.id"], name=op.f("fk_experiments_prompt_id_system_prompts"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_experiments")),
    )  # fmt: skip
    for name, column in (("uq_experiments_model", "model_id"), ("uq_experiments_prompt", "prompt_id")):
        op.create_index(
            name, "experiments", [column], unique=True, sqlite_where=_IS_LIVE, postgresql_where=_IS_LIVE
        )
    op.create_table(
        "experiment_answers",
        sa.Column("experiment_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("variant", sa.String(length=1), nullable=False),
        sa.Column("answer_id", sa.Uuid(), nullable=True),
        sa.Column("is_failed", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("is_again", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("cost_usd", sa.BigInteger(), nullable=True),
        sa.Column("ttft_ms", sa.Float(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["experiment_id"], ["experiments.id"], name=op.f("fk_experiment_answers_experiment_id_experiments"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("experiment_id", "run_id", name=op.f("pk_experiment_answers")),
    )  # fmt: skip


def downgrade() -> None:
    """Go down. Experiments are gone; what has answered stays."""
    op.drop_table("experiment_answers")
    op.drop_table("experiments")
