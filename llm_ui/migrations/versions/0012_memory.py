"""Facts about people, summaries of long chats, how far estimates of tokens are off.

Revision: 0012, after 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up."""
    op.add_column("users", sa.Column("uses_memory", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.create_table(
        "user_memories",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_user_memories_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_memories")),
    )
    op.create_index(op.f("ix_user_memories_user_id"), "user_memories", ["user_id"])
    op.create_table(
        "chat_summaries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("chat_id", sa.Uuid(), nullable=False),
        sa.Column("upto_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("tokens", sa.Integer(), nullable=False),
        sa.Column("model_name", sa.String(length=200), nullable=False),
        sa.Column("is_edited", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["chat_id"], ["chat_histories.id"], name=op.f("fk_chat_summaries_chat_id_chat_histories"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["upto_id"], ["chat_messages.id"], name=op.f("fk_chat_summaries_upto_id_chat_messages"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chat_summaries")),
        sa.UniqueConstraint("upto_id", name=op.f("uq_chat_summaries_upto_id")),
    )
    op.create_index(op.f("ix_chat_summaries_chat_id"), "chat_summaries", ["chat_id"])
    op.create_table(
        "model_calibrations",
        sa.Column("model_id", sa.Uuid(), nullable=False),
        sa.Column("ratio", sa.Float(), nullable=False),
        sa.Column("samples", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["model_id"], ["ai_models.id"], name=op.f("fk_model_calibrations_model_id_ai_models"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("model_id", name=op.f("pk_model_calibrations")),
    )


def downgrade() -> None:
    """Go down. Facts and summaries are lost; messages stay."""
    op.drop_table("model_calibrations")
    op.drop_table("chat_summaries")
    op.drop_table("user_memories")
    # Not as a batch: that makes the table anew, and dropping the old one would take what belongs to it along.
    op.drop_column("users", "uses_memory")
