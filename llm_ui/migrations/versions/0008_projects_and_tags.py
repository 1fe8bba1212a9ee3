"""What chats are sorted by: projects and tags.

Revision: 0008, after 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up."""
    op.create_table(
        "projects",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["users.id"], name=op.f("fk_projects_owner_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_projects")),
        sa.UniqueConstraint("owner_id", "name", name=op.f("uq_projects_owner_id_name")),
    )
    op.create_table(
        "chat_tags",
        sa.Column("chat_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["chat_id"], ["chat_histories.id"], name=op.f("fk_chat_tags_chat_id_chat_histories"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("chat_id", "name", name=op.f("pk_chat_tags")),
    )
    op.create_index(op.f("ix_chat_tags_name"), "chat_tags", ["name"])
    op.add_column("chat_histories", sa.Column("project_id", sa.Uuid(), nullable=True))
    op.create_index(
        op.f("ix_chat_histories_project_id_last_message_at"), "chat_histories", ["project_id", "last_message_at"]
    )


def downgrade() -> None:
    """Go down. What chats were sorted by is lost; the chats stay."""
    op.drop_index(op.f("ix_chat_histories_project_id_last_message_at"), table_name="chat_histories")
    # Not as a batch: that makes the table anew, and dropping the old one would take its messages along.
    op.drop_column("chat_histories", "project_id")
    op.drop_table("chat_tags")
    op.drop_table("projects")
