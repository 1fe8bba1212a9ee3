"""Earlier versions of prompts; tags of those that people keep, and how often each was used.

Revision: 0029, after 0028
"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up."""
    op.create_table(
        "prompt_versions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("system_prompt_id", sa.Uuid(), nullable=True),
        sa.Column("saved_prompt_id", sa.Uuid(), nullable=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("author_name", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["system_prompt_id"],
            ["system_prompts.id"],
            name=op.f("fk_prompt_versions_system_prompt_id_system_prompts"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["saved_prompt_id"],
            ["saved_prompts.id"],
            name=op.f("fk_prompt_versions_saved_prompt_id_saved_prompts"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prompt_versions")),
    )
    op.create_index(op.f("ix_prompt_versions_system_prompt_id"), "prompt_versions", ["system_prompt_id"])
    op.create_index(op.f("ix_prompt_versions_saved_prompt_id"), "prompt_versions", ["saved_prompt_id"])
    op.add_column("saved_prompts", sa.Column("tags", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("saved_prompts", sa.Column("use_count", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    """Go down. Prompts stay as they are now."""
    op.drop_column("saved_prompts", "use_count")
    op.drop_column("saved_prompts", "tags")
    op.drop_table("prompt_versions")
