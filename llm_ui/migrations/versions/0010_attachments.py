"""Files that people attach to their questions, and which models can see images.

Revision: 0010, after 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

SEE_IMAGES = (
    "demo", "gpt-4o%", "gpt-4.%", "gpt-4-turbo%", "gpt-5%", "o1", "o1-2%", "o3%", "o4%", "chatgpt-4o%", "claude-%",
    "gemini-%", "%llava%", "%vision%", "%-vl%", "%gemma3%", "%gemma-3%", "%pixtral%", "%llama4%", "%llama-4%",
)  # fmt: skip
"""Names of models that could, on the day of this revision; administrators correct the rest."""


def upgrade() -> None:
    """Go up."""
    op.create_table(
        "attachments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("tokens", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["chat_messages.id"], name=op.f("fk_attachments_message_id_chat_messages"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_attachments_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachments")),
    )
    op.create_index(op.f("ix_attachments_message_id"), "attachments", ["message_id"])
    op.create_index(op.f("ix_attachments_sha256"), "attachments", ["sha256"])
    op.create_index(op.f("ix_attachments_user_id_created_at"), "attachments", ["user_id", "created_at"])
    op.add_column("ai_models", sa.Column("can_see_images", sa.Boolean(), nullable=False, server_default=sa.false()))
    models = sa.table("ai_models", sa.column("name", sa.String), sa.column("can_see_images", sa.Boolean))
    for pattern in SEE_IMAGES:
        op.execute(models.update().where(sa.func.lower(models.c.name).like(pattern)).values(can_see_images=True))


def downgrade() -> None:
    """Go down. The files themselves stay in the data folder; nothing says any more whose they are."""
    op.drop_table("attachments")
    # Not as a batch: that makes the table anew, and dropping the old one would unset what refers to its rows.
    op.drop_column("ai_models", "can_see_images")
