"""Members of projects: who may do what in each, and whether models are told there what they have told of themselves.

Revision: 0026, after 0021
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up. Whoever had a project is its owner."""
    op.create_table(
        "project_members",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("lets_memory_in", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_project_members_project_id_projects"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_project_members_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("project_id", "user_id", name=op.f("pk_project_members")),
    )
    op.create_index(op.f("ix_project_members_user_id"), "project_members", ["user_id"])
    op.execute(
        "INSERT INTO project_members (project_id, user_id, role, lets_memory_in, created_at)"
        " SELECT id, owner_id, 'owner', lets_memory_in, created_at FROM projects"
    )
    op.drop_column("projects", "lets_memory_in")


def downgrade() -> None:
    """Go down. A project is its owner's alone again; what others have said in it stays theirs, outside of it."""
    op.add_column("projects", sa.Column("lets_memory_in", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.execute(
        "UPDATE projects SET lets_memory_in = COALESCE((SELECT member.lets_memory_in FROM project_members member"
        " WHERE member.project_id = projects.id AND member.user_id = projects.owner_id), lets_memory_in)"
    )
    for table in ("chat_histories", "user_memories"):
        others = f"SELECT 1 FROM projects WHERE projects.id = {table}.project_id AND owner_id <> {table}.user_id"
        what = "UPDATE chat_histories SET project_id = NULL" if table == "chat_histories" else "DELETE FROM user_memories"
        op.execute(f"{what} WHERE EXISTS ({others})")  # noqa: S608 - of our own names only
    op.drop_table("project_members")
