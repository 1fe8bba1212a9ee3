"""How passages of a project are found, and the cases that this is measured on.

Revision: 0023, after 0022
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up."""
    op.add_column("projects", sa.Column("strategy", sa.String(length=32), nullable=True))
    op.create_table(
        "retrieval_cases",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("question", sa.String(length=1000), nullable=False),
        sa.Column("passage", sa.Text(), nullable=False),
        sa.Column("is_wanted", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"], ["documents.id"], name=op.f("fk_retrieval_cases_document_id_documents"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_retrieval_cases_project_id_projects"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retrieval_cases")),
    )
    op.create_index(op.f("ix_retrieval_cases_document_id"), "retrieval_cases", ["document_id"])
    op.create_index(op.f("ix_retrieval_cases_project_id"), "retrieval_cases", ["project_id"])


def downgrade() -> None:
    """Go down. The cases are gone, and passages are found as everywhere."""
    op.drop_table("retrieval_cases")
    op.drop_column("projects", "strategy")
