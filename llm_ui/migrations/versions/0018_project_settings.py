"""How projects look, what their chats begin with, templates and archived ones; what was used in them.

Revision: 0018, after 0017
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

def upgrade() -> None:
    """Go up. What was used is counted where its chat is kept now."""
    op.add_column("projects", sa.Column("color", sa.String(length=32), nullable=False, server_default="grey"))
    op.add_column("projects", sa.Column("icon", sa.String(length=32), nullable=False, server_default="folder"))
    op.add_column("projects", sa.Column("model_id", sa.Uuid(), nullable=True))
    op.add_column("projects", sa.Column("model_name", sa.String(length=200), nullable=False, server_default=""))
    op.add_column("projects", sa.Column("temperature", sa.Float(), nullable=True))
    op.add_column("projects", sa.Column("max_tokens", sa.Integer(), nullable=True))
    op.add_column("projects", sa.Column("is_template", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("projects", sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("documents", sa.Column("copy_of", sa.Uuid(), nullable=True))
    op.add_column("usage_logs", sa.Column("project_id", sa.Uuid(), nullable=True))
    op.execute(
        "UPDATE usage_logs SET project_id = (SELECT chat.project_id FROM chat_histories chat"
        " JOIN runs ON runs.chat_id = chat.id WHERE runs.id = usage_logs.run_id)"
    )
    op.create_index(op.f("ix_usage_logs_project_id"), "usage_logs", ["project_id"])


def downgrade() -> None:
    """Go down."""
    op.drop_index(op.f("ix_usage_logs_project_id"), "usage_logs")
    op.drop_column("usage_logs", "project_id")
    op.drop_column("documents", "copy_of")
    for name in ("archived_at", "is_template", "max_tokens", "temperature", "model_name", "model_id", "icon", "color"):
        op.drop_column("projects", name)
